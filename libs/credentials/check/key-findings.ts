import { type EntityManager } from 'typeorm';
import { type FernetService } from '#crypto';
import { fault, type Finding, warning } from '#database';
import { loadFormerKeys } from '../encryption/former-keys';
import { opensCanary, readSealingState } from '../encryption/sealing-key';
import { FormerKey } from '../encryption/sealing-state.entity';
import { Rotation } from '../rotation/rotation.entity';
import { sealedRows } from '../rotation/sealed-tables';

/** Which key seals, and what is wrong with the loaded keys. */
export interface KeysCheck {
  /** Undefined before anything was sealed. */
  readonly sealingKeyId: string | undefined;
  readonly formerKeys: number;
  readonly findings: readonly Finding[];
}

/** Checks whether the loaded encryption keys are those that the database needs. Opens the canary and no credential. */
export async function keyFindings(manager: EntityManager, fernet: FernetService): Promise<KeysCheck> {
  const state = await readSealingState(manager);
  const former = await manager.find(FormerKey);
  const rows = await sealedRows(manager);
  const findings: Finding[] = [];
  const sealing = state?.encryptionKeyId;
  if (state !== undefined && !fernet.hasKey(state.encryptionKeyId)) {
    findings.push(
      fault(
        `the encryption key that seals (fingerprint ${sealing}) is not loaded, so no credential can be set`,
        'Set ENCRYPTION_KEY or ENCRYPTION_KEY_PREVIOUS to that key. If it is lost for good, run npx tenkey encryption accept-loss.',
      ),
    );
  } else if (state !== undefined && !opensCanary(fernet, state)) {
    findings.push(
      fault(
        `the canary cannot be opened with the encryption key that seals (fingerprint ${sealing}): its row was changed outside Tenkey`,
        'Restore the row of encryption_canary from a backup, and find out who wrote to the database.',
      ),
    );
  }
  for (const keyId of new Set(rows.map((row) => row.keyId))) {
    if (fernet.hasKey(keyId)) continue;
    const of = rows.filter((row) => row.keyId === keyId);
    const places = of.map(({ place, count }) => `${count} ${place.replace('_', ' ')}`).join(', ');
    findings.push(
      fault(
        `the encryption key with the fingerprint ${keyId} is not loaded, and rows are sealed under it: ${places}`,
        'Load it in ENCRYPTION_KEY_PREVIOUS. npx tenkey encryption status --missing lists the credentials.',
      ),
    );
  }
  findings.push(...ofOwnKey(fernet, sealing, former));
  for (const { id, retiredAt } of former) {
    if (retiredAt !== null && fernet.hasKey(id) && id !== fernet.ownKeyId) {
      findings.push(
        warning(
          `the retired encryption key ${id} is still loaded`,
          'Remove it from ENCRYPTION_KEY_PREVIOUS of every process.',
        ),
      );
    }
  }
  for (const id of await loadFormerKeys(manager, fernet)) {
    findings.push(
      fault(
        `the signing keys of the former encryption key ${id} cannot be opened, so audit events and receipts of its time cannot be verified`,
        'Load the key that they are sealed under, or that key itself, in ENCRYPTION_KEY_PREVIOUS.',
      ),
    );
  }
  return {
    sealingKeyId: sealing,
    formerKeys: former.length,
    findings: [...findings, ...(await ofRotation(manager))],
  };
}

function ofOwnKey(
  fernet: FernetService,
  sealing: string | undefined,
  former: readonly FormerKey[],
): Finding[] {
  const { ownKeyId } = fernet;
  if (ownKeyId === undefined) {
    if (sealing === undefined) return [];
    return [
      fault(
        'ENCRYPTION_KEY is not set, although something is sealed in this database',
        `Set ENCRYPTION_KEY to the key with the fingerprint ${sealing}.`,
      ),
    ];
  }
  if (sealing === undefined || sealing === ownKeyId || !fernet.hasKey(sealing)) return [];
  const isRetired = former.some(({ id, retiredAt }) => id === ownKeyId && retiredAt !== null);
  return [
    isRetired
      ? fault(
          `ENCRYPTION_KEY (fingerprint ${ownKeyId}) was retired, so it never seals again; ${sealing} seals`,
          'Set ENCRYPTION_KEY to the key that seals, or to a new one.',
        )
      : warning(
          `ENCRYPTION_KEY (fingerprint ${ownKeyId}) does not seal yet; ${sealing} seals`,
          'Start every process with this ENCRYPTION_KEY. If they all have it, their logs say why it does not seal.',
        ),
  ];
}

async function ofRotation(manager: EntityManager): Promise<Finding[]> {
  const rotation = await manager.findOneBy(Rotation, { id: 1 });
  if (rotation === null) return [];
  const { state, resealed, total, failed } = rotation;
  if (state !== 'finished') {
    return [
      warning(
        `a rotation is ${state}: ${resealed} of ${total} rows are sealed again`,
        'npx tenkey encryption rotate continues it.',
      ),
    ];
  }
  if (failed === 0) return [];
  return [
    warning(
      `${failed} rows could not be sealed again by the latest rotation`,
      'The check of the seals names them. Run npx tenkey encryption rotate after they are set again.',
    ),
  ];
}
