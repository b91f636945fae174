import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type InactiveSlot } from '../credential';
import { TenantCredential } from './tenant-credential.entity';
import { optionalTimeColumn } from './time-column';

/**
 * A staged or previous credential. It has the columns and the seal of a live one, so that a row moves between the tables
 * unchanged. No call reads this table.
 */
@Entity({ name: 'credential_slots' })
export class CredentialSlot extends TenantCredential {
  @PrimaryColumn('text')
  slot: InactiveSlot;

  /** When another credential replaced a previous one; null for a staged one. Not covered by the seal. */
  @Column('timestamptz', { name: 'replaced_at', nullable: true, transformer: optionalTimeColumn })
  replacedAt: Date | null;
}
