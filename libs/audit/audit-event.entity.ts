import { Column, Entity, PrimaryColumn } from 'typeorm';
import { timeColumn } from '#database';

export const auditOutcomes = ['done', 'refused'] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];

/** A change, or a refused attempt at one. Never updated or deleted: the database refuses that, and the chain reveals it. */
@Entity({ name: 'audit_events' })
export class AuditEvent {
  /** bigint as text: 1, 2, 3, without a gap. */
  @PrimaryColumn('bigint')
  seq: string;

  @Column('timestamptz', { transformer: timeColumn })
  at: Date;

  /** The key that was used, by kind and fingerprint or name; never the key itself. */
  @Column('text')
  actor: string;

  /** What was done or attempted: `credential.set`, `tenant.delete` ... */
  @Column('text')
  action: string;

  @Column('text')
  outcome: AuditOutcome;

  @Column('uuid', { name: 'tenant_id', nullable: true })
  tenantId: string | null;

  @Column('text', { nullable: true })
  provider: string | null;

  /** Masks, versions and similar values, before and after. */
  @Column('jsonb', { transformer: { from: detailsOf, to: (details: object) => details } })
  details: Record<string, unknown>;

  @Column('text', { name: 'request_id' })
  requestId: string;

  @Column('text')
  address: string;

  /** Fingerprint of the encryption key that the hash was computed with; null: a plain hash. */
  @Column('text', { name: 'key_id', nullable: true })
  encryptionKeyId: string | null;

  /** Covers this event and the hash of the previous one. */
  @Column('text')
  hash: string;
}

/** What the hash is computed from, together with the previous hash. */
export type UnsignedEvent = Omit<AuditEvent, 'hash'>;

/** Deeper than any details that Tenkey writes, and not so deep that writing them as JSON could fail. */
const MAXIMUM_DEPTH = 50;

/** Replaces details that cannot be written as JSON, so that the event can be listed. `verify` reports what is wrong with it. */
function detailsOf(value: unknown): Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || isDeeper(value, MAXIMUM_DEPTH)) return { unreadable: true };
  return value as Record<string, unknown>;
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((item) => isDeeper(item, depth - 1));
}
