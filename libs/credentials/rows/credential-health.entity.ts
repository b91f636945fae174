import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type ProbeOutcome } from '#egress';
import { optionalTimeColumn } from './time-column';

/**
 * What the last verification and calls showed about one version of a credential. Not covered by the seal: operators see it,
 * and it does not decide which key is used.
 */
@Entity({ name: 'credential_health' })
export class CredentialHealth {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId: string;

  @PrimaryColumn('text')
  provider: string;

  @PrimaryColumn('bigint')
  version: string;

  /** Null: never verified. */
  @Column('text', { nullable: true })
  outcome: ProbeOutcome | null;

  @Column('integer', { name: 'latency_ms', nullable: true })
  latencyMs: number | null;

  @Column('timestamptz', { name: 'verified_at', nullable: true, transformer: optionalTimeColumn })
  verifiedAt: Date | null;

  /** How often the provider rejected the key since it last accepted it. */
  @Column('integer')
  rejections: number;

  /** When it last rejected it; null: not since it last accepted it. */
  @Column('timestamptz', { name: 'rejected_at', nullable: true, transformer: optionalTimeColumn })
  rejectedAt: Date | null;
}
