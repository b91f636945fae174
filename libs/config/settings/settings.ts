import { callSettings } from './call-settings';
import { databaseSettings } from './database-settings';
import { apiKeys, encryptionKey, encryptionKeys, flag, type Kind, whole } from './kinds';
import { monitoringSettings } from './monitoring-settings';
import { serviceSettings } from './service-settings';
import { type Setting } from './setting';

const keyFix = 'Generate a key with `openssl rand -hex 32`.';
const encryptionKeyFix = '`npm run generate-encryption-key` prints a line for `.env`.';

/** Every setting, by its field of Config. The variables of the providers come from the providers (provider-settings.ts). */
export const settings = {
  superApiKeys: {
    name: 'INTRIC_SUPER_API_KEY',
    section: 'keys',
    kind: apiKeys,
    default: '',
    fix: keyFix,
    description:
      'The super key, which opens the sysadmin API (header `X-API-Key`). Required. While it is replaced, several keys are accepted, comma-separated.',
  },
  platformApiKeys: {
    name: 'PLATFORM_API_KEY',
    section: 'keys',
    kind: apiKeys,
    default: '',
    fix: keyFix,
    description:
      'The platform key, which opens `/v1` (header `X-API-Key`, with `X-Tenant-ID`). It must differ from the super key. Several are accepted, comma-separated. Not set: `/v1` accepts tenant keys only.',
  },
  encryptionKey: {
    name: 'ENCRYPTION_KEY',
    section: 'keys',
    kind: encryptionKey,
    fix: encryptionKeyFix,
    description: `The encryption key, which seals the stored credentials as soon as every process has it. Required in strict mode. ${encryptionKeyFix} Keep a copy: without it the stored credentials cannot be read.`,
  },
  previousEncryptionKeys: {
    name: 'ENCRYPTION_KEY_PREVIOUS',
    section: 'keys',
    kind: encryptionKeys,
    default: '',
    fix: encryptionKeyFix,
    description:
      'Other encryption keys that stored credentials may be sealed under, comma-separated. They open credentials, and one of them seals as long as some process does not have `ENCRYPTION_KEY`.',
  },
  tenantCredentialsEnabled: {
    name: 'TENANT_CREDENTIALS_ENABLED',
    section: 'mode',
    kind: flag,
    default: 'true',
    description:
      '`true`, strict mode: every tenant uses its own credentials, and there is no fallback. `false`, single-tenant mode: all tenants use the global keys.',
  },
  legacyModelsUseGlobalKeys: {
    name: 'LEGACY_MODELS_USE_GLOBAL_KEYS',
    section: 'mode',
    kind: flag,
    default: 'false',
    description:
      '`true`: in strict mode, models without `litellm_model_name` use the global keys, and the operator pays for them.',
  },
  credentialRollbackHours: {
    name: 'CREDENTIAL_ROLLBACK_HOURS',
    section: 'replacement',
    kind: whole(0, 8760),
    default: '72',
    description:
      'How long the previous credential is kept after a promotion, in hours. It stays sealed, and until then the promotion can be rolled back. 0: it is not kept.',
  },
  ...serviceSettings,
  ...callSettings,
  ...monitoringSettings,
  ...databaseSettings,
} satisfies Record<string, Setting>;

type ValueOf<S> = S extends { kind: Kind<infer T> }
  ? S extends { default: string }
    ? T
    : T | undefined
  : never;

/** The value of each setting that the service reads. */
export type SettingValues = {
  readonly [
    F in keyof typeof settings as (typeof settings)[F] extends { isTestOnly: true } ? never : F
  ]: ValueOf<(typeof settings)[F]>;
};
