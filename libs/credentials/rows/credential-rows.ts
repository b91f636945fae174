import { type DataSource, type EntityManager } from 'typeorm';
import { type FernetService } from '#crypto';
import { Tenant } from '#tenants';
import { type CredentialFields, type Slot } from '../credential';
import { sealingKey } from '../encryption/sealing-key';
import { SealingState } from '../encryption/sealing-state.entity';
import { CredentialHealth, TenantCredential } from './credentials.entity';
import { sealOf } from './seal';

/** A query for rows of some tenants from either table, with the sealed key, the tenant and the health of the version. */
export function storedRows<T extends TenantCredential>(
  source: DataSource | EntityManager,
  entity: new () => T,
  tenantIds: readonly string[],
) {
  // All ids are one parameter: a statement can have at most 65,535.
  return source
    .createQueryBuilder(entity, 'c')
    .addSelect('c.sealedApiKey')
    .leftJoinAndMapOne(
      'c.health',
      CredentialHealth,
      'h',
      'h.tenant_id = c.tenant_id AND h.provider = c.provider AND h.version = c.version',
    )
    .leftJoinAndMapOne('c.tenant', Tenant, 't', 't.id = c.tenant_id')
    .addSelect('t.incarnation')
    .leftJoinAndMapOne('c.sealing', SealingState, 's', 's.id = 1')
    .where('c.tenant_id = any(:tenantIds)', { tenantIds });
}

/** Locks the rows of a tenant in both tables, and their health, in the order in which everything else locks several of them. */
export async function lockCredentials(transaction: EntityManager, tenantId: string): Promise<void> {
  for (const [table, order] of [
    ['tenant_credentials', 'provider'],
    ['credential_slots', 'provider, slot'],
    ['credential_health', 'provider, version'],
  ]) {
    await transaction.query(`select 1 from ${table} where tenant_id = $1 order by ${order} for update`, [
      tenantId,
    ]);
  }
}

/** A sealed key, and the encryption key that opens it. */
export interface SealedKey {
  readonly sealed: string;
  readonly encryptionKeyId: string;
}

/** What an import knows about a key besides its fields. */
export interface Imported {
  /** The sealed form of the key, which is stored as it is. It must open to the key in the fields. */
  readonly sealedKey?: SealedKey;
  /** When the key was set in the other system. */
  readonly configuredAt?: Date;
}

/**
 * Seals fields into a row with a new version. The row is not stored yet.
 * @throws Problem encryption_key_mismatch
 */
export async function sealedRow(
  transaction: EntityManager,
  fernet: FernetService,
  tenant: Tenant,
  slot: Slot,
  provider: string,
  fields: CredentialFields,
  { sealedKey, configuredAt }: Imported = {},
): Promise<TenantCredential> {
  const [next] = await transaction.query<{ version: string }[]>(
    `SELECT nextval('credential_versions')::text AS version`,
  );
  const sealing = await sealingKey(transaction, fernet);
  const { sealed, encryptionKeyId } = sealedKey ?? fernet.encrypt(fields.apiKey, sealing.encryptionKeyId);
  const row = Object.assign(new TenantCredential(), {
    tenantId: tenant.id,
    tenant,
    provider,
    sealedApiKey: sealed,
    mask: fields.apiKey.mask,
    settings: { ...fields.settings },
    encryptionKeyId,
    version: next?.version ?? '',
    configuredAt: configuredAt ?? new Date(),
    expiresAt: fields.expiresAt,
  });
  row.seal = sealOf(fernet, row, { slot, incarnation: tenant.incarnation }, sealing);
  return row;
}
