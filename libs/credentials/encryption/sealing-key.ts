import { type DataSource, type EntityManager } from 'typeorm';
import { type FernetService, Secret } from '#crypto';
import { Problem } from '#http';
import { SealingState } from './sealing-state.entity';

const canaryText = 'tenkey key canary';

/** @returns undefined before the first start */
export async function readSealingState(
  source: DataSource | EntityManager,
  lock?: 'pessimistic_read' | 'pessimistic_write',
): Promise<SealingState | undefined> {
  const query = source
    .createQueryBuilder(SealingState, 's')
    .addSelect(['s.sealForm', 's.encryptionKeyId', 's.canary', 's.createdAt'])
    .where('s.id = 1');
  return (await (lock === undefined ? query : query.setLock(lock)).getOne()) ?? undefined;
}

/**
 * The key to seal with. It cannot change before the transaction is committed, so that no process that has registered since lacks
 * it.
 * @throws Problem encryption_key_mismatch when this process does not have the key
 */
export async function sealingKey(transaction: EntityManager, fernet: FernetService): Promise<SealingState> {
  const state = await readSealingState(transaction, 'pessimistic_read');
  if (state !== undefined && fernet.hasKey(state.encryptionKeyId)) return state;
  throw new Problem('encryption_key_mismatch', {
    detail:
      state === undefined
        ? 'It is not known which encryption key seals in this database, so nothing is sealed.'
        : `This database is sealed under the encryption key with the fingerprint ${state.encryptionKeyId}, which is not loaded, so nothing is sealed.`,
    hint: 'An operator must start Tenkey with that key in ENCRYPTION_KEY or ENCRYPTION_KEY_PREVIOUS. GET /ready says more.',
  });
}

/** The form of the seals that are made. It cannot change before the transaction is committed. */
export async function sealFormOf(transaction: EntityManager): Promise<Pick<SealingState, 'sealForm'>> {
  return (await readSealingState(transaction, 'pessimistic_read')) ?? { sealForm: 1 };
}

/** True when the key that seals is loaded and opens the canary. */
export function opensCanary(fernet: FernetService, { encryptionKeyId, canary }: SealingState): boolean {
  try {
    return fernet.decrypt(canary, encryptionKeyId).expose() === canaryText;
  } catch {
    return false;
  }
}

/** Names another key or form, unless another process has just changed the row. @returns whether it did */
export async function writeSealingState(
  transaction: EntityManager,
  fernet: FernetService,
  { encryptionKeyId, sealForm }: Pick<SealingState, 'encryptionKeyId' | 'sealForm'>,
  before: SealingState | undefined,
): Promise<boolean> {
  const { sealed } = fernet.encrypt(new Secret(canaryText), encryptionKeyId);
  const rows = await transaction.query<object[]>(
    `insert into encryption_canary (id, key_id, sealed, seal_form) values (1, $1, $2, $4)
     on conflict (id) do update
       set key_id = excluded.key_id, sealed = excluded.sealed, seal_form = excluded.seal_form, created_at = now()
     where encryption_canary.key_id = $3
     returning id`,
    [encryptionKeyId, sealed, before?.encryptionKeyId ?? '', sealForm],
  );
  return rows.length > 0;
}
