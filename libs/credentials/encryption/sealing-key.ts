import { type EntityManager } from 'typeorm';
import { type FernetService, Secret } from '#crypto';
import { Problem } from '#http';

/** The one row that names the encryption key that seals, with a text that only this key opens: the canary. */
export interface SealingKey {
  readonly keyId: string;
  readonly canary: string;
  /** The form of the seals that are made. */
  readonly sealForm: number;
  /** The oldest form that is accepted. */
  readonly leastSealForm: number;
}

const canaryText = 'tenkey key canary';

/** What runs a query: a transaction or the pool. */
type Source = Pick<EntityManager, 'query'>;

/** @returns undefined before the first start */
export async function readSealingKey(source: Source, lock = ''): Promise<SealingKey | undefined> {
  const [row] = await source.query<
    { key_id: string; sealed: string; seal_form: number; least_seal_form: number }[]
  >(`select key_id, sealed, seal_form, least_seal_form from encryption_canary where id = 1 ${lock}`);
  return (
    row && {
      keyId: row.key_id,
      canary: row.sealed,
      sealForm: row.seal_form,
      leastSealForm: row.least_seal_form,
    }
  );
}

/**
 * The key to seal with. It cannot change before the transaction is committed, so that no process that has registered since lacks
 * it.
 * @throws Problem encryption_key_mismatch when this process does not have the key
 */
export async function sealingKey(transaction: EntityManager, fernet: FernetService): Promise<SealingKey> {
  const row = await readSealingKey(transaction, 'for share');
  if (row !== undefined && fernet.hasKey(row.keyId)) return row;
  throw new Problem('encryption_key_mismatch', {
    detail:
      row === undefined
        ? 'It is not known which encryption key seals in this database, so nothing is sealed.'
        : `This database is sealed under the encryption key with the fingerprint ${row.keyId}, which is not loaded, so nothing is sealed.`,
    hint: 'An operator must start Tenkey with that key in ENCRYPTION_KEY or ENCRYPTION_KEY_PREVIOUS. GET /ready says more.',
  });
}

/** The form of the seals that are made. It cannot change before the transaction is committed. */
export async function sealFormOf(transaction: EntityManager): Promise<Pick<SealingKey, 'sealForm'>> {
  return (await readSealingKey(transaction, 'for share')) ?? { sealForm: 1 };
}

/** True when the key of the row is loaded and opens its canary. */
export function opensCanary(fernet: FernetService, { keyId, canary }: SealingKey): boolean {
  try {
    return fernet.decrypt(canary, keyId).expose() === canaryText;
  } catch {
    return false;
  }
}

/** Names another key or form, unless another process has just changed the row. @returns whether it did */
export async function writeSealingKey(
  transaction: EntityManager,
  fernet: FernetService,
  { keyId, sealForm }: Pick<SealingKey, 'keyId' | 'sealForm'>,
  before: SealingKey | undefined,
): Promise<boolean> {
  const { sealed } = fernet.encrypt(new Secret(canaryText), keyId);
  const rows = await transaction.query<object[]>(
    `insert into encryption_canary (id, key_id, sealed, seal_form) values (1, $1, $2, $4)
     on conflict (id) do update
       set key_id = excluded.key_id, sealed = excluded.sealed, seal_form = excluded.seal_form, created_at = now()
     where encryption_canary.key_id = $3
     returning id`,
    [keyId, sealed, before?.keyId ?? '', sealForm],
  );
  return rows.length > 0;
}

/** The fingerprints of the keys that stored credentials are sealed under and that are not loaded. */
export async function missingKeyIds(source: Source, fernet: FernetService): Promise<string[]> {
  const used = await source.query<{ key_id: string }[]>(
    'select key_id from tenant_credentials union select key_id from credential_slots order by key_id',
  );
  return used.map((row) => row.key_id).filter((id) => !fernet.hasKey(id));
}
