import { type EntityManager } from 'typeorm';

/** What a database server says about itself and about the connection. */
export interface ServerFacts {
  readonly version: string;
  /** Such as 150018 for version 15.18. */
  readonly versionNumber: number;
  readonly isReplica: boolean;
  /** The database or its user begins every transaction read-only. */
  readonly isReadOnly: boolean;
  /** Unless it is `origin`, triggers and foreign keys do nothing. */
  readonly replicationRole: string;
  /** Whether a commit is on the disk when it is confirmed. */
  readonly isDurable: boolean;
  readonly size: string;
  /** How many connections the user of this one may open, as far as the server knows. */
  readonly maximumConnections: number;
  readonly connections: number;
  readonly hasTls: boolean;
  /** False for a socket and for a loopback address. */
  readonly isOverNetwork: boolean;
  /** How far the server's clock is ahead of this machine's; negative when it is behind. */
  readonly clockAheadMs: number;
}

/** The oldest version of PostgreSQL that Tenkey works with, in the form of `versionNumber`. */
export const OLDEST_SERVER = 150_000;

export async function serverFacts(manager: EntityManager): Promise<ServerFacts> {
  const [facts] = await manager.query<Omit<ServerFacts, 'clockAheadMs'>[]>(
    `select current_setting('server_version') as version,
       current_setting('server_version_num')::int as "versionNumber",
       pg_is_in_recovery() as "isReplica",
       current_setting('default_transaction_read_only')::boolean as "isReadOnly",
       current_setting('session_replication_role') as "replicationRole",
       current_setting('fsync')::boolean and current_setting('full_page_writes')::boolean as "isDurable",
       pg_size_pretty(pg_database_size(current_database())) as size,
       least(
         current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
         (select nullif(datconnlimit, -1) from pg_database where datname = current_database()),
         (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user)
       ) as "maximumConnections",
       (select sum(numbackends)::int from pg_stat_database) as connections,
       coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as "hasTls",
       coalesce(not (inet_server_addr() <<= '127.0.0.0/8' or inet_server_addr() = '::1'), false) as "isOverNetwork"`,
  );
  return { ...facts!, clockAheadMs: await clockAhead(manager) };
}

/** Of several measurements the one that took the shortest time: its error is at most half of that time. */
async function clockAhead(manager: EntityManager): Promise<number> {
  let best = { tookMs: Infinity, aheadMs: 0 };
  for (let times = 0; times < 3; times += 1) {
    const sentMs = Date.now();
    const [row] = await manager.query<{ ms: number }[]>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
    );
    const receivedMs = Date.now();
    const tookMs = receivedMs - sentMs;
    if (row !== undefined && tookMs < best.tookMs) {
      best = { tookMs, aheadMs: Math.round(row.ms - (sentMs + receivedMs) / 2) };
    }
  }
  return best.aheadMs;
}
