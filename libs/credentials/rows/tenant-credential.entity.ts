import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type CredentialHealth } from './credential-health.entity';
import { optionalTimeColumn, timeColumn } from './time-column';

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

  @Column('jsonb')
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

  /** Not a column: the health of this version, if the query joins it. */
  health?: CredentialHealth | null;
}
