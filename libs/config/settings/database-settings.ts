import { flag, folder, postgresUrl, whole } from './kinds';
import { type Setting } from './setting';

/** The settings of the database, and of the cache of its rows. */
export const databaseSettings = {
  databaseUrl: {
    name: 'DATABASE_URL',
    section: 'database',
    kind: postgresUrl,
    description:
      'The address of a PostgreSQL server, version 15 or newer. Not set: an embedded PostgreSQL, see `EMBEDDED_DATABASE`. A connection pooler must pass on `statement_timeout`, `lock_timeout` and `idle_in_transaction_session_timeout` (PgBouncer: name them in `ignore_startup_parameters`, and set them for the database user). It must also keep a session open during a start, which migrates under a lock.',
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
    description: 'How long a start waits for the database, in seconds.',
  },
  databaseDirectUrl: {
    name: 'DATABASE_DIRECT_URL',
    section: 'database',
    kind: postgresUrl,
    description:
      'The address of the database itself, if `DATABASE_URL` leads to a pooler that shares connections between transactions, such as PgBouncer in transaction mode. Notifications of changes arrive only on a direct connection. Not set: `DATABASE_URL`.',
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
