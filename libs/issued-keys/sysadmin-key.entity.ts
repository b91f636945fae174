import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Scope } from '#http';

/** A sysadmin key with scopes. The key itself is nowhere: of its text there is the hash, which a plain find never selects. */
@Entity({ name: 'sysadmin_keys' })
export class SysadminKey {
  @PrimaryColumn('text')
  id: string;

  @Column('text')
  name: string;

  @Column('text', { name: 'key_hash', select: false })
  keyHash: string;

  @Column('text', { name: 'key_hint' })
  keyHint: string;

  @Column('text', { array: true })
  scopes: Scope[];

  /** Null: all. Empty: none, since all of its tenants were deleted. Not references: the deletion takes the id out. */
  @Column('uuid', { name: 'tenant_ids', array: true, nullable: true })
  tenantIds: string[] | null;

  /** Null: never. */
  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null;

  /** To the minute. */
  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt: Date | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
