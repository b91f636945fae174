import { type DataSource, type EntityManager } from 'typeorm';
import { type LimitedKey } from './minute-window';

/** What a limit counts. */
export type Unit = 'requests' | 'tokens';

/** What a process tells a common window, and asks of it. */
export interface WindowRequest extends LimitedKey {
  readonly unit: Unit;
  readonly limit: number;
  /** Less than this is of no use. */
  readonly least: number;
  readonly most: number;
  /** What was used, or given back if it is negative, in which second of the database. */
  readonly corrections: readonly (readonly [second: number, amount: number])[];
}

export interface WindowReply {
  /** What was left of the limit before anything was granted; negative: more than the limit is used. */
  readonly available: number;
  readonly granted: number;
  /** The second of the database in which it was granted. */
  readonly second: number;
  /** The use of each second, the newest last; null: everything was granted. */
  readonly amounts: readonly number[] | null;
}

/** Undefined: the key was deleted. Locked: another transaction holds the window, and nothing was changed. */
export type Reply = WindowReply | 'locked' | undefined;

/** @returns a reply for each request */
export type AskWindows = (requests: readonly WindowRequest[]) => Promise<Reply[]>;

type ReplyRow = { readonly place: number } & (WindowReply | { readonly available: null });

/** The common windows in the database. One statement is one transaction, which locks the rows in the order of the requests. */
export function commonWindows(dataSource: DataSource): AskWindows {
  return async (requests) => {
    const rows = await dataSource.query<ReplyRow[]>(
      `select place, available::float8 as available, granted::float8 as granted, second::float8 as second,
         amounts::float8[] as amounts
       from take_from_limit_windows($1::jsonb)`,
      [JSON.stringify(requests)],
    );
    const replies = new Map<number, Reply>(
      rows.map((row) => [row.place, row.available === null ? 'locked' : row]),
    );
    return requests.map((_, index) => replies.get(index + 1));
  };
}

/**
 * Locks what the deletion of keys deletes, so that it cannot deadlock with processes that ask for these windows: the windows in the
 * order in which a statement locks them, and the keys before, so that no window is added.
 * @param tenantKeyId undefined: all keys of the tenant
 */
export async function lockWindows(
  transaction: EntityManager,
  tenantId: string,
  tenantKeyId?: string,
): Promise<void> {
  await transaction.query(
    `select from tenant_keys where tenant_id = $1 and ($2::text is null or id = $2) order by id for update`,
    [tenantId, tenantKeyId],
  );
  await transaction.query(
    `select from limit_windows where tenant_id = $1 and ($2::text is null or tenant_key_id = $2)
     order by tenant_key_id collate "C", unit for update`,
    [tenantId, tenantKeyId],
  );
}

/** Deletes the windows whose minute is long over, by the time of the database. */
export async function sweepWindows(dataSource: DataSource): Promise<void> {
  await dataSource.query(
    `delete from limit_windows where (tenant_id, tenant_key_id, unit) in (
       select tenant_id, tenant_key_id, unit from limit_windows
       where second < extract(epoch from now()) - 300 for update skip locked)`,
  );
}
