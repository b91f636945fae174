import { Column, Entity, PrimaryColumn } from 'typeorm';

export type AuditOutcome = 'done' | 'refused';

/** One change, or one that was refused. Never updated or deleted: the database refuses it, and the chain shows it. */
@Entity({ name: 'audit_events' })
export class AuditEvent {
  /** bigint as text: 1, 2, 3, without a gap. */
  @PrimaryColumn('bigint')
  seq: string;

  @Column('timestamptz')
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
  @Column('jsonb')
  details: Record<string, unknown>;

  @Column('text', { name: 'request_id' })
  requestId: string;

  @Column('text')
  address: string;

  /** Fingerprint of the encryption key that the hash is made under; null: a plain hash. */
  @Column('text', { name: 'key_id', nullable: true })
  keyId: string | null;

  /** Of this event and the hash before it. */
  @Column('text')
  hash: string;
}
