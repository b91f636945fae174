import { createHash, timingSafeEqual } from 'node:crypto';
import { canonicalJson, type FernetService, signingPurposes } from '#crypto';
import { type UnsignedEvent } from '../audit-event.entity';
import { eventOf, type StoredEvent } from './stored-event';

/** The number of the first event. There are no gaps after it. */
export const FIRST = 1n;

/**
 * The hash that links an event to the previous one: an HMAC under a key derived from the encryption key, so that write access
 * to the database is not enough to forge one. Without an encryption key it is a plain SHA-256, which only reveals accidental
 * changes.
 * @param previous the hash of the previous event, `''` for the first
 */
export function hashOf(fernet: FernetService, event: UnsignedEvent, previous: string): string {
  const parts = partsOf(event, previous);
  if (event.encryptionKeyId !== null) return fernet.mac(event.encryptionKeyId, signingPurposes.audit, parts);
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** The state of a verification after an event. */
export interface ReadSoFar {
  readonly seq: bigint;
  readonly hash: string;
  /** True when some event so far has been hashed with an encryption key. */
  readonly hasKeyed: boolean;
}

/** Before the first event. */
export const NOTHING: ReadSoFar = { seq: 0n, hash: '', hasKeyed: false };

/** The state after an event. */
export function nextOf({ hasKeyed }: ReadSoFar, { seq, hash, encryptionKeyId }: StoredEvent): ReadSoFar {
  return { seq: BigInt(seq), hash, hasKeyed: hasKeyed || encryptionKeyId !== null };
}

/** The fault of an event whose encryption key is not loaded, and whose derived key was not kept. */
export const isOfMissingKey = (fault: string): boolean => fault.startsWith(uncheckable);
const uncheckable = 'cannot be checked';

/** What is wrong with an event, as `cli audit verify` prints it; undefined when it is correct. */
export function faultOf(fernet: FernetService, stored: StoredEvent, previous: ReadSoFar): string | undefined {
  const seq = BigInt(stored.seq);
  if (seq < FIRST) return `has a number below ${FIRST}, which Tenkey does not assign`;
  if (seq !== previous.seq + 1n) {
    const [from, to] = [previous.seq + 1n, seq - 1n];
    return from === to ? `event ${from} is missing` : `events ${from} to ${to} are missing`;
  }
  if (stored.encryptionKeyId === null && previous.hasKeyed) {
    return 'was made without ENCRYPTION_KEY after events that were made with one; write access to the database is enough to make such an event';
  }
  if (stored.encryptionKeyId !== null && !fernet.canVerify(stored.encryptionKeyId)) {
    return `${uncheckable}: encryption key ${stored.encryptionKeyId} is not loaded`;
  }
  try {
    const event = eventOf(stored);
    if (event === undefined) return 'was changed: it contains a time or a number that Tenkey does not write';
    const expected = Buffer.from(hashOf(fernet, event, previous.hash));
    const found = Buffer.from(stored.hash);
    const fits = found.length === expected.length && timingSafeEqual(found, expected);
    return fits ? undefined : 'was changed or moved, or does not follow the event before it';
  } catch (error) {
    // For example when it is nested thousands deep. One such event must not stop the verification.
    return `was changed: it cannot be read (${(error as Error).name})`;
  }
}

function partsOf(event: UnsignedEvent, previous: string): string[] {
  return [
    previous,
    event.seq,
    event.at.toISOString(),
    event.actor,
    event.action,
    event.outcome,
    // As JSON, null and an empty text differ.
    JSON.stringify([event.tenantId, event.provider, event.encryptionKeyId]),
    canonicalJson(event.details),
    event.requestId,
    event.address,
  ];
}
