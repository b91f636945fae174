import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { AuditLogService } from '#audit';
import { lockedRegistry, NEWEST_SEAL_FORM } from '#cache';
import { FernetService } from '#crypto';
import { type ChangedBy } from '#http';
import { keepFormerKey, loadFormerKeys } from '../encryption/former-keys';
import { missingKeyIds, sealedRows } from './sealed-tables';
import { opensCanary, readSealingState, writeSealingState } from '../encryption/sealing-key';
import { FormerKey } from '../encryption/sealing-state.entity';

/** Whether this process has the encryption keys that the database needs. Contains fingerprints only. */
export interface KeyCheck {
  readonly isReady: boolean;
  readonly reason?: string;
  /** Fingerprints of encryption keys that stored credentials are sealed under and that are not loaded. */
  readonly missingKeys: readonly string[];
}

/** How often a process looks whether its ENCRYPTION_KEY may seal by now, or which key another process has chosen. */
const SETTLE_MS = 5000;

/**
 * One row of the database names the encryption key that seals. A process whose ENCRYPTION_KEY is another one makes its own key the
 * sealing one as soon as every registered process has it, so that in a rolling update no process meets a row that it cannot
 * open. Until then it seals under the key that the row names, which it has in ENCRYPTION_KEY_PREVIOUS.
 *
 * The row also shows a wrong ENCRYPTION_KEY at the start, and not at a tenant's first call: it holds a text that only the right
 * key opens.
 */
