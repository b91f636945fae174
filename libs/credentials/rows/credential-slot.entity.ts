import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type SlotBeside } from '../credential';
import { TenantCredential } from './tenant-credential.entity';
import { optionalTimeColumn } from './time-column';

/**
 * A credential beside the live one: the same columns under the same seal, so that a move between the tables copies the row
 * as it stands. No call reads this table.
 */
@Entity({ name: 'credential_slots' })
export class CredentialSlot extends TenantCredential {
  @PrimaryColumn('text')
  slot: SlotBeside;

  /** When another took its place: of a previous one, else null. Not under the seal. */
  @Column('timestamptz', { name: 'replaced_at', nullable: true, transformer: optionalTimeColumn })
  replacedAt: Date | null;
}
