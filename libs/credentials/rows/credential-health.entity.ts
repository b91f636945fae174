import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type ProbeOutcome } from '#egress';
import { optionalTimeColumn } from './time-column';

/**
 * What is known of one version of a credential from its last verification and from calls. Not under the seal: it is shown
 * to the operator and decides nothing about which key is used.
 */
@Entity({ name: 'credential_health' })
export class CredentialHealth {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId: string;

  @PrimaryColumn('text')
  provider: string;

  @PrimaryColumn('bigint')
  version: string;

  /** Of the last verification. */
  @Column('text', { nullable: true })
  outcome: ProbeOutcome | null;

  @Column('integer', { name: 'latency_ms', nullable: true })
  latencyMs: number | null;

  @Column('timestamptz', { name: 'verified_at', nullable: true, transformer: optionalTimeColumn })
  verifiedAt: Date | null;

  /** How often the provider refused the key since it last accepted it. */
  @Column('integer')
  rejections: number;

  /** The last time; null: not since it last accepted it. */
  @Column('timestamptz', { name: 'rejected_at', nullable: true, transformer: optionalTimeColumn })
  rejectedAt: Date | null;
}
