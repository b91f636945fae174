import { type EntityManager } from 'typeorm';
import { FIRST, type ReadSoFar } from './audit-chain';

/** The action of the event that records the deletion of the oldest events. It is a part of the chain, and signed like all of it. */
export const EXPIRE = 'audit.expire';

/** What the chain was up to the last deleted event. */
export interface Checkpoint {
  /** The number of the event that holds it. */
  readonly seq: string;
  /** What a verification would have read before the first event that is kept. */
  readonly before: ReadSoFar;
  /** How many events were deleted in all, and how many of them were made without an encryption key. */
  readonly events: number;
  readonly plain: number;
}

/** The details of the event. */
export function detailsOfCheckpoint(before: ReadSoFar, plain: number): Record<string, unknown> {
  return { through: String(before.seq), hash: before.hash, has_keyed: before.hasKeyed, plain };
}

/**
 * The newest checkpoint that says what was before the first event that is kept; undefined if nothing was deleted, or nothing says so.
 * One without an encryption key says nothing, because write access to the database is enough to make it. The hash of the one that is
 * returned is not checked here.
 */
export async function checkpointOf(transaction: EntityManager): Promise<Checkpoint | undefined> {
  const [first] = await transaction.query<{ seq: string }[]>(
    'select seq::text from audit_events e where e.seq >= $1 order by e.seq limit 1',
    [String(FIRST)],
  );
  if (first === undefined || BigInt(first.seq) === FIRST) return undefined;
  const through = String(BigInt(first.seq) - 1n);
  const [row] = await transaction.query<
    { seq: string; hash: unknown; keyed: boolean; plain: string | null }[]
  >(
    `select seq::text, details ->> 'hash' as hash, details -> 'has_keyed' = 'true'::jsonb as keyed, details ->> 'plain' as plain
     from audit_events where action = $1 and outcome = 'done' and details ->> 'through' = $2 and key_id is not null
     order by audit_events.seq desc limit 1`,
    [EXPIRE, through],
  );
  if (row === undefined || typeof row.hash !== 'string') return undefined;
  const before = { seq: BigInt(through), hash: row.hash, hasKeyed: row.keyed };
  return { seq: row.seq, before, events: Number(through), plain: Number(row.plain ?? 0) };
}

/** When the first event that is kept was recorded, if older ones were deleted. */
export async function keptSince(manager: EntityManager): Promise<Date | undefined> {
  const [first] = await manager.query<{ seq: string; at: Date }[]>(
    'select seq::text, at from audit_events order by audit_events.seq limit 1',
  );
  return first === undefined || BigInt(first.seq) <= FIRST ? undefined : first.at;
}
