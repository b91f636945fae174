import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key of one tenant's applications. The key itself is nowhere: of its text there is the hash, which a plain find never selects. */
@Entity({ name: 'tenant_keys' })
export class TenantKey {
  @PrimaryColumn('text')
  id: string;

  @Column('uuid', { name: 'tenant_id' })
  tenantId: string;

  @Column('text')
  name: string;

  @Column('text', { name: 'key_hash', select: false })
  keyHash: string;

  @Column('text', { name: 'key_hint' })
  keyHint: string;

  /** Null: every model. */
  @Column('text', { name: 'allowed_models', array: true, nullable: true })
  allowedModels: string[] | null;

  /** Null: no limit. */
  @Column('integer', { name: 'requests_per_minute', nullable: true })
  requestsPerMinute: number | null;

  /** Null: no limit. */
  @Column('integer', { name: 'tokens_per_minute', nullable: true })
  tokensPerMinute: number | null;

  /** Null: never. */
  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null;

  /** To the minute. */
  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt: Date | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
