import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type CredentialHealth } from './credential-health.entity';
import { optionalTimeColumn, timeColumn } from './time-column';

/** One provider's fields for one tenant. Only the sealed key is secret, and a plain find never selects it. */
@Entity({ name: 'tenant_credentials' })
export class TenantCredential {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId: string;

  @PrimaryColumn('text')
  provider: string;

  @Column('text', { name: 'sealed_api_key', select: false })
  sealedApiKey: string;

  @Column('text', { name: 'key_hint' })
  keyHint: string;

  @Column('jsonb')
  settings: Record<string, unknown>;

  @Column('text', { name: 'key_id' })
  encryptionKeyId: string;

  /** bigint as text: a value of one sequence, never reused. */
  @Column('bigint')
  version: string;

  @Column('text')
  seal: string;

  @Column('timestamptz', { name: 'configured_at', transformer: timeColumn })
  configuredAt: Date;

  /** When the provider's key ends, as the sysadmin said; null: not said. Under the seal. */
  @Column('timestamptz', { name: 'expires_at', nullable: true, transformer: optionalTimeColumn })
  expiresAt: Date | null;

  /** No column: of this version, where the query asks for it. */
  health?: CredentialHealth | null;
}
