import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Scope } from '#http';

// Columns that both tables have. The key itself is in neither: only its hash is stored, which a plain find does not select.
const HashColumn = Column('text', { name: 'key_hash', select: false });
const MaskColumn = Column('text', { name: 'key_hint' });
/** Null: never. */
const ExpiryColumn = Column('timestamptz', { name: 'expires_at', nullable: true });
/** To the minute. Null: not used yet. */
const LastUseColumn = Column('timestamptz', { name: 'last_used_at', nullable: true });
const CreationColumn = Column('timestamptz', { name: 'created_at' });

/** A key of one tenant's applications. */
@Entity({ name: 'tenant_keys' })
export class TenantKey {
  @PrimaryColumn('text')
  id: string;

  @Column('uuid', { name: 'tenant_id' })
  tenantId: string;

  @Column('text')
  name: string;

  @HashColumn
  keyHash: string;

  @MaskColumn
  mask: string;

  /** Null: every model. */
  @Column('text', { name: 'allowed_models', array: true, nullable: true })
  allowedModels: string[] | null;

  /** Null: no limit. */
  @Column('integer', { name: 'requests_per_minute', nullable: true })
  requestsPerMinute: number | null;

  /** Null: no limit. */
  @Column('integer', { name: 'tokens_per_minute', nullable: true })
  tokensPerMinute: number | null;

  @ExpiryColumn
  expiresAt: Date | null;

  @LastUseColumn
  lastUsedAt: Date | null;

  @CreationColumn
  createdAt: Date;
}

/** A sysadmin key with scopes. */
@Entity({ name: 'sysadmin_keys' })
export class SysadminKey {
  @PrimaryColumn('text')
  id: string;

  @Column('text')
  name: string;

  @HashColumn
  keyHash: string;

  @MaskColumn
  mask: string;

  @Column('text', { array: true })
  scopes: Scope[];

  /** Null: all. Empty: none, since all of its tenants were deleted. No foreign keys: a tenant's deletion removes its id. */
  @Column('uuid', { name: 'tenant_ids', array: true, nullable: true })
  tenantIds: string[] | null;

  @ExpiryColumn
  expiresAt: Date | null;

  @LastUseColumn
  lastUsedAt: Date | null;

  @CreationColumn
  createdAt: Date;
}
