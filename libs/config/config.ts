import { type KeyRing, Secret } from '#crypto';
import { cutEndpoint, fixedProviders, type Provider } from '#providers';
import { databaseUrlOf } from './addresses/database-address';
import { type EgressProxies, readEgressProxies } from './egress-proxies';
import { ConfigError, type Environment } from './environment';
import { type GlobalCredential, readGlobalCredential } from './global-credentials';
import { baseUrl } from './settings/kinds';
import { globalSettingsOf } from './settings/provider-settings';
import { SettingReader } from './settings/setting-reader';
import { type DatabasePart } from './settings/database-settings';
import { settings, type SettingValues } from './settings/settings';

export const modes = ['strict', 'single-tenant'] as const;
/** strict: every tenant needs its own credentials. single-tenant: all tenants use the global keys. */
export type Mode = (typeof modes)[number];

/** Every setting, checked and frozen. settings/settings.ts describes the fields that have a variable of their own. */
export interface Config extends Omit<
  SettingValues,
  'encryptionKey' | 'previousEncryptionKeys' | 'egressProxy' | DatabasePart
> {
  readonly mode: Mode;
  /** The setting that has the address of the database. DATABASE_HOST stands for those that belong to it, too. */
  readonly databaseSetting: 'DATABASE_URL' | 'DATABASE_HOST';
  readonly encryptionKeys: { readonly current?: Secret; readonly previous: readonly Secret[] };
  readonly egressProxies: EgressProxies;
  /** The secrets of the process itself, for redaction by value. Global keys are not among them. */
  readonly secrets: readonly Secret[];
  /**
   * Where a provider is for a credential without an endpoint: the operator's base URL, else the provider's own address.
   * Undefined if there is neither.
   */
  endpointOf(provider: Provider): string | undefined;
  /** The variables of these providers whose address was longer than a base URL, such as that of a request, and was cut. */
  cutAddressesOf(providers: readonly Provider[]): string[];
  /** Which global variables of these providers are set. Only names: in strict mode nothing reads the values. */
  globalVariablesPresent(providers: readonly Provider[]): string[];
  /**
   * The global credential of one provider, read at the first call. In strict mode it is undefined and nothing is read,
   * except with LEGACY_MODELS_USE_GLOBAL_KEYS, and then only what legacy models need.
   */
  globalCredential(provider: Provider): GlobalCredential | undefined;
  /**
   * The faults in the variables of declared providers, and in variables that name a provider which does not exist. They are found only
   * here, because the catalogue is read after the settings.
   */
  faultsOfDeclared(declared: readonly Provider[]): string[];
}

/**
 * @param env variables as text; read by name, one at a time, never copied
 * @throws ConfigError with every fault
 */
export function loadConfig(env: Environment): Config {
  const reader = new SettingReader(env);
  const { egressProxy, ...otherValues } = reader.values();
  const { encryptionKey, previousEncryptionKeys, ...values } = otherValues;
  const egressProxies = readEgressProxies(reader, egressProxy);
  const isStrict = values.tenantCredentialsEnabled;

  // Providers that a catalogue declares are read when they are used. A reload makes new ones.
  const baseUrls = new WeakMap<Provider, { readonly url: string | undefined }>();
  const readBaseUrl = (provider: Provider, by: SettingReader) => {
    for (const name of provider.baseUrlVariables) {
      const url = by.value({ name, kind: baseUrl });
      if (url !== undefined) return url;
    }
    return undefined;
  };
  const baseUrlOf = (provider: Provider) => {
    const known = baseUrls.get(provider) ?? { url: readBaseUrl(provider, reader) };
    baseUrls.set(provider, known);
    return known.url;
  };
  fixedProviders.forEach(baseUrlOf);

  const globalCredentials = new WeakMap<Provider, GlobalCredential>();
  const globalCredential = (provider: Provider) => {
    if (isStrict && !values.legacyModelsUseGlobalKeys) return undefined;
    const credential =
      globalCredentials.get(provider) ?? readGlobalCredential(provider, (name) => reader.text(name));
    if (credential) globalCredentials.set(provider, credential);
    return credential;
  };
  // Strict mode reads none here, not even for legacy models: those report the faults of a global credential when they use it.
  const globalFaultsOf = (providers: readonly Provider[]) =>
    isStrict ? [] : providers.flatMap((provider) => [...(globalCredential(provider)?.faults.values() ?? [])]);

  const faults = [...reader.faults(), ...globalFaultsOf(fixedProviders)];
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze({
    ...values,
    databaseUrl: databaseUrlFrom(values),
    databaseSetting: values.databaseHost === undefined ? 'DATABASE_URL' : 'DATABASE_HOST',
    mode: isStrict ? 'strict' : 'single-tenant',
    encryptionKeys: { current: encryptionKey, previous: previousEncryptionKeys },
    egressProxies,
    // The address of a proxy is in error texts on purpose, so only its password is a secret there.
    secrets: [...Object.values(otherValues).flat(), ...egressProxies.secrets].filter(
      (value) => value instanceof Secret,
    ),
    endpointOf: (provider: Provider) => baseUrlOf(provider) ?? provider.defaultEndpoint,
    cutAddressesOf: (providers: readonly Provider[]) =>
      providers.flatMap((provider) => {
        const { endpoint } = provider.globalVariables.settings;
        const names = [
          ...provider.baseUrlVariables,
          ...(endpoint !== undefined && !isStrict ? [endpoint] : []),
        ];
        return names.filter((name) => cutEndpoint(reader.text(name) ?? '', provider) !== undefined);
      }),
    globalVariablesPresent: (providers: readonly Provider[]) =>
      providers
        .flatMap((provider) => globalSettingsOf(provider).map(({ name }) => name))
        .filter((name) => name in env),
    globalCredential,
    faultsOfDeclared: (declared: readonly Provider[]) => {
      const ids = new Set([...fixedProviders, ...declared].map(({ id }) => id));
      const ofDeclared = new SettingReader(env);
      for (const provider of declared) readBaseUrl(provider, ofDeclared);
      const unknown = values.timeoutsOf.named.some((id) => !ids.has(id))
        ? ['UPSTREAM_TIMEOUTS names a provider that Tenkey does not know and the catalogue does not declare.']
        : [];
      return [...unknown, ...ofDeclared.faults(), ...globalFaultsOf(declared)];
    },
  });
}

/** DATABASE_URL, or the URL of its parts. */
function databaseUrlFrom(values: Pick<SettingValues, DatabasePart | 'databaseUrl'>): Secret | undefined {
  const { databaseHost: host, databasePort: port = 5432, databaseName: name = 'tenkey' } = values;
  const {
    databaseUser: user = 'tenkey',
    databasePassword: password,
    databaseParameters: parameters,
  } = values;
  if (host === undefined) return values.databaseUrl;
  return new Secret(databaseUrlOf({ host, port, name, user, password: password?.expose(), parameters }));
}

/** The encryption keys alone. @throws ConfigError with their faults */
export function loadEncryptionKeys(env: Environment): KeyRing {
  const reader = new SettingReader(env);
  const current = reader.value(settings.encryptionKey);
  const previous = reader.value(settings.previousEncryptionKeys) ?? [];
  const faults = reader.faults();
  if (faults.length > 0) throw new ConfigError(faults);
  return { ...(current && { current }), previous };
}
