import { type DataSource, type EntityManager } from 'typeorm';
import { type FernetService } from '#crypto';
import { FormerKey } from './sealing-state.entity';

/** Keeps the derived keys of an encryption key that seals no longer, sealed under the one that does. */
export async function keepFormerKey(
  transaction: EntityManager,
  fernet: FernetService,
  formerKeyId: string,
  sealingKeyId: string,
): Promise<void> {
  const { sealed, encryptionKeyId } = fernet.encrypt(fernet.signingKeys(formerKeyId), sealingKeyId);
  const key = {
    id: formerKeyId,
    sealedSigningKeys: sealed,
    encryptionKeyId,
    replacedAt: new Date(),
    retiredAt: null,
  };
  await transaction.createQueryBuilder().insert().into(FormerKey).values(key).orIgnore().execute();
}

/** The former keys whose derived keys are sealed under another key than the one that seals now, as far as they can be opened. */
export async function outdatedFormerKeys(
  manager: EntityManager,
  fernet: FernetService,
  sealingKeyId: string,
): Promise<FormerKey[]> {
  return (await manager.find(FormerKey)).filter(
    ({ encryptionKeyId }) => encryptionKeyId !== sealingKeyId && fernet.hasKey(encryptionKeyId),
  );
}

/** Seals the derived keys of all former keys under the key that seals now. @returns how many it sealed again */
export async function resealFormerKeys(
  transaction: EntityManager,
  fernet: FernetService,
  sealingKeyId: string,
): Promise<number> {
  const outdated = await outdatedFormerKeys(transaction, fernet, sealingKeyId);
  for (const key of outdated) {
    const { sealed } = fernet.encrypt(
      fernet.decrypt(key.sealedSigningKeys, key.encryptionKeyId),
      sealingKeyId,
    );
    await transaction.update(
      FormerKey,
      { id: key.id },
      { sealedSigningKeys: sealed, encryptionKeyId: sealingKeyId },
    );
  }
  return outdated.length;
}

/**
 * Loads the signing keys of former encryption keys that are not loaded, so that what they signed can be verified.
 * @returns the fingerprints of those whose signing keys cannot be opened
 */
export async function loadFormerKeys(
  source: DataSource | EntityManager,
  fernet: FernetService,
): Promise<string[]> {
  const former = await source.createQueryBuilder(FormerKey, 'f').orderBy('f.id').getMany();
  const unknown = former.filter(({ id }) => !fernet.canVerify(id));
  return unknown.flatMap(({ id, sealedSigningKeys, encryptionKeyId }) => {
    try {
      fernet.loadSigningKeys(id, fernet.decrypt(sealedSigningKeys, encryptionKeyId));
      return [];
    } catch {
      return [id];
    }
  });
}
