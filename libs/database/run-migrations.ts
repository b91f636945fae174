import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource, type DataSourceOptions, type QueryRunner } from 'typeorm';
import { migrationFaultOf } from './check/migration-fault';
import { CREATE_TABLE, isMigratable, migrationFindings, migrationState } from './check/migration-state';
import { DatabaseStartError, reasonOf } from './connection/connection-fault';
import { CONNECT_MS, connectionOptions } from './connection/connection-options';
import { DatabaseClient, type DatabaseClientConfig } from './connection/database-client';
import { clientOptionsOf } from './data-source';
import { isDatabaseUnavailable, sqlStateOf } from './database-errors';

const { version } = createRequire(__filename)('#package.json') as { version: string };

/** An arbitrary number that must be the same in every release. */
const MIGRATION_LOCK = 7_364_002;
const MESSAGE_EVERY_MS = 5000;
const PAUSE_MS = 200;
const LOCK_NOT_AVAILABLE = '55P03';
/** How long a migration waits for the lock of a table or a row. Statements that need the table wait behind it. */
const TABLE_LOCK_MS = 3000;
/** How long those statements then have the table, before the migration tries again. */
const TABLE_FREE_MS = 3000;

/**
 * A migration of a large table may take longer than anything else, so no timeout of the service, the database or its user applies.
 * `transaction_timeout` exists only in newer servers. A client that hangs loses the lock after a minute without a statement.
 */
const AT_BEGIN = `select set_config(name, '0', true) from pg_settings
  where name in ('statement_timeout', 'transaction_timeout');
  set local lock_timeout = ${TABLE_LOCK_MS};
  set local idle_in_transaction_session_timeout = '60s'`;

/** The database has another schema than this version can use. */
export class SchemaRefused extends DatabaseStartError {}

interface RunOptions {
  readonly url: string;
  readonly waitSeconds: number;
  readonly log: (message: string) => void;
}

/**
 * Runs the missing migrations, each in a transaction of its own. The lock is taken in this transaction, so it cannot outlive it, also
 * behind a pooler that shares connections; what another process has done meanwhile is seen under the lock.
 * @returns the names of the migrations that ran
 * @throws SchemaRefused, DatabaseStartError
 */
export async function runMigrations(options: DataSourceOptions, run: RunOptions): Promise<string[]> {
  const { responseTimeoutMs, addresses } = clientOptionsOf(options);
  let isSilent = false;
  const client: DatabaseClientConfig = {
    ...connectionOptions(run.url),
    application_name: 'tenkey-migrate',
    atBegin: AT_BEGIN,
    responseTimeoutMs,
    addresses,
    mayWaitLonger: async () => {
      isSilent = !(await isMigrating(run));
      return !isSilent;
    },
  };
  const dataSource = new DataSource({
    ...options,
    entities: [],
    poolSize: 1,
    extra: { ...client, connectionString: undefined, Client: DatabaseClient },
  } as DataSourceOptions);
  const done: string[] = [];
  try {
    await dataSource.initialize();
    for (const wait = new LockWait(run); ;) {
      const step = await nextMigration(dataSource);
      if (step === 'none') return done;
      if ('name' in step) {
        run.log(`Migration ${step.name} is done.`);
        done.push(step.name);
        wait.ended();
      } else {
        await wait.pause(step);
      }
    }
  } catch (error) {
    if (error instanceof DatabaseStartError || !isDatabaseUnavailable(error)) throw error;
    const reason = isSilent ? 'it does not respond, or has ended the migration' : reasonOf(error);
    throw new DatabaseStartError(
      `The database became unavailable while it was migrated: ${reason}. Start again when it responds: what was done is kept, and the rest follows.`,
    );
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}

/** A transaction that another process has open. */
interface Transaction {
  readonly pid: number;
  readonly application: string;
  readonly state: string | null;
  readonly seconds: number;
}

/** Why nothing was migrated. */
interface Blocked {
  /** `migration`: another process holds the lock of migrations. `table`: another transaction holds a lock that this migration needs. */
  readonly by: 'migration' | 'table';
  /** The holder of the lock, or the oldest transaction; undefined: it has just ended. */
  readonly holder: Transaction | undefined;
}

/**
 * Whether a migration still runs. Asked on another connection when the one that runs it has been silent. It runs if somebody holds the
 * lock of migrations: a server that was restarted responds as well, but has forgotten the migration. A database that does not respond is waited
 * for as long as at the start.
 */
async function isMigrating({ url, waitSeconds }: RunOptions): Promise<boolean> {
  for (const deadline = performance.now() + waitSeconds * 1000; ;) {
    const client = new DatabaseClient({
      ...connectionOptions(url),
      application_name: 'tenkey-migrate',
      responseTimeoutMs: CONNECT_MS,
    });
    try {
      await client.connect();
      const { rows } = await client.query(LOCK_HOLDER, [MIGRATION_LOCK]);
      return rows.length > 0;
    } catch {
      if (performance.now() >= deadline) return false;
    } finally {
      await client.end().catch(() => undefined);
    }
    await sleep(PAUSE_MS);
  }
}

/** Runs the first missing migration. */
async function nextMigration(dataSource: DataSource): Promise<{ readonly name: string } | Blocked | 'none'> {
  const runner = dataSource.createQueryRunner();
  let pending: readonly string[] = [];
  try {
    await runner.startTransaction();
    const [lock] = (await runner.query('select pg_try_advisory_xact_lock($1) as "isOurs"', [
      MIGRATION_LOCK,
    ])) as [{ isOurs: boolean }];
    const step = lock.isOurs
      ? await runFirst(runner, dataSource.migrations, (names) => (pending = names))
      : { by: 'migration' as const, holder: await firstOf(runner, LOCK_HOLDER, [MIGRATION_LOCK]) };
    await runner.commitTransaction();
    return step;
  } catch (error) {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
    if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE) {
      const fault = pending.length === 0 ? undefined : await migrationFaultOf(error, pending, runner);
      throw fault === undefined ? error : new SchemaRefused(fault, { cause: error });
    }
    return { by: 'table', holder: await firstOf(runner, OLDEST_TRANSACTION) };
  } finally {
    await runner.release();
  }
}

