import { type EntityManager } from 'typeorm';
import { type AuditEvent, type UnsignedEvent } from './audit-event.entity';

/**
 * An event as the database has it, to the last digit. A Date ends at milliseconds and a number of JavaScript at 53 bits, so
 * that what was changed below them would not be seen.
 */
export interface StoredEvent extends Omit<AuditEvent, 'at' | 'details'> {
  /** Milliseconds since 1970 as a decimal, or `Infinity`. */
  readonly atMs: string;
  /** JSON, as jsonb writes it: without exponents. */
  readonly details: string;
}

/**
 * The next events of the chain, whatever their numbers.
 * @param after the number of the last one before them; undefined: from the very first
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

/** What was hashed; undefined when the database holds something else than that. */
export function eventOf({ atMs, details, ...stored }: StoredEvent): UnsignedEvent | undefined {
  const at = /^-?\d+(\.0*)?$/.test(atMs) ? new Date(Number(atMs)) : undefined;
  if (at === undefined || Number.isNaN(at.getTime())) return undefined;
  if (!numbersOf(details).every(isExact)) return undefined;
  return { ...stored, at, details: JSON.parse(details) as Record<string, unknown> };
}

/** The numbers of a JSON text, which stand outside its strings. */
function numbersOf(json: string): string[] {
  return [...json.matchAll(/"(?:[^"\\]+|\\.)*"|(-?\d[\d.]*)/g)].flatMap(([, number]) => number ?? []);
}

/** True when JavaScript would write just this number, so that reading it loses nothing. */
function isExact(number: string): boolean {
  const written = String(Number(number));
  return number === written || number === withoutExponent(written);
}

/** 1e+21 and 1.5e-7 as the database writes them. */
function withoutExponent(written: string): string {
  const [, sign = '', first = '', rest = '', exponent = '0'] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(written) ?? [];
  const places = Number(exponent);
  const digits = first + rest;
  return sign + (places < 0 ? `0.${'0'.repeat(-places - 1)}${digits}` : digits.padEnd(places + 1, '0'));
}
