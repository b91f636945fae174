import { type EntityManager } from 'typeorm';
import { lockedTenant, type Tenant, type TenantRemoval } from '#tenants';
import { type InactiveSlot } from '../credential';
import { storedRows } from './credential-rows';
import { CredentialSlot, TenantCredential } from './credentials.entity';

const HOUR_MS = 60 * 60 * 1000;

/** Which tenant, and for which provider. */
export type SlotsOf = Pick<TenantCredential, 'tenantId' | 'provider'>;

/** A tenant's rows for one provider: at most one in each slot. */
export interface ProviderSlots {
  readonly tenant: Tenant;
  readonly live: TenantCredential | null;
  readonly staged: CredentialSlot | null;
  readonly previous: CredentialSlot | null;
}

/** Reads the slots under the lock of the tenant's row. Every change takes it, so none of them changes before the commit. */
export async function lockedSlots(transaction: EntityManager, of: SlotsOf): Promise<ProviderSlots> {
  const tenant = await lockedTenant(transaction, of.tenantId);
  const ofProvider = { provider: of.provider };
  const live = await storedRows(transaction, TenantCredential, [of.tenantId])
    .andWhere('c.provider = :provider', ofProvider)
    .getOne();
  const inactive = await storedRows(transaction, CredentialSlot, [of.tenantId])
    .andWhere('c.provider = :provider', ofProvider)
    .getMany();
  const inSlot = (slot: InactiveSlot) => inactive.find((row) => row.slot === slot) ?? null;
  return { tenant, live, staged: inSlot('staged'), previous: inSlot('previous') };
}

/** The end of the time in which a promotion can be rolled back. */
export function rollbackUntil(
  { replacedAt }: Pick<CredentialSlot, 'replacedAt'>,
  rollbackHours: number,
): Date {
  return new Date((replacedAt?.getTime() ?? 0) + rollbackHours * HOUR_MS);
}

/** True when the time for a rollback has passed: the row counts as deleted, and the sweep deletes it. */
export function hasRollbackExpired(row: CredentialSlot, rollbackHours: number): boolean {
  return rollbackUntil(row, rollbackHours).getTime() <= Date.now();
}

/** A previous credential that was replaced at this time or earlier can no longer be rolled back to. */
export function rollbackCutoff(rollbackHours: number): Date {
  return new Date(Date.now() - rollbackHours * HOUR_MS);
}

/** Copies the live row to an empty slot. Only its seal changes. */
export async function copyLive(
  transaction: EntityManager,
  { tenantId, provider }: SlotsOf,
  slot: InactiveSlot,
  seal: string,
  replacedAt: Date | null,
): Promise<void> {
  const columns = otherColumns(transaction).join(', ');
  await transaction.query(
    `insert into credential_slots (${columns}, seal, slot, replaced_at)
     select ${columns}, $3, $4, $5::timestamptz from tenant_credentials where tenant_id = $1 and provider = $2`,
    [tenantId, provider, seal, slot, replacedAt],
  );
}

/** Moves the row of a slot into the live slot, in place of the row there. Only its seal changes. */
export async function moveToLive(
  transaction: EntityManager,
  { tenantId, provider }: SlotsOf,
  slot: InactiveSlot,
  seal: string,
): Promise<void> {
  const columns = otherColumns(transaction);
  const replaced = [...columns, 'seal'].map((column) => `${column} = excluded.${column}`);
  await transaction.query(
    `insert into tenant_credentials (${columns.join(', ')}, seal)
     select ${columns.join(', ')}, $4 from credential_slots where tenant_id = $1 and provider = $2 and slot = $3
     on conflict (tenant_id, provider) do update set ${replaced.join(', ')}`,
    [tenantId, provider, slot, seal],
  );
  await emptySlot(transaction, { tenantId, provider }, slot);
}

export async function emptySlot(
  transaction: EntityManager,
  { tenantId, provider }: SlotsOf,
  slot: InactiveSlot,
): Promise<void> {
  await transaction.delete(CredentialSlot, { tenantId, provider, slot });
}

/** What a tenant's deletion deletes here through foreign keys, for its audit event. */
async function credentialsDeletedWith(transaction: EntityManager, tenantId: string) {
  const live = await transaction.query<object[]>(
    'select provider, key_hint as mask, version::text from tenant_credentials where tenant_id = $1 order by provider',
    [tenantId],
  );
  const inactive = await transaction.query<object[]>(
    'select provider, slot, key_hint as mask, version::text from credential_slots where tenant_id = $1 order by provider, slot',
    [tenantId],
  );
  return { credentials: [...live, ...inactive] };
}

export const credentialRemoval: TenantRemoval = { before: credentialsDeletedWith };

/** Every column that both tables have but the seal, so that one that is added later is moved as well. */
function otherColumns(transaction: EntityManager): string[] {
  const { columns } = transaction.dataSource.getMetadata(TenantCredential);
  return columns.map(({ databaseName }) => databaseName).filter((name) => name !== 'seal');
}
