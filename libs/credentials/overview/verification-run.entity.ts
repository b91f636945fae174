import { Column, Entity, PrimaryColumn } from 'typeorm';
import { timeColumn } from '#database';
import { type ProbeOutcome } from '#egress';
import { type ChangedBy, type ProblemCode } from '#http';
import { type Slot } from '../credential';
import { type RotationState } from '../rotation/rotation.entity';
import { type CredentialFilter, type CredentialPosition } from './credential-overview.service';

/** A credential that is not accepted: the outcome of its verification, or the problem that prevented one. */
export interface NotAccepted {
  readonly tenant_id: string;
  readonly provider: string;
  readonly slot: Slot;
  readonly masked_key: string;
  readonly outcome: ProbeOutcome | ProblemCode | 'unknown_provider';
}

/** The latest verification of many credentials: one row. Each batch updates it, so that another process can continue it. */
@Entity({ name: 'verification_run' })
export class VerificationRun {
  @PrimaryColumn('integer')
  id: number;

  @Column('text')
  state: RotationState;

  @Column('jsonb')
  filter: CredentialFilter;

  /** How many credentials the filter selected when it started. */
  @Column('integer')
  total: number;

  @Column('integer')
  verified: number;

  @Column('integer', { name: 'not_accepted' })
  notAccepted: number;

  /** The first of those that are not accepted. */
  @Column('jsonb')
  faults: NotAccepted[];

  /** The credential after which the next batch begins; null: none was verified yet. */
  @Column('jsonb', { nullable: true })
  position: CredentialPosition | null;

  /** No process begins a batch before this time. While one works on a batch, this is the time at which it is taken for lost. */
  @Column('timestamptz', { name: 'next_at', transformer: timeColumn })
  nextAt: Date;

  @Column('jsonb', { name: 'started_by' })
  startedBy: Pick<ChangedBy, 'actor' | 'requestId' | 'address'>;

  @Column('timestamptz', { name: 'started_at', transformer: timeColumn })
  startedAt: Date;

  @Column('timestamptz', { name: 'changed_at', transformer: timeColumn })
  changedAt: Date;
}
