import { Column, Entity, PrimaryColumn } from 'typeorm';
import { optionalTimeColumn, timeColumn } from '#database';

/** The one row that names the encryption key that seals, with a text that only this key opens: the canary. */
@Entity({ name: 'encryption_canary' })
export class SealingState {
  @PrimaryColumn('integer')
  id: number;

  /** The oldest form of seals that is accepted. */
  @Column('smallint', { name: 'least_seal_form' })
  leastSealForm: number;

  /** The form of the seals that are made. */
  @Column('smallint', { name: 'seal_form', select: false })
  sealForm: number;

  @Column('text', { name: 'key_id', select: false })
  encryptionKeyId: string;

  @Column('text', { name: 'sealed', select: false })
  canary: string;

  @Column('timestamptz', { name: 'created_at', select: false })
  createdAt: Date;
}

/**
 * An encryption key that sealed before another one took its place. The keys that were derived from it for audit events and
 * receipts are kept, sealed, so that what it signed can be verified when it is not loaded any more.
 */
@Entity({ name: 'former_encryption_keys' })
export class FormerKey {
  /** Its fingerprint. */
  @PrimaryColumn('text')
  id: string;

  /** The text of `FernetService.signingKeys`. */
  @Column('text', { name: 'sealed_signing_keys' })
  sealedSigningKeys: string;

  /** The encryption key that these are sealed under. */
  @Column('text', { name: 'key_id' })
  encryptionKeyId: string;

  @Column('timestamptz', { name: 'replaced_at', transformer: timeColumn })
  replacedAt: Date;

  /** Null: not retired. A retired key never seals again. */
  @Column('timestamptz', { name: 'retired_at', nullable: true, transformer: optionalTimeColumn })
  retiredAt: Date | null;
}
