import { type EntityManager } from 'typeorm';
import { type AuditEvent, type UnsignedEvent } from '../audit-event.entity';

/**
 * An event exactly as the database has it. A Date holds only milliseconds and a JavaScript number only 53 bits, so they would
 * hide changes in the digits below.
 */
export interface StoredEvent extends Omit<AuditEvent, 'at' | 'details'> {
  /** Milliseconds since 1970 as a decimal, or `Infinity`. */
  readonly atMs: string;
  /** JSON, as jsonb writes it: without exponents. */
  readonly details: string;
}

/**
 * The next events in the order of their numbers.
 * @param after the number of the last event that was read; undefined: start with the first
 */
export function storedEvents(
  transaction: EntityManager,
  after: string | undefined,
  limit: number,
): Promise<StoredEvent[]> {
  return transaction.query<StoredEvent[]>(
    `select e.seq::text, (extract(epoch from at) * 1000)::text as "atMs", actor, action, outcome, tenant_id as "tenantId",
       provider, details::text, request_id as "requestId", address, key_id as "encryptionKeyId", hash
     from audit_events e where $1::bigint is null or e.seq > $1 order by e.seq limit $2`,
    [after ?? null, limit],
  );
}

/** The event that was hashed; undefined when the database holds a value that Tenkey does not write. */
export function eventOf({ atMs, details, ...stored }: StoredEvent): UnsignedEvent | undefined {
  const at = /^-?\d+(\.0*)?$/.test(atMs) ? new Date(Number(atMs)) : undefined;
  if (at === undefined || Number.isNaN(at.getTime())) return undefined;
  if (!numbersOf(details).every(isExact)) return undefined;
  return { ...stored, at, details: JSON.parse(details) as Record<string, unknown> };
}

/** The numbers in a JSON text, without digits inside strings. */
function numbersOf(json: string): string[] {
  return [...json.matchAll(/"(?:[^"\\]+|\\.)*"|(-?\d[\d.]*)/g)].flatMap(([, number]) => number ?? []);
}

/** True when JavaScript writes the number in the same way, so that reading it loses no digit. */
function isExact(number: string): boolean {
  const written = String(Number(number));
  return number === written || number === withoutExponent(written);
}

/** Numbers such as 1e+21 and 1.5e-7 in the form in which the database writes them. */
function withoutExponent(written: string): string {
  const [, sign = '', first = '', rest = '', exponent = '0'] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(written) ?? [];
  const places = Number(exponent);
  const digits = first + rest;
  return sign + (places < 0 ? `0.${'0'.repeat(-places - 1)}${digits}` : digits.padEnd(places + 1, '0'));
}