async function runFirst(
  runner: QueryRunner,
  migrations: DataSource['migrations'],
  onPending: (names: readonly string[]) => void,
): Promise<{ readonly name: string } | 'none'> {
  const named = migrations.map((migration) => ({
    migration,
    name: migration.name ?? migration.constructor.name,
  }));
  const state = await migrationState(
    runner.manager,
    named.map(({ name }) => name),
  );
  if (!isMigratable(state)) {
    const [finding] = migrationFindings(state);
    throw new SchemaRefused(`Cannot use the schema: ${finding!.text}. ${finding!.fix}`);
  }
  onPending(state.pending);
  const name = state.pending[0];
  if (name === undefined) return 'none';
  await runner.query(CREATE_TABLE);
  await named.find((each) => each.name === name)!.migration.up(runner);
  await runner.query('insert into migrations (timestamp, name, version) values ($1, $2, $3)', [
    name.slice(-13),
    name,
    version,
  ]);
  return { name };
}

async function firstOf(
  runner: QueryRunner,
  statement: string,
  parameters?: unknown[],
): Promise<Transaction | undefined> {
  const rows = (await runner.query(statement, parameters)) as Transaction[];
  return rows[0];
}

const TRANSACTION = `a.pid, a.application_name as application, a.state,
  extract(epoch from clock_timestamp() - coalesce(a.xact_start, a.state_change, a.backend_start))::int as seconds`;
const LOCK_HOLDER = `select ${TRANSACTION}
  from pg_locks l join pg_stat_activity a on a.pid = l.pid
  where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = $1 and l.objsubid = 1
    and l.database = (select oid from pg_database where datname = current_database())`;
const OLDEST_TRANSACTION = `select ${TRANSACTION}
  from pg_stat_activity a
  where a.datname = current_database() and a.pid <> pg_backend_pid() and a.xact_start is not null
  order by a.xact_start limit 1`;

/** Waiting for the process that holds the lock of migrations, or for a transaction that a migration must wait for. */
class LockWait {
  private since: number | undefined;
  private nextMessage = 0;

  constructor(private readonly options: Pick<RunOptions, 'waitSeconds' | 'log'>) {}

  /** A migration is done. */
  ended(): void {
    this.since = undefined;
  }

  /** @throws DatabaseStartError when it has taken too long */
  async pause({ by, holder }: Blocked): Promise<void> {
    const now = performance.now();
    this.since ??= now;
    const { waitSeconds, log } = this.options;
    const leftMs = waitSeconds * 1000 - (now - this.since);
    const who =
      holder === undefined
        ? 'one that has just ended'
        : `PostgreSQL process ${holder.pid}, application ${holder.application || 'without a name'}, ${holder.state ?? 'in an unknown state'} for ${holder.seconds} s`;
    if (leftMs <= 0) {
      const end =
        holder === undefined ? '' : ` If it hangs, end it with select pg_terminate_backend(${holder.pid});`;
      throw new DatabaseStartError(
        by === 'migration'
          ? `Gave up after ${waitSeconds} s: another process holds the lock of migrations (${who}). If it is migrating, start again when it is done, or raise DATABASE_WAIT_SECONDS.${end} If its state is idle, a connection pooler kept the connection of an earlier version.`
          : `Gave up after ${waitSeconds} s: a transaction holds a lock that the next migration needs. The oldest open one is ${who}. Start again when the transaction, such as a backup, has ended, or raise DATABASE_WAIT_SECONDS.`,
      );
    }
    if (now >= this.nextMessage) {
      const what =
        by === 'migration'
          ? `another process that migrates the database: ${who}`
          : `a transaction that holds a lock; the oldest open one is ${who}`;
      log(`Waiting for ${what}; at most ${Math.ceil(leftMs / 1000)} s more.`);
      this.nextMessage = now + MESSAGE_EVERY_MS;
    }
    await sleep(Math.min(by === 'migration' ? PAUSE_MS : TABLE_FREE_MS, leftMs));
  }
}
