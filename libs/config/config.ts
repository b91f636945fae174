import { resolve } from 'node:path';
import { Secret } from '#crypto';
import { type Provider, providers, type Settings, type Timeouts } from '#providers';
import { isAddressOrRange } from './addresses/addresses';
import { type Environment, isBlank } from './environment';
import { globalFaults } from './global-faults';
import { parseTimeouts } from './settings/timeouts';
import { faultOfEncryptionKey, faultOfKey } from './settings/weak-keys';

/** The operator's own key of one provider, as read from the environment. */
export interface GlobalCredential {
  readonly apiKey: Secret;
  readonly settings: Settings;
  /** Field of the credential -> what is wrong with it, as of a tenant's: its variable and the rule, never the value. */
  readonly faults: ReadonlyMap<string, string>;
}

/** Every setting, checked and frozen. Nothing else reads the environment. */
export interface Config {
  readonly isProduction: boolean;
  readonly port: number;
  readonly host: string;
  /** Addresses and CIDR ranges of the proxies in front, whose X-Forwarded-For says where a request comes from. */
  readonly trustProxy: readonly string[];
  /** A PostgreSQL address, or undefined for the embedded database. */
  readonly databaseUrl?: Secret;
  readonly dataDirectory: string;
  readonly databaseWaitSeconds: number;
  /** How long a client may pause in the middle of an answer before it is taken for gone. */
  readonly clientPauseSeconds: number;
  /** How long a stop waits for running calls. */
  readonly shutdownSeconds: number;
  /** True: every tenant needs its own credentials. False: all tenants use the global keys. */
  readonly tenantCredentialsEnabled: boolean;
  readonly legacyModelsUseGlobalKeys: boolean;
  /** How long after a promotion the credential before it can be taken back; 0: it is not kept. */
  readonly credentialRollbackHours: number;
  readonly encryptionKeys: { readonly current?: Secret; readonly previous: readonly Secret[] };
  readonly superApiKeys: readonly Secret[];
  readonly platformApiKeys: readonly Secret[];
  readonly aiModelsFile?: string;
  readonly logLevel: LogLevel;
  readonly egressAllow: string;
  readonly maxBodyBytes: number;
  /** True: a parameter that a model's provider does not have is an error. False: it is left out and named. */
  readonly strictParams: boolean;
  /** True: a provider is asked for the usage of a stream whose client did not say whether it wants it. */
  readonly streamUsage: boolean;
  /** How long each provider may take. */
  timeoutsOf(provider: Provider): Timeouts;
  /** How often a call is tried again when nothing was sent or the provider said 503. */
  readonly upstreamRetries: number;
  /** How long a call may wait in all to try again after a 429; 0: it is not tried again. */
  readonly retryRateLimitedSeconds: number;
  /** How long usage records are kept; 0: for ever. */
  readonly usageRetentionDays: number;
  /**
   * Where a provider is for a credential without an endpoint: the operator's base URL, else the provider's own address.
   * Undefined where there is neither.
   */
  endpointOf(provider: Provider): string | undefined;
  /** Names of global variables that are set, and not to a blank; names only, in strict mode nothing reads their values. */
  readonly globalVariablesPresent: readonly string[];
  /**
   * The global credential of one provider, read when it is first asked for. In strict mode it never does: the
   * one exception is LEGACY_MODELS_USE_GLOBAL_KEYS, and then only for what legacy models ask.
   */
  globalCredential(provider: Provider): GlobalCredential | undefined;
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** All faults of the environment at once, each with its fix. The values are not in it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly faults: readonly string[]) {
    super(`Tenkey cannot start:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

/**
 * @param env variables as text; read by name, one at a time, never copied
 * @throws ConfigError naming every faulty variable
 */
export function loadConfig(env: Environment): Config {
  const faults: string[] = [];
  const isProduction = env.NODE_ENV === 'production';
  const read = (name: string) => (isBlank(env[name]) ? undefined : env[name]?.trim());

  const flag = (name: string, fallback: boolean) => {
    const text = read(name)?.toLowerCase();
    if (text === undefined) return fallback;
    if (['true', '1', 'yes', 'on'].includes(text)) return true;
    if (['false', '0', 'no', 'off'].includes(text)) return false;
    faults.push(`${name} must be true or false.`);
    return fallback;
  };
  const whole = (name: string, fallback: number, least: number, most: number) => {
    const text = read(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    faults.push(`${name} must be a whole number from ${least} to ${most}.`);
    return fallback;
  };

  const tenantCredentialsEnabled = flag('TENANT_CREDENTIALS_ENABLED', true);
  const legacyModelsUseGlobalKeys = flag('LEGACY_MODELS_USE_GLOBAL_KEYS', false);
  const embeddedAllowed = flag('EMBEDDED_DATABASE', !isProduction);

  const databaseUrl = read('DATABASE_URL');
  if (databaseUrl !== undefined && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    faults.push(
      'DATABASE_URL must begin with postgresql:// , e.g. postgresql://user:password@host:5432/tenkey',
    );
  }
  if (databaseUrl === undefined && !embeddedAllowed) {
    faults.push(
      'DATABASE_URL is not set. Set it to a PostgreSQL 15 or newer, or EMBEDDED_DATABASE=true to use the embedded one.',
    );
  }

  const logLevel = (read('LOG_LEVEL') ?? 'info') as LogLevel;
  if (!logLevels.includes(logLevel)) faults.push(`LOG_LEVEL must be one of ${logLevels.join(', ')}.`);

  const superApiKeys = apiKeys('INTRIC_SUPER_API_KEY');
  if (superApiKeys.length === 0) {
    faults.push(
      'INTRIC_SUPER_API_KEY is not set. Choose a random text of at least 16 characters (openssl rand -hex 32).',
    );
  }
  const platformApiKeys = apiKeys('PLATFORM_API_KEY');
  const superTexts = new Set(superApiKeys.map((key) => key.expose()));
  if (platformApiKeys.some((key) => superTexts.has(key.expose()))) {
    faults.push('PLATFORM_API_KEY must differ from INTRIC_SUPER_API_KEY.');
  }
  const encryptionKeys = readEncryptionKeys();
  const trustProxy = listOf('TRUST_PROXY');
  if (!trustProxy.every(isAddressOrRange)) {
    faults.push(
      'TRUST_PROXY must be addresses or CIDR ranges, comma-separated, e.g. 10.1.2.3,10.2.0.0/16. Not all addresses: whoever asks could then say to be anybody.',
    );
  }

  const baseUrls = new Map<string, string>();
  for (const provider of providers) {
    for (const name of provider.baseUrlVariables) {
      const text = read(name);
      if (text === undefined || baseUrls.has(provider.id)) continue;
      if (isBaseUrl(text)) baseUrls.set(provider.id, text);
      else faults.push(`${name} must be an http or https URL without user name, query and fragment.`);
    }
  }
  const globalVariablesPresent = providers
    .flatMap((provider) => [
      provider.globalVariables.apiKey,
      ...Object.values(provider.globalVariables.settings),
    ])
    .filter((name) => name in env);

  const timeouts = parseTimeouts(read('UPSTREAM_TIMEOUTS') ?? '');
  if (timeouts.fault !== undefined) faults.push(`UPSTREAM_TIMEOUTS ${timeouts.fault}`);

  const globalCredentials = new Map<Provider, GlobalCredential>();
  const config: Config = Object.freeze({
    isProduction,
    port: whole('PORT', 3000, 0, 65535),
    host: read('HOST') ?? (isProduction ? '0.0.0.0' : '127.0.0.1'),
    trustProxy,
    databaseUrl: databaseUrl === undefined ? undefined : new Secret(databaseUrl),
    dataDirectory: resolve(read('TENKEY_DATA_DIR') ?? '.tenkey'),
    databaseWaitSeconds: whole('DATABASE_WAIT_SECONDS', 60, 0, 3600),
    clientPauseSeconds: whole('CLIENT_PAUSE_SECONDS', 600, 1, 86_400),
    shutdownSeconds: whole('SHUTDOWN_SECONDS', 20, 0, 3600),
    tenantCredentialsEnabled,
    legacyModelsUseGlobalKeys,
    credentialRollbackHours: whole('CREDENTIAL_ROLLBACK_HOURS', 72, 0, 8760),
    encryptionKeys,
    superApiKeys,
    platformApiKeys,
    aiModelsFile: read('AI_MODELS_FILE'),
    logLevel,
    egressAllow: read('EGRESS_ALLOW') ?? '',
    maxBodyBytes: whole('MAX_BODY_BYTES', 32 * 1024 * 1024, 1024, 1024 * 1024 * 1024),
    strictParams: flag('STRICT_PARAMS', false),
    streamUsage: flag('STREAM_USAGE', true),
    timeoutsOf: timeouts.of,
    upstreamRetries: whole('UPSTREAM_RETRIES', 1, 0, 5),
    retryRateLimitedSeconds: whole('UPSTREAM_RETRY_RATE_LIMITED_SECONDS', 0, 0, 300),
    usageRetentionDays: whole('USAGE_RETENTION_DAYS', 90, 0, 36_500),
    endpointOf: (provider: Provider) => baseUrls.get(provider.id) ?? provider.defaultEndpoint,
    globalVariablesPresent,
    globalCredential(provider: Provider): GlobalCredential | undefined {
      if (tenantCredentialsEnabled && !legacyModelsUseGlobalKeys) return undefined;
      const known = globalCredentials.get(provider);
      if (known) return known;
      const apiKey = read(provider.globalVariables.apiKey);
      if (apiKey === undefined) return undefined;
      const settings: Record<string, unknown> = {};
      for (const [setting, name] of Object.entries(provider.globalVariables.settings)) {
        const value = read(name);
        if (value !== undefined) settings[setting] = value;
      }
      const credential = Object.freeze({
        apiKey: new Secret(apiKey),
        settings: Object.freeze(settings),
        faults: globalFaults(provider, { api_key: apiKey, ...settings }),
      });
      globalCredentials.set(provider, credential);
      return credential;
    },
  });
  // In strict mode none is read here, and one that legacy models may use is checked when they do.
  if (!tenantCredentialsEnabled) {
    for (const provider of providers)
      faults.push(...(config.globalCredential(provider)?.faults.values() ?? []));
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return config;

  function listOf(name: string): string[] {
    const entries = (read(name) ?? '').split(',').map((entry) => entry.trim());
    return entries.filter((entry) => entry !== '');
  }

  function apiKeys(name: string): Secret[] {
    const given = listOf(name);
    for (const key of given) {
      const fault = faultOfKey(key);
      if (fault) faults.push(`${name} ${fault}`);
    }
    return given.map((key) => new Secret(key));
  }

  function readEncryptionKeys() {
    const command = 'npm run generate-encryption-key prints a line for .env.';
    const current = read('ENCRYPTION_KEY');
    if (current === undefined && tenantCredentialsEnabled) {
      faults.push(
        `ENCRYPTION_KEY is not set, and tenant credentials cannot be sealed without it. ${command}`,
      );
    }
    const check = (name: string, key: string) => {
      const fault = faultOfEncryptionKey(key);
      if (fault) faults.push(`${name} ${fault} ${command}`);
      return fault === undefined;
    };
    return {
      current: current !== undefined && check('ENCRYPTION_KEY', current) ? new Secret(current) : undefined,
      previous: listOf('ENCRYPTION_KEY_PREVIOUS')
        .filter((key) => check('ENCRYPTION_KEY_PREVIOUS', key))
        .map((key) => new Secret(key)),
    };
  }
}

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
  return isWeb && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}
