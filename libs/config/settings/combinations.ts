import { databaseParts } from './database-settings';
import { type settings, type SettingValues } from './settings';

interface Combination {
  /** The setting that the fault names; one that has another fault already is not checked. */
  readonly field: keyof typeof settings;
  readonly isFault: (values: SettingValues) => boolean;
  /** The fault after the variable's name. */
  readonly reason: string;
}

/** What settings demand of each other, and which must be set. */
export const combinations: readonly Combination[] = [
  {
    field: 'superApiKeys',
    isFault: ({ superApiKeys }) => superApiKeys.length === 0,
    reason: 'is not set.',
  },
  {
    field: 'platformApiKeys',
    isFault: ({ superApiKeys, platformApiKeys }) => {
      const superTexts = new Set(superApiKeys.map((key) => key.expose()));
      return platformApiKeys.some((key) => superTexts.has(key.expose()));
    },
    reason: 'must differ from INTRIC_SUPER_API_KEY.',
  },
  {
    field: 'encryptionKey',
    isFault: ({ encryptionKey, tenantCredentialsEnabled }) =>
      encryptionKey === undefined && tenantCredentialsEnabled,
    reason: 'is not set, and credentials of tenants cannot be sealed without it.',
  },
  {
    field: 'auditRetentionDays',
    isFault: ({ auditRetentionDays, encryptionKey }) => auditRetentionDays > 0 && encryptionKey === undefined,
    reason:
      'needs ENCRYPTION_KEY, because what records the deletion of audit events must be signed. Set both, or neither.',
  },
  {
    field: 'metricsPort',
    isFault: ({ metricsPort, port }) => metricsPort !== undefined && metricsPort === port,
    reason: 'must differ from PORT.',
  },
  {
    field: 'databaseUrl',
    isFault: ({ databaseUrl, databaseHost, embeddedDatabase }) =>
      databaseUrl === undefined && databaseHost === undefined && !embeddedDatabase,
    reason:
      'is not set, nor is DATABASE_HOST. Set one of them to a PostgreSQL 15 or newer, or set EMBEDDED_DATABASE=true to use the embedded one.',
  },
  ...databaseParts.map((field): Combination => ({
    field,
    isFault: (values) => values[field] !== undefined && values.databaseUrl !== undefined,
    reason:
      'and DATABASE_URL are both set. Remove one: the database has either a URL, or DATABASE_HOST and what belongs to it.',
  })),
  ...databaseParts.map((field): Combination => ({
    field,
    isFault: ({ databaseHost, databaseUrl, ...values }) =>
      databaseHost === undefined &&
      databaseUrl === undefined &&
      values[field as Exclude<typeof field, 'databaseHost'>] !== undefined,
    reason: 'is set without DATABASE_HOST. Set DATABASE_HOST.',
  })),
];
