import { Column, Entity, PrimaryColumn } from 'typeorm';
import { optionalTimeColumn, timeColumn } from '#database';
import { type ProbeOutcome } from '#egress';
import { type Tenant } from '#tenants';
import { type InactiveSlot } from '../credential';
import { type SealingState } from '../encryption/sealing-state.entity';

/** One provider's fields for one tenant. Only the sealed key is secret; a plain find does not select it. */
@Entity({ name: 'tenant_credentials' })
export class TenantCredential {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId: string;

  @PrimaryColumn('text')
  provider: string;

  @Column('text', { name: 'sealed_api_key', select: false })
  sealedApiKey: string;

  @Column('text', { name: 'key_hint' })
  mask: string;

  @Column('jsonb', { transformer: { from: shallow, to: (settings: unknown) => settings } })
  settings: Record<string, unknown>;

  @Column('text', { name: 'key_id' })
  encryptionKeyId: string;

  /** bigint as text, from one sequence; never reused. */
  @Column('bigint')
  version: string;

  @Column('text')
  seal: string;

  @Column('timestamptz', { name: 'configured_at', transformer: timeColumn })
  configuredAt: Date;

  /** When the provider's key expires, as given by the sysadmin; null: not given. Covered by the seal. */
  @Column('timestamptz', { name: 'expires_at', nullable: true, transformer: optionalTimeColumn })
  expiresAt: Date | null;

  /** Not a column: the tenant, which the query joins. */
  tenant?: Pick<Tenant, 'incarnation' | 'name'> | null;

  /** Not a column: what the database says about seals, which the query joins. */
  sealing?: Pick<SealingState, 'leastSealForm'>;

  /** Not a column: the health of this version, if the query joins it. */
  health?: CredentialHealth | null;
}

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

const MAXIMUM_DEPTH = 16;

/**
 * Settings that were nested thousands deep in SQL would exhaust the stack of whatever walks them. The settings that replace them
 * fit no seal.
 */
function shallow(settings: unknown): unknown {
  let level: unknown[] = [settings];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAXIMUM_DEPTH) return { nested: 'too deeply' };
    const objects = level.filter((each) => typeof each === 'object' && each !== null);
    level = objects.flatMap((each) => Object.values(each) as unknown[]);
  }
  return settings;
}
