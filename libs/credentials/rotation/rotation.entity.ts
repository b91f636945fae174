import { Column, Entity, PrimaryColumn } from 'typeorm';
import { timeColumn } from '#database';
import { type ChangedBy } from '#http';
import { type CredentialStatus, type Slot } from '../credential';

export const rotationStates = ['running', 'paused', 'finished'] as const;
export type RotationState = (typeof rotationStates)[number];

/** A row that cannot be sealed again, because nothing can open it or nothing should. */
export interface RowFault {
  readonly tenant_id: string;
  readonly provider: string;
  readonly slot: Slot;
  readonly status: CredentialStatus;
}

/** The row after which the next batch begins, in one of the tables. */
export interface Position {
  readonly table: number;
  readonly after?: Pick<RowFault, 'tenant_id' | 'provider' | 'slot'>;
}

/** The latest rotation: one row. Each batch updates it in its own transaction, so that a killed process loses nothing. */
@Entity({ name: 'encryption_rotation' })
export class Rotation {
  @PrimaryColumn('integer')
  id: number;

  @Column('text')
  state: RotationState;

  /** The encryption key under which rows are sealed. */
  @Column('text', { name: 'key_id' })
  encryptionKeyId: string;

  /** How many rows there were to seal when it started. */
  @Column('integer')
  total: number;

  @Column('integer')
  resealed: number;

  @Column('integer')
  failed: number;

  /** The first of the rows that failed. */
  @Column('jsonb')
  faults: RowFault[];

  @Column('jsonb')
  position: Position;

  /** Whose name its audit events have. */
  @Column('jsonb', { name: 'started_by' })
  startedBy: Pick<ChangedBy, 'actor' | 'requestId' | 'address'>;

  @Column('timestamptz', { name: 'started_at', transformer: timeColumn })
  startedAt: Date;

  @Column('timestamptz', { name: 'changed_at', transformer: timeColumn })
  changedAt: Date;
}
