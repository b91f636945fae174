import { Column, Entity, PrimaryColumn } from 'typeorm';

export type AuditOutcome = 'done' | 'refused';

/** One change, or one that was refused. Never updated or deleted: the database refuses it, and the chain shows it. */
@Entity({ name: 'audit_events' })
export class AuditEvent {
  /** bigint as text: 1, 2, 3, without a gap. */
  @PrimaryColumn('bigint')
  seq: string;

  @Column('timestamptz', { transformer: { from: timeOf, to: (at: Date) => at } })
  at: Date;

  /** Which key, by kind and fingerprint or name; never the key. */
  @Column('text')
  actor: string;

  /** What was done, or asked for: `credential.set`, `tenant.delete` ... */
  @Column('text')
  action: string;

  @Column('text')
  outcome: AuditOutcome;

  @Column('uuid', { name: 'tenant_id', nullable: true })
  tenantId: string | null;

  @Column('text', { nullable: true })
  provider: string | null;

  /** Masks, versions and the like, before and after. */
  @Column('jsonb', { transformer: { from: detailsOf, to: (details: object) => details } })
  details: Record<string, unknown>;

  @Column('text', { name: 'request_id' })
  requestId: string;

  @Column('text')
  address: string;

  /** Fingerprint of the encryption key that the hash is made under; null: a plain hash. */
  @Column('text', { name: 'key_id', nullable: true })
  encryptionKeyId: string | null;

  /** Of this event and the hash before it. */
  @Column('text')
  hash: string;
}

/** What its hash is made of. */
export type UnsignedEvent = Omit<AuditEvent, 'hash'>;

/** Deeper than any that Tenkey writes, and no depth at which writing it as JSON could fail. */
const MAXIMUM_DEPTH = 50;

/** SQL has times that a Date has not (infinity, the year 290000). One event that was given such a time must not stop a list. */
function timeOf(value: unknown): Date {
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value : new Date(0);
}

/** The same for details that no JSON can be made of. `verify` says what is wrong with the event. */
function detailsOf(value: unknown): Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || isDeeper(value, MAXIMUM_DEPTH)) return { unreadable: true };
  return value as Record<string, unknown>;
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((item) => isDeeper(item, depth - 1));
}
