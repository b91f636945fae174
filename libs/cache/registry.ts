import { type DataSource, type EntityManager } from 'typeorm';
import { type RegisteredProcess } from './confirmation';

/** Runs a statement on some connection. Both node-postgres and TypeORM can. */
export type Query = <Row>(statement: string, parameters: readonly unknown[]) => Promise<Row[]>;

/** Runs statements on the connections of the pool. */
export function pooledQuery(dataSource: DataSource): Query {
  return (statement, parameters) => dataSource.query(statement, [...parameters]);
}

/** Where changes and registrations are announced. The database itself announces the changes. */
export const CHANGES_CHANNEL = 'tenkey_changes';

/** The newest form of credentials' seals that this version can verify. */
export const NEWEST_SEAL_FORM = 2;

/** What a process can open and verify. */
export interface Abilities {
  readonly id: string;
  /** The ids of the encryption keys that it has loaded. */
  readonly encryptionKeyIds: readonly string[];
  readonly sealForm: number;
}

/** What the database says when a process registers or renews. */
export interface Standing {
  /** The number of the last change. */
  readonly number: number;
  /** The time of the database, in milliseconds since 1970. */
  readonly databaseMs: number;
  /** How many processes are registered. */
  readonly processes: number;
}

interface StandingRow {
  readonly number: string;
  readonly database_ms: number;
  readonly processes: number;
}

const standing = `h.number::text as number, (extract(epoch from clock_timestamp()) * 1000)::float8 as database_ms`;

const REGISTERED = 'registered ';

/** The id of the process whose registration a notification announces; undefined for any other payload. */
export function registeredId(payload: string): string | undefined {
  return payload.startsWith(REGISTERED) ? payload.slice(REGISTERED.length) : undefined;
}

/**
 * Registers a process under a new id, with the current number as confirmed, in place of its earlier registrations. A process that may
 * have been the only one is notified of it. All others know already that there are several.
 */
export async function register(
  query: Query,
  process: {
    readonly id: string;
    readonly earlierIds: readonly string[];
    readonly leaseMs: number;
    readonly encryptionKeyIds: readonly string[];
  },
): Promise<Standing> {
  const [row] = await query<StandingRow>(
    `with earlier as (delete from registered_processes where id = any($2)),
       registered as (
         insert into registered_processes (id, lease_ms, renewals, confirmed, encryption_keys, seal_form, renewed_at)
         select $1, $3, 0, number, $4, $5, clock_timestamp() from change_head where id = 1),
       others as (select count(*)::int as count from registered_processes where id <> all($2))
     select ${standing}, o.count + 1 as processes, case when o.count < 2 then pg_notify($6, $7) end
     from change_head h, others o where h.id = 1`,
    [
      process.id,
      process.earlierIds,
      process.leaseMs,
      process.encryptionKeyIds,
      NEWEST_SEAL_FORM,
      CHANGES_CHANNEL,
      REGISTERED + process.id,
    ],
  );
  return standingOf(row);
}

/** @returns undefined when the process is not registered any more */
export async function renew(query: Query, id: string, confirmed: number): Promise<Standing | undefined> {
  const [row] = await query<StandingRow>(
    // The number may have been set back. Nothing that is still to come counts as confirmed.
    `with renewed as (
       update registered_processes p
       set renewals = renewals + 1, confirmed = least($2, h.number), renewed_at = clock_timestamp()
       from change_head h where p.id = $1 and h.id = 1
       returning ${standing}, (select count(*)::int from registered_processes) as processes)
     select number, database_ms, processes from renewed`,
    [id, confirmed],
  );
  return row && standingOf(row);
}

/** The number of the last change, and every registered process. */
export async function readRegistry(
  query: Query,
): Promise<{ number: number; processes: RegisteredProcess[] }> {
  const rows = await query<{
    number: string;
    id: string | null;
    lease_ms: number;
    renewals: string;
    confirmed: string;
  }>(
    `select h.number::text as number, p.id, p.lease_ms, p.renewals::text, p.confirmed::text
     from change_head h left join registered_processes p on true where h.id = 1`,
    [],
  );
  const processes = rows.flatMap(({ id, lease_ms: leaseMs, renewals, confirmed }) =>
    id === null ? [] : [{ id, leaseMs, renewals: Number(renewals), confirmed: Number(confirmed) }],
  );
  return { number: Number(rows[0]?.number ?? 0), processes };
}

