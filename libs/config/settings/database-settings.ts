import { anySecret, databaseHost, databaseParameters, flag, folder, postgresUrl, text, whole } from './kinds';
import { type Setting } from './setting';

/** The settings that replace DATABASE_URL. */
export const databaseParts = [
  'databaseHost',
  'databasePort',
  'databaseName',
  'databaseUser',
  'databasePassword',
  'databaseParameters',
] as const;
export type DatabasePart = (typeof databaseParts)[number];

/** The settings of the database, and of the cache of its rows. */
export const databaseSettings = {
  databaseUrl: {
    name: 'DATABASE_URL',
    section: 'database',
    kind: postgresUrl,
    description:
      'The address of a PostgreSQL server, version 15 or newer, e.g. `postgresql://user:password@host:5432/tenkey`, with special characters of the password percent-encoded (`@` is `%40`). The parameters `sslmode` (`disable`, `prefer`, `require`, `verify-ca`, `verify-full`), `sslrootcert`, `sslcert` and `sslkey` mean what they mean in libpq; without `sslmode`, TLS is used if the server offers it. It may lead to a connection pooler, such as PgBouncer in transaction mode; nothing needs to be configured there. Not set: `DATABASE_HOST`, or an embedded PostgreSQL, see `EMBEDDED_DATABASE`.',
  },
  databaseHost: {
    name: 'DATABASE_HOST',
    section: 'database',
    kind: databaseHost,
    description:
      'The host of the PostgreSQL server, or the folder of its socket. `DATABASE_HOST` and the following settings replace `DATABASE_URL`; nothing in them is percent-encoded.',
  },
  databasePort: {
    name: 'DATABASE_PORT',
    section: 'database',
    kind: whole(1, 65_535),
    description: 'The port of the PostgreSQL server, with `DATABASE_HOST`. Not set: 5432.',
  },
  databaseName: {
    name: 'DATABASE_NAME',
    section: 'database',
    kind: text,
    description: 'The name of the database, with `DATABASE_HOST`. Not set: `tenkey`.',
  },
  databaseUser: {
    name: 'DATABASE_USER',
    section: 'database',
    kind: text,
    description: 'The user of the database, with `DATABASE_HOST`. Not set: `tenkey`.',
  },
  databasePassword: {
    name: 'DATABASE_PASSWORD',
    section: 'database',
    kind: anySecret,
    description: 'The password of the user of the database, with `DATABASE_HOST`.',
  },
  databaseParameters: {
    name: 'DATABASE_PARAMETERS',
    section: 'database',
    kind: databaseParameters,
    description:
      'The parameters of the connection, with `DATABASE_HOST`, as in the query of a URL, e.g. `sslmode=verify-full&sslrootcert=/etc/tenkey/ca.pem`.',
  },
  embeddedDatabase: {
    name: 'EMBEDDED_DATABASE',
    section: 'database',
    kind: flag,
    default: 'true',
    productionDefault: 'false',
    description:
      '`true`: without `DATABASE_URL`, Tenkey starts an embedded PostgreSQL in `TENKEY_DATA_DIR`. `false`: `DATABASE_URL` is required.',
  },
  dataDirectory: {
    name: 'TENKEY_DATA_DIR',
    section: 'database',
    kind: folder,
    default: './.tenkey',
    description: 'The folder of the embedded PostgreSQL.',
  },
  databaseWaitSeconds: {
    name: 'DATABASE_WAIT_SECONDS',
    section: 'database',
    kind: whole(0, 3600),
    default: '60',
    description:
      'How long a start waits for the database, in seconds, and then for another process that is migrating it, or for a transaction that a migration must wait for.',
  },
  databaseDirectUrl: {
    name: 'DATABASE_DIRECT_URL',
    section: 'database',
    kind: postgresUrl,
    description:
      'The address of the database itself, if `DATABASE_URL` leads to a pooler that shares connections between transactions, such as PgBouncer in transaction mode. It is used by migrations, and to receive notifications of changes, which arrive only on a direct connection. Not set: `DATABASE_URL`; behind such a pooler nothing is cached then.',
  },
  databaseTimeoutMs: {
    name: 'DATABASE_TIMEOUT_MS',
    section: 'database',
    kind: whole(1, 600_000),
    default: '2000',
    description:
      'How long a call waits for a row that is not cached, in milliseconds. After that it is refused with `credential_store_unavailable`.',
  },
  cacheLeaseSeconds: {
    name: 'CACHE_LEASE_SECONDS',
    section: 'database',
    kind: whole(0, 60),
    default: '5',
    description:
      'How long a process may use what it has cached without hearing from the database, in seconds. Calls continue for this long while the database is unavailable, and a change takes about this long if another process hangs. 0: nothing is cached, and each call reads the database.',
  },
  testDatabaseUrl: {
    name: 'TEST_DATABASE_URL',
    section: 'database',
    kind: postgresUrl,
    description: 'For the test suite only: a PostgreSQL server to use instead of starting one.',
    isTestOnly: true,
  },
} satisfies Record<string, Setting>;
