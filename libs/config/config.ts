import { Secret } from '#crypto';
import { type Provider, providers } from '#providers';
import { type EgressProxies, readEgressProxies } from './egress-proxies';
import { ConfigError, type Environment } from './environment';
import { type GlobalCredential, readGlobalCredential } from './global-credentials';
import { baseUrl } from './settings/kinds';
import { baseUrlSettings, globalSettings } from './settings/provider-settings';
import { SettingReader } from './settings/setting-reader';
import { type SettingValues } from './settings/settings';

export const modes = ['strict', 'single-tenant'] as const;
/** strict: every tenant needs its own credentials. single-tenant: all tenants use the global keys. */
export type Mode = (typeof modes)[number];

/** Every setting, checked and frozen. settings/settings.ts describes the fields that have a variable of their own. */
export interface Config extends Omit<
  SettingValues,
  'encryptionKey' | 'previousEncryptionKeys' | 'egressProxy'
> {
  readonly mode: Mode;
  readonly encryptionKeys: { readonly current?: Secret; readonly previous: readonly Secret[] };
  readonly egressProxies: EgressProxies;
  /** The secrets of the process itself, for redaction by value. Global keys are not among them. */
  readonly secrets: readonly Secret[];
  /**
   * Where a provider is for a credential without an endpoint: the operator's base URL, else the provider's own address.
   * Undefined if there is neither.
   */
  endpointOf(provider: Provider): string | undefined;
  /** Names of the global variables that are set. Only names: in strict mode nothing reads the values. */
  readonly globalVariablesPresent: readonly string[];
  /**
   * The global credential of one provider, read at the first call. In strict mode it is undefined and nothing is read,
   * except with LEGACY_MODELS_USE_GLOBAL_KEYS, and then only what legacy models need.
   */
  globalCredential(provider: Provider): GlobalCredential | undefined;
}

/**
 * @param env variables as text; read by name, one at a time, never copied
 * @throws ConfigError with every fault
 */
export function loadConfig(env: Environment): Config {
  const reader = new SettingReader(env);
  const allValues = reader.values();
  const { egressProxy, ...otherValues } = allValues;
  const { encryptionKey, previousEncryptionKeys, ...values } = otherValues;
  const egressProxies = readEgressProxies(reader, egressProxy);
  const isStrict = values.tenantCredentialsEnabled;

  const baseUrls = new Map<string, string>();
  for (const { name, provider } of baseUrlSettings) {
    if (baseUrls.has(provider.id)) continue;
    const url = reader.value({ name, kind: baseUrl });
    if (url !== undefined) baseUrls.set(provider.id, url);
  }

  const globalCredentials = new Map<Provider, GlobalCredential>();
  const globalCredential = (provider: Provider) => {
    if (isStrict && !values.legacyModelsUseGlobalKeys) return undefined;
    const credential =
      globalCredentials.get(provider) ?? readGlobalCredential(provider, (name) => reader.text(name));
    if (credential) globalCredentials.set(provider, credential);
    return credential;
  };
  // Strict mode reads none here, not even for legacy models: those report the faults of a global credential when they use it.
  const globalFaults = isStrict
    ? []
    : providers.flatMap((provider) => [...(globalCredential(provider)?.faults.values() ?? [])]);

  const faults = [...reader.faults(), ...globalFaults];
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze({
    ...values,
    mode: isStrict ? 'strict' : 'single-tenant',
    encryptionKeys: { current: encryptionKey, previous: previousEncryptionKeys },
    egressProxies,
    // The address of a proxy is in error texts on purpose, so only its password is a secret there.
    secrets: [...Object.values(otherValues).flat(), ...egressProxies.secrets].filter(
      (value) => value instanceof Secret,
    ),
    endpointOf: (provider: Provider) => baseUrls.get(provider.id) ?? provider.defaultEndpoint,
    globalVariablesPresent: globalSettings.map(({ name }) => name).filter((name) => name in env),
    globalCredential,
  });
}