/**
 * Keeps processes from registering, and from renewing, until the transaction is committed.
 * @returns what each registered process can do
 */
export async function lockedRegistry(transaction: EntityManager): Promise<Abilities[]> {
  await transaction.query('lock table registered_processes in share row exclusive mode');
  return readAbilities(transaction);
}

/** What each registered process can do. */
export async function readAbilities(manager: EntityManager): Promise<Abilities[]> {
  const rows = await manager.query<{ id: string; encryption_keys: string[]; seal_form: number }[]>(
    'select id, encryption_keys, seal_form from registered_processes',
  );
  return rows.map((row) => ({ id: row.id, encryptionKeyIds: row.encryption_keys, sealForm: row.seal_form }));
}

/** A process as one look at the registry shows it. */
export interface ProcessState extends Abilities {
  /** 0: it caches nothing. */
  readonly leaseMs: number;
  readonly renewals: number;
  readonly registeredAt: Date;
  /** Null for a process of an earlier version, which does not note it. */
  readonly renewedAt: Date | null;
  /** True when it has not renewed in time, so that it has no lease any more; null when that cannot be told. */
  readonly isSilent: boolean | null;
  /** How many of the last changes it has not confirmed. Null without a lease: it caches nothing that could be old. */
  readonly changesBehind: number | null;
}

/** The state of every registered process, those that started first at the beginning. It compares times of the database alone, and waits for nothing. */
export async function readProcesses(manager: EntityManager): Promise<ProcessState[]> {
  const rows = await manager.query<
    {
      id: string;
      lease_ms: number;
      renewals: string;
      registered_at: Date;
      renewed_at: Date | null;
      silent_ms: number | null;
      behind: string | null;
      encryption_keys: string[];
      seal_form: number;
    }[]
  >(
    `select p.id, p.lease_ms, p.renewals::text, p.registered_at, p.renewed_at, p.encryption_keys, p.seal_form,
       (extract(epoch from clock_timestamp() - p.renewed_at) * 1000)::float8 as silent_ms,
       greatest(0, h.number - p.confirmed)::text as behind
     from registered_processes p left join change_head h on h.id = 1 order by p.registered_at, p.id`,
  );
  return rows.map((row) => ({
    id: row.id,
    leaseMs: row.lease_ms,
    renewals: Number(row.renewals),
    registeredAt: row.registered_at,
    renewedAt: row.renewed_at,
    isSilent: row.silent_ms === null ? null : row.silent_ms > silentAfterMs(row.lease_ms),
    changesBehind: row.lease_ms === 0 || row.behind === null ? null : Number(row.behind),
    encryptionKeyIds: row.encryption_keys,
    sealForm: row.seal_form,
  }));
}

/**
 * After which time without a renewal a process is silent. With a lease, that lease has then expired; the tenth allows for clocks that run
 * differently. A process without a lease renews its registration every five seconds.
 */
export function silentAfterMs(leaseMs: number): number {
  return leaseMs === 0 ? 6000 : leaseMs * 1.1;
}

/** Removes a process that has not renewed, unless it has just done so. */
export async function removeSilent(query: Query, { id, renewals }: RegisteredProcess): Promise<void> {
  await query('delete from registered_processes where id = $1 and renewals = $2', [id, renewals]);
}

/** Whether the database can store more than it has: it stores something large, and takes it back. @throws as a change would */
export async function tryToStore(dataSource: DataSource): Promise<void> {
  const taken = new Error('taken back');
  await dataSource
    .transaction(async (transaction) => {
      await transaction.query(
        `insert into registered_processes (id, lease_ms, renewals, confirmed, encryption_keys, seal_form)
         select gen_random_uuid(), 0, 0, 0, array(select gen_random_uuid()::text from generate_series(1, 5000)), $1`,
        [NEWEST_SEAL_FORM],
      );
      throw taken;
    })
    .catch((error: unknown) => {
      if (error !== taken) throw error;
    });
}

/** Removes the registrations of a process that stops. */
export async function deregister(query: Query, ids: readonly string[]): Promise<void> {
  await query('delete from registered_processes where id = any($1)', [ids]);
}

function standingOf(row: StandingRow | undefined): Standing {
  if (row === undefined) throw new Error('the row of change_head is missing');
  return { number: Number(row.number), databaseMs: row.database_ms, processes: row.processes };
}