@Injectable()
export class SealingKeyService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger('encryption');
  readonly #said = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly fernet: FernetService,
    private readonly audit: AuditLogService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.settle();
    // Without the database nothing is sealed either.
    this.#timer = setInterval(() => void this.settle().catch(() => undefined), SETTLE_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  /**
   * Makes ENCRYPTION_KEY the sealing key if that is safe, and learns which key seals and what former keys signed.
   * @returns why ENCRYPTION_KEY does not seal; undefined when it does
   */
  async settle(): Promise<string | undefined> {
    const { ownKeyId } = this.fernet;
    if (ownKeyId === undefined) return 'ENCRYPTION_KEY is not set';
    let reason: string | undefined;
    let state = await readSealingState(this.dataSource);
    if (state?.encryptionKeyId !== ownKeyId || state.sealForm < NEWEST_SEAL_FORM) {
      reason = await this.dataSource.transaction((transaction) => this.#move(transaction, ownKeyId));
      if (reason !== undefined) this.#warnOnce(reason);
      state = await readSealingState(this.dataSource);
    }
    if (state !== undefined && this.fernet.hasKey(state.encryptionKeyId)) {
      this.fernet.signUnder(state.encryptionKeyId);
    }
    for (const id of await loadFormerKeys(this.dataSource, this.fernet)) {
      this.#warnOnce(
        `audit events and receipts of the former encryption key ${id} cannot be verified: its signing keys cannot be opened`,
      );
    }
    return state?.encryptionKeyId === ownKeyId ? undefined : reason;
  }

  /**
   * Makes ENCRYPTION_KEY the sealing key when every process has it, and uses the newest form of seals that all of them know.
   * @returns why ENCRYPTION_KEY does not seal
   */
  async #move(transaction: EntityManager, ownKeyId: string): Promise<string | undefined> {
    await transaction.query(`set local lock_timeout = '2s'`);
    // Waits for every transaction that is sealing under the key that the row names now.
    const state = await readSealingState(transaction, 'pessimistic_write');
    const isKnown = state !== undefined && opensCanary(this.fernet, state);
    // Either nothing is sealed yet, or what is sealed can be opened. Otherwise this key may be the wrong one.
    if (!isKnown && (await missingKeyIds(transaction, this.fernet)).length > 0) {
      return 'ENCRYPTION_KEY may be the wrong one, because stored credentials are sealed under other keys';
    }
    const processes = await lockedRegistry(transaction);
    const lacking = processes.filter(({ encryptionKeyIds }) => !encryptionKeyIds.includes(ownKeyId)).length;
    const own = await transaction.findOneBy(FormerKey, { id: ownKeyId });
    const whyNot =
      own !== null && own.retiredAt !== null
        ? `ENCRYPTION_KEY (fingerprint ${ownKeyId}) does not seal, because it was retired`
        : lacking > 0
          ? `ENCRYPTION_KEY (fingerprint ${ownKeyId}) does not seal yet: ${lacking} of the ${processes.length} registered processes do not have it`
          : undefined;
    if (whyNot !== undefined && !isKnown) return whyNot;
    const knownForm = Math.min(NEWEST_SEAL_FORM, ...processes.map((each) => each.sealForm));
    const next = {
      encryptionKeyId: whyNot !== undefined && state !== undefined ? state.encryptionKeyId : ownKeyId,
      sealForm: Math.max(state?.sealForm ?? 1, knownForm),
    };
    const isMoved = next.encryptionKeyId !== state?.encryptionKeyId;
    if (!isMoved && next.sealForm === state.sealForm) return whyNot;
    const isWritten = await writeSealingState(transaction, this.fernet, next, state);
    if (isWritten && isMoved && state !== undefined) {
      // It may be the key of a database in which nothing is sealed.
      if (this.fernet.hasKey(state.encryptionKeyId)) {
        await keepFormerKey(transaction, this.fernet, state.encryptionKeyId, ownKeyId);
      }
      await transaction.delete(FormerKey, { id: ownKeyId });
      this.#log.log(
        `ENCRYPTION_KEY (fingerprint ${ownKeyId}) seals from now on, in place of ${state.encryptionKeyId}`,
      );
    }
    return whyNot;
  }

  #warnOnce(reason: string): void {
    if (!this.#said.has(reason)) this.#log.warn(reason);
    this.#said.add(reason);
  }

  /**
   * Makes ENCRYPTION_KEY the sealing key although some credentials are sealed under a key that nobody has any more. They stay as they
   * are.
   * @param lostKeyId the fingerprint of the lost key
   * @returns false, and changes nothing, when that key does not seal, or this process or another one has it
   */
  async acceptLoss(lostKeyId: string, by: ChangedBy): Promise<boolean> {
    const { ownKeyId } = this.fernet;
    return this.dataSource.transaction(async (transaction) => {
      const state = await readSealingState(transaction, 'pessimistic_write');
      if (ownKeyId === undefined || state?.encryptionKeyId !== lostKeyId || this.fernet.hasKey(lostKeyId))
        return false;
      const processes = await lockedRegistry(transaction);
      if (processes.some(({ encryptionKeyIds }) => encryptionKeyIds.includes(lostKeyId))) return false;
      await writeSealingState(
        transaction,
        this.fernet,
        { encryptionKeyId: ownKeyId, sealForm: state.sealForm },
        state,
      );
      await transaction.delete(FormerKey, { id: ownKeyId });
      const details = { lost_key_id: lostKeyId, key_id: ownKeyId };
      await this.audit.record(transaction, by, { action: 'encryption.accept_loss', details });
      return true;
    });
  }

  /**
   * Records that an encryption key is not needed any more and never seals again. What it signed can still be verified.
   * @returns why it cannot be retired; undefined when it is
   */
  async retire(keyId: string, by: ChangedBy): Promise<string | undefined> {
    return this.dataSource.transaction(async (transaction) => {
      const state = await readSealingState(transaction, 'pessimistic_write');
      if (state === undefined || !opensCanary(this.fernet, state)) {
        return 'the key that seals in this database is not loaded. Run the command with the settings of the service';
      }
      if (state.encryptionKeyId === keyId)
        return 'this key seals. Only a key that another one has replaced can be retired';
      const sealed = (await sealedRows(transaction)).filter((row) => row.keyId === keyId);
      const count = sealed.reduce((sum, row) => sum + row.count, 0);
      if (count > 0) {
        return `${count} rows are sealed under this key. Run npx tenkey encryption rotate first; npx tenkey encryption status shows where they are`;
      }
      if (this.fernet.hasKey(keyId))
        await keepFormerKey(transaction, this.fernet, keyId, state.encryptionKeyId);
      const kept = await transaction.findOneBy(FormerKey, { id: keyId });
      if (kept === null) {
        return 'this key is not known. Check the fingerprint; if the key sealed in this database, load it in ENCRYPTION_KEY_PREVIOUS for this command, so that what it signed can be verified later';
      }
      if (kept.retiredAt !== null) return 'this key is retired already';
      await transaction.update(FormerKey, { id: keyId }, { retiredAt: new Date() });
      await this.audit.record(transaction, by, { action: 'encryption.retire', details: { key_id: keyId } });
      return undefined;
    });
  }

  /** Writes nothing. Without ENCRYPTION_KEY there is nothing to check. */
  async check(): Promise<KeyCheck> {
    if (this.fernet.ownKeyId === undefined) return { isReady: true, missingKeys: [] };
    const missingKeys = await missingKeyIds(this.dataSource.manager, this.fernet);
    const state = await readSealingState(this.dataSource);
    const fix =
      'Add those keys to ENCRYPTION_KEY_PREVIOUS, or set the credentials that are listed as unreadable again.';
    const missing =
      missingKeys.length === 0
        ? ''
        : `Some credentials are sealed under keys that are not loaded, with the fingerprints ${missingKeys.join(', ')}.`;
    if (state !== undefined && opensCanary(this.fernet, state)) {
      return { isReady: true, missingKeys, ...(missing && { reason: `${missing} ${fix}` }) };
    }
    if (state === undefined && missing === '') return { isReady: true, missingKeys };
    const reason =
      state === undefined
        ? `${missing} ${fix}`
        : `ENCRYPTION_KEY may be the wrong one: this database is sealed under the key with the fingerprint ${state.encryptionKeyId}, which is not loaded, so no credential can be set. Set ENCRYPTION_KEY or ENCRYPTION_KEY_PREVIOUS to that key. If it is lost for good, run npx tenkey encryption accept-loss.`;
    return { isReady: false, missingKeys, reason };
  }
}
