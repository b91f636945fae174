import { createHash, timingSafeEqual } from 'node:crypto';
import { canonicalJson, type FernetService } from '#crypto';
import { type AuditEvent } from './audit-event.entity';

const purpose = 'tenkey audit chain v1';

/** What a hash is made of: the event without its own hash. */
export type UnsignedEvent = Omit<AuditEvent, 'hash'>;

/**
 * The link of one event to the one before it: HMAC under a key derived from the encryption key, so that whoever can only
 * write to the database cannot make one; without an encryption key a plain SHA-256, which only shows carelessness.
 * @param previous the hash of the event before, `''` for the first
 */
export function hashOf(fernet: FernetService, event: UnsignedEvent, previous: string): string {
  const parts = partsOf(event, previous);
  if (event.keyId !== null) return fernet.mac(event.keyId, purpose, parts);
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** How far a verification has come. */
export interface ReadSoFar {
  readonly seq: bigint;
  readonly hash: string;
  /** An event before was made with an encryption key. */
  readonly hasKeyed: boolean;
}

/** What is wrong with an event, or undefined: what `cli audit verify` says of it. */
export function faultOf(fernet: FernetService, event: AuditEvent, previous: ReadSoFar): string | undefined {
  const seq = BigInt(event.seq);
  if (seq !== previous.seq + 1n) {
    const [from, to] = [previous.seq + 1n, seq - 1n];
    return from === to ? `event ${from} is missing` : `events ${from} to ${to} are missing`;
  }
  if (event.keyId === null && previous.hasKeyed) {
    return 'was made without ENCRYPTION_KEY after events that were made with one; whoever can write to the database can make such an event';
  }
  if (event.keyId !== null && !fernet.hasKey(event.keyId)) {
    return `cannot be checked: encryption key ${event.keyId} is not loaded`;
  }
  const expected = Buffer.from(hashOf(fernet, event, previous.hash));
  const stored = Buffer.from(event.hash);
  const fits = stored.length === expected.length && timingSafeEqual(stored, expected);
  return fits ? undefined : 'was changed or moved, or does not follow the event before it';
}

function partsOf(event: UnsignedEvent, previous: string): string[] {
  return [
    previous,
    event.seq,
    event.at.toISOString(),
    event.actor,
    event.action,
    event.outcome,
    // JSON, so that nothing and an empty text differ.
    JSON.stringify([event.tenantId, event.provider, event.keyId]),
    canonicalJson(event.details),
    event.requestId,
    event.address,
  ];
}
