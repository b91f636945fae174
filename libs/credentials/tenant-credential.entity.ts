import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One provider's fields for one tenant. Only the sealed key is secret, and a plain find never selects it. */
@Entity({ name: 'tenant_credentials' })
export class TenantCredential {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId: string;

  @PrimaryColumn('text')
  provider: string;

  @Column('text', { name: 'sealed_api_key', select: false })
  sealedApiKey: string;

  @Column('text', { name: 'key_hint' })
  keyHint: string;

  @Column('jsonb')
  settings: Record<string, unknown>;

  @Column('text', { name: 'key_id' })
  keyId: string;

  /** bigint as text: a value of one sequence, never reused. */
  @Column('bigint')
  version: string;

  @Column('text')
  seal: string;

  @Column('timestamptz', { name: 'configured_at', transformer: { from: timeOf, to: (time: Date) => time } })
  configuredAt: Date;
}

/** SQL has times that a Date has not (infinity, the year 290000). One row with such a time must not stop the list. */
function timeOf(value: unknown): Date {
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value : new Date(0);
}
