import { type EntityManager } from 'typeorm';
import { type FernetService } from '#crypto';
import { CredentialSlot, TenantCredential } from '../rows/credentials.entity';
import { FormerKey } from '../encryption/sealing-state.entity';

/** The tables of sealed provider keys, and what tells rows of one tenant and provider apart in them. */
export const credentialTables = [
  { entity: TenantCredential, slot: `'live'` },
  { entity: CredentialSlot, slot: 'slot' },
] as const;

export type CredentialTable = (typeof credentialTables)[number];

/** Where rows are sealed: each slot of a credential, and the signing keys of former encryption keys. */
export const sealedPlaces = ['live', 'staged', 'previous', 'signing_keys'] as const;
export type SealedPlace = (typeof sealedPlaces)[number];

/**
 * Every column that is sealed under an encryption key, but for the canary, which moves with the key that seals. A rotation seals all
 * of them again, and a key is retired only when none is sealed under it.
 */
export const sealedColumns = [
  { ...credentialTables[0], column: 'sealed_api_key', place: credentialTables[0].slot },
  { ...credentialTables[1], column: 'sealed_api_key', place: credentialTables[1].slot },
  { entity: FormerKey, column: 'sealed_signing_keys', place: `'signing_keys'` },
] as const;

/** How many rows are sealed under each key, by place. */
export async function sealedRows(
  manager: EntityManager,
): Promise<{ keyId: string; place: SealedPlace; count: number }[]> {
  const rows = await manager.query<{ key_id: string; place: SealedPlace; count: number }[]>(
    sealedColumns
      .map(
        ({ entity, place }) =>
          `select key_id, ${place} as place, count(*)::int as count from ${tableOf(manager, entity)} group by 1, 2`,
      )
      .join(' union all '),
  );
  return rows.map(({ key_id: keyId, place, count }) => ({ keyId, place, count }));
}

/** The fingerprints of the keys that stored credentials are sealed under and that are not loaded. */
export async function missingKeyIds(manager: EntityManager, fernet: FernetService): Promise<string[]> {
  const used = await manager.query<{ key_id: string }[]>(
    `${credentialTables.map(({ entity }) => `select key_id from ${tableOf(manager, entity)}`).join(' union ')} order by key_id`,
  );
  return used.map((row) => row.key_id).filter((id) => !fernet.hasKey(id));
}

export function tableOf(manager: EntityManager, entity: (typeof sealedColumns)[number]['entity']): string {
  return manager.connection.getMetadata(entity).tableName;
}
