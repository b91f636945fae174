import { type EntityManager } from 'typeorm';
import { NEWEST_SEAL_FORM } from '#cache';
import { type FernetService } from '#crypto';
import { type CredentialStatus, unusableStatuses } from '../credential';
import { type CredentialTable, credentialTables, tableOf } from './sealed-tables';
import { sealingKey } from '../encryption/sealing-key';
import { type SealingState } from '../encryption/sealing-state.entity';
import { type TenantCredential } from '../rows/credentials.entity';
import { sealFor, slotOf } from '../rows/seal';
import { listedOf } from '../rows/stored-credential';
import { type RowFault } from './rotation.entity';
import { nextKeys, type RowKey, rowsOf } from './row-keys';

/** What one batch did. */
export interface ResealedBatch {
  readonly resealed: number;
  readonly faults: readonly RowFault[];
}

const newestForm = `${NEWEST_SEAL_FORM}:%`;
const olderSeal = `seal not like '${newestForm}'`;

/** Rows that a rotation seals again. `$1` is the key that seals, or another name of that parameter. */
function outdatedUnder({ sealForm }: SealingState, keyId = '$1'): string {
  return sealForm < NEWEST_SEAL_FORM ? `key_id <> ${keyId}` : `(key_id <> ${keyId} or ${olderSeal})`;
}

/** How many stored credentials are sealed under another key, or have a seal of an older form although a newer one can be made. */
export async function countOutdated(manager: EntityManager, sealing: SealingState): Promise<number> {
  let count = 0;
  for (const { entity } of credentialTables) {
    const [row] = await manager.query<{ count: number }[]>(
      `select count(*)::int as count from ${tableOf(manager, entity)} where ${outdatedUnder(sealing)}`,
      [sealing.encryptionKeyId],
    );
    count += row?.count ?? 0;
  }
  return count;
}

/** How many stored credentials have a seal of an older form. */
export async function countOlderSeals(manager: EntityManager): Promise<number> {
  const [row] = await manager.query<{ count: number }[]>(
    `select count(*)::int as count from (${credentialTables
      .map(({ entity }) => `select 1 from ${tableOf(manager, entity)} where ${olderSeal}`)
      .join(' union all ')}) older`,
  );
  return row?.count ?? 0;
}

/** Whose rows come next. */
export async function nextOutdated(
  manager: EntityManager,
  table: CredentialTable,
  after: RowKey | undefined,
  sealing: SealingState,
  limit: number,
): Promise<RowKey[]> {
  const condition = outdatedUnder(sealing, '$4');
  return nextKeys(manager, table, after, limit, { condition, parameter: sealing.encryptionKeyId });
}

/**
 * Seals rows again under the key that seals, and keeps their versions. A row that a change has locked is left out, so that the
 * change wins and nothing waits for it.
 * @throws Problem encryption_key_mismatch
 */
export async function resealRows(
  transaction: EntityManager,
  fernet: FernetService,
  table: CredentialTable,
  keys: readonly RowKey[],
): Promise<ResealedBatch> {
  const { entity, slot } = table;
  const sealing = await sealingKey(transaction, fernet);
  const slotColumn = slot === 'slot' ? 'c.slot' : slot;
  const rows = await rowsOf(transaction, table, keys)
    .setLock('pessimistic_write', undefined, ['c'])
    .setOnLocked('skip_locked')
    .getMany();
  const faults: RowFault[] = [];
  const resealed = rows.filter((row) => {
    const status = reseal(fernet, row, sealing);
    if (status === undefined) return true;
    faults.push({ tenant_id: row.tenantId, provider: row.provider, slot: slotOf(row), status });
    return false;
  });
  await transaction.query(
    `update ${tableOf(transaction, entity)} c set sealed_api_key = n.sealed, key_id = $1, seal = n.seal
     from unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[])
       as n (tenant_id, provider, slot, version, sealed, seal)
     where c.tenant_id = n.tenant_id and c.provider = n.provider and c.version = n.version and ${slotColumn} = n.slot`,
    [
      sealing.encryptionKeyId,
      resealed.map((row) => row.tenantId),
      resealed.map((row) => row.provider),
      resealed.map(slotOf),
      resealed.map((row) => row.version),
      resealed.map((row) => row.sealedApiKey),
      resealed.map((row) => row.seal),
    ],
  );
  return { resealed: resealed.length, faults };
}

/**
 * Seals the key again, in place. The decrypted key exists only in the argument.
 * @returns why it cannot be sealed; undefined when it was
 */
function reseal(
  fernet: FernetService,
  row: TenantCredential,
  sealing: SealingState,
): CredentialStatus | undefined {
  const { status } = listedOf(fernet, row);
  if (unusableStatuses.includes(status)) return status;
  try {
    row.sealedApiKey = fernet.encrypt(
      fernet.decrypt(row.sealedApiKey, row.encryptionKeyId),
      sealing.encryptionKeyId,
    ).sealed;
  } catch {
    return 'unreadable';
  }
  row.encryptionKeyId = sealing.encryptionKeyId;
  row.seal = sealFor(slotOf(row), fernet, row, sealing);
  return undefined;
}
