import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Scope } from '#http';
import { type SysadminKey } from '../issued-keys.entity';

/**
 * A session of the console. What it opens is not stored: that is what the key opens from which it comes. This origin is either a
 * sysadmin key or a super key, and the table allows no other and no two.
 */
@Entity({ name: 'sysadmin_sessions' })
export class SysadminSession {
  @PrimaryColumn('text')
  id: string;

  @Column('text', { name: 'token_hash', select: false })
  tokenHash: string;

  /** The sysadmin key that was exchanged; null: a super key. A deleted key takes its sessions with it. */
  @Column('text', { name: 'sysadmin_key_id', nullable: true })
  sysadminKeyId: string | null;

  /** The scopes of the sysadmin key when it was exchanged. If it loses one, the session ends. */
  @Column('text', { array: true, nullable: true })
  scopes: Scope[] | null;

  /** The `proofOf` the super key that was exchanged. */
  @Column('text', { name: 'key_proof', nullable: true, select: false })
  keyProof: string | null;

  /** At most a minute before the last use that one process knows of, and two before the last use in any. */
  @Column('timestamptz', { name: 'last_used_at' })
  lastUsedAt: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  /** No column: a look-up adds the row of `sysadminKeyId` as it is now. */
  key?: SysadminKey | null;
}
