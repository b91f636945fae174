import { type EntityManager } from 'typeorm';
import { lockedTenant } from '#tenants';
import { type SlotBeside } from '../credential';
import { storedRows } from './credential-rows';
import { CredentialSlot } from './credential-slot.entity';
import { TenantCredential } from './tenant-credential.entity';

const HOUR_MS = 60 * 60 * 1000;

/** Whose and for what. */
export type SlotsOf = Pick<TenantCredential, 'tenantId' | 'provider'>;

/** All that a tenant has for one provider: at most one row in each slot. */
export interface ProviderSlots {
  readonly live: TenantCredential | null;
  readonly staged: CredentialSlot | null;
  readonly previous: CredentialSlot | null;
}

/** Read under the lock of the tenant's row, which every change takes: nothing of it changes before the commit. */
export async function lockedSlots(transaction: EntityManager, of: SlotsOf): Promise<ProviderSlots> {
  await lockedTenant(transaction, of.tenantId);
  const ofProvider = { provider: of.provider };
  const live = await storedRows(transaction, TenantCredential, [of.tenantId])
    .andWhere('c.provider = :provider', ofProvider)
    .getOne();
  const beside = await storedRows(transaction, CredentialSlot, [of.tenantId])
    .andWhere('c.provider = :provider', ofProvider)
    .getMany();
  const inSlot = (slot: SlotBeside) => beside.find((row) => row.slot === slot) ?? null;
  return { live, staged: inSlot('staged'), previous: inSlot('previous') };
}

/** Until when a replaced credential can be taken back. */
export function rollbackUntil(
  { replacedAt }: Pick<CredentialSlot, 'replacedAt'>,
  rollbackHours: number,
): Date {
  return new Date((replacedAt?.getTime() ?? 0) + rollbackHours * HOUR_MS);
}

/** Whether that is over, and the row is only still to be deleted. */
export function isOver(row: CredentialSlot, rollbackHours: number): boolean {
  return rollbackUntil(row, rollbackHours).getTime() <= Date.now();
}

/** What was replaced until then can be taken back no more. */
export function overBefore(rollbackHours: number): Date {
  return new Date(Date.now() - rollbackHours * HOUR_MS);
}

/** Copies the live row, as it stands, to a slot that is empty. */
export async function copyLive(
  transaction: EntityManager,
  { tenantId, provider }: SlotsOf,
  slot: SlotBeside,
  replacedAt: Date | null,
): Promise<void> {
  const columns = rowColumns(transaction).join(', ');
  await transaction.query(
    `insert into credential_slots (${columns}, slot, replaced_at)
     select ${columns}, $3::text, $4::timestamptz from tenant_credentials where tenant_id = $1 and provider = $2`,
    [tenantId, provider, slot, replacedAt],
  );
}

/** Moves the row of a slot, as it stands, to the live one's place. */
export async function moveToLive(
  transaction: EntityManager,
  { tenantId, provider }: SlotsOf,
  slot: SlotBeside,
): Promise<void> {
  const columns = rowColumns(transaction);
  const taken = columns.map((column) => `${column} = excluded.${column}`);
  await transaction.query(
    `insert into tenant_credentials (${columns.join(', ')})
     select ${columns.join(', ')} from credential_slots where tenant_id = $1 and provider = $2 and slot = $3
     on conflict (tenant_id, provider) do update set ${taken.join(', ')}`,
    [tenantId, provider, slot],
  );
  await emptySlot(transaction, { tenantId, provider }, slot);
}

export async function emptySlot(
  transaction: EntityManager,
  { tenantId, provider }: SlotsOf,
  slot: SlotBeside,
): Promise<void> {
  await transaction.delete(CredentialSlot, { tenantId, provider, slot });
}

/** Every column that both tables have, so that one that is added later moves as well. */
function rowColumns(transaction: EntityManager): string[] {
  return transaction.dataSource.getMetadata(TenantCredential).columns.map(({ databaseName }) => databaseName);
}
