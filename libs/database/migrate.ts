import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { type MigrationState, migrationState } from './check/migration-state';
import { OLDEST_SERVER } from './check/server-facts';
import { isDatabaseUnavailable } from './database-errors';

/** An arbitrary number that must be the same in every release. */
const migrationLock = 7_364_002;
const messageEveryMs = 5000;

/** The database cannot be reached or used. The message names the host and the database, never the password. */
export class DatabaseStartError extends Error {
  override readonly name = 'DatabaseStartError';
}

/**
 * Waits at most `waitSeconds` until the database is available, migrates it, and initialises the data source. Replicas can
 * start together: a separate connection holds an advisory lock during the migration. The lock needs a session, so behind
 * PgBouncer in transaction mode the url must be the direct address.
 * @param options.check is called under the lock, and may throw to refuse the migration
 * @returns the names of the migrations that ran
 * @throws DatabaseStartError
 */
export async function connectAndMigrate(
  dataSource: DataSource,
  options: { waitSeconds: number; log: (message: string) => void; check?: (state: MigrationState) => void },
): Promise<string[]> {
  const url = 'url' in dataSource.options ? dataSource.options.url : undefined;
  if (typeof url !== 'string') throw new DatabaseStartError('The data source has no url.');
  const client = await connectWithin(url, options);
  try {
    await requireVersion(client);
    // This connection has no statement timeout, because the migration of another replica may take long.
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    const done = await migrate(dataSource.options, options.check);
    for (const name of done) options.log(`Migration ${name} is done.`);
    if (!dataSource.isInitialized) await dataSource.initialize();
    return done;
  } finally {
    // The end of the session releases the lock, even after an error.
    await client.end().catch(() => undefined);
  }
}

/** Uses separate connections without the timeouts of the service, because the migration of a large table may take longer. */
async function migrate(
  options: DataSourceOptions,
  check?: (state: MigrationState) => void,
): Promise<string[]> {
  const { connectionTimeoutMillis, application_name } = options.extra as Record<string, unknown>;
  const extra = { connectionTimeoutMillis, application_name };
  const migrating = new DataSource({ ...options, entities: [], extra });
  await migrating.initialize();
  try {
    check?.(await migrationState(migrating.manager));
    return (await migrating.runMigrations()).map(({ name }) => name);
  } finally {
    await migrating.destroy();
  }
}

async function connectWithin(
  url: string,
  { waitSeconds, log }: { waitSeconds: number; log: (message: string) => void },
): Promise<Client> {
  const where = describe(url);
  const deadline = Date.now() + waitSeconds * 1000;
  for (let nextMessage = Date.now(); ;) {
    const limitMs = Math.min(5000, Math.max(deadline - Date.now(), 1000));
    const result = await connect(url, limitMs);
    if (result instanceof Client) return result;
    if (!isWorthWaiting(result)) {
      throw new DatabaseStartError(`Cannot use ${where}: ${reasonOf(result)}. ${adviceFor(result)}`);
    }
    if (Date.now() >= deadline) {
      throw new DatabaseStartError(
        `Gave up on ${where} after ${waitSeconds} s: ${reasonOf(result)}. ${adviceFor(result)}`,
      );
    }
    if (Date.now() >= nextMessage) {
      const leftSeconds = Math.ceil((deadline - Date.now()) / 1000);
      log(`Waiting for ${where}: ${reasonOf(result)}; at most ${leftSeconds} s more.`);
      nextMessage = Date.now() + messageEveryMs;
    }
    await sleep(Math.min(500, Math.max(deadline - Date.now(), 0)));
  }
}

async function connect(url: string, connectionTimeoutMillis: number): Promise<Client | Error> {
  try {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis,
      application_name: 'tenkey-migrate',
    });
    // Without a listener, a connection that breaks between two queries would crash the process.
    client.on('error', () => undefined);
    await client.connect().catch(async (error: unknown) => {
      await client.end().catch(() => undefined);
      throw error;
    });
    return client;
  } catch (error) {
    return error as Error;
  }
}

async function requireVersion(client: Client): Promise<void> {
  const { rows } = await client.query<{ server_version_num: string; server_version: string }>(
    "select current_setting('server_version_num') as server_version_num, current_setting('server_version') as server_version",
  );
  if (Number(rows[0]?.server_version_num) < OLDEST_SERVER) {
    throw new DatabaseStartError(
      `PostgreSQL ${rows[0]?.server_version} is too old: Tenkey needs ${OLDEST_SERVER / 10_000} or newer. Upgrade the server.`,
    );
  }
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '');

/** 3D000: the server is available, but the database may not have been created yet. */
const isWorthWaiting = (error: Error): boolean => isDatabaseUnavailable(error) || codeOf(error) === '3D000';

/** An AggregateError (localhost over IPv6 and IPv4) has a code and no message. */
const reasonOf = (error: Error): string => error.message || codeOf(error) || 'no response';

function adviceFor(error: Error): string {
  const code = codeOf(error);
  if (code === '3D000') return 'Create the database, or correct its name in DATABASE_URL.';
  if (code.startsWith('28')) return 'Check user and password in DATABASE_URL, and pg_hba.conf of the server.';
  return 'Check that the server runs, that host and port in DATABASE_URL are right, and that no firewall blocks the connection.';
}

function describe(url: string): string {
  try {
    const { hostname, port, pathname, searchParams } = new URL(url);
    const host = searchParams.get('host') ?? decodeURIComponent(hostname);
    const address = host.startsWith('/') ? host : `${host || 'localhost'}:${port || '5432'}`;
    return `database "${decodeURIComponent(pathname.slice(1))}" at ${address}`;
  } catch {
    return 'the database of DATABASE_URL (which is not a valid address)';
  }
}
