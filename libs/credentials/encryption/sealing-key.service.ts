import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { lockedRegistry, NEWEST_SEAL_FORM } from '#cache';
import { FernetService } from '#crypto';
import { missingKeyIds, opensCanary, readSealingKey, writeSealingKey } from './sealing-key';

/** Whether this process has the encryption keys that the database needs. Contains fingerprints only. */
export interface KeyCheck {
  readonly isReady: boolean;
  readonly reason?: string;
  /** Fingerprints of encryption keys that stored credentials are sealed under and that are not loaded. */
  readonly missingKeys: readonly string[];
}

/** A key that is lost, and the one that seals in its place. */
export interface LostKey {
  readonly lostKeyId: string;
  readonly keyId: string;
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
  #timer: NodeJS.Timeout | undefined;
  #lastReason: string | undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly fernet: FernetService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.settle();
    // Without the database nothing is sealed either.
    this.#timer = setInterval(() => void this.settle().catch(() => undefined), SETTLE_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  /** Makes ENCRYPTION_KEY the sealing key if that is safe, and learns which key seals. */
  async settle(): Promise<void> {
    const { ownKeyId } = this.fernet;
    if (ownKeyId === undefined) return;
    let row = await readSealingKey(this.dataSource);
    if (row?.keyId !== ownKeyId || row.sealForm < NEWEST_SEAL_FORM) {
      await this.dataSource.transaction((transaction) => this.#move(transaction, ownKeyId));
      row = await readSealingKey(this.dataSource);
    }
    if (row !== undefined && this.fernet.hasKey(row.keyId)) this.fernet.signUnder(row.keyId);
  }

  /** Makes ENCRYPTION_KEY the sealing key when every process has it, and uses the newest form of seals that all of them know. */
  async #move(transaction: EntityManager, ownKeyId: string): Promise<void> {
    await transaction.query(`set local lock_timeout = '2s'`);
    // Waits for every transaction that is sealing under the key that the row names now.
    const row = await readSealingKey(transaction, 'for update');
    const isKnown = row !== undefined && opensCanary(this.fernet, row);
    // Either nothing is sealed yet, or what is sealed can be opened. Otherwise this key may be the wrong one.
    if (!isKnown && (await missingKeyIds(transaction, this.fernet)).length > 0) return;
    const processes = await lockedRegistry((statement) => transaction.query(statement));
    const lacking = processes.filter(({ encryptionKeyIds }) => !encryptionKeyIds.includes(ownKeyId)).length;
    if (lacking > 0) {
      this.#warnOnce(
        `ENCRYPTION_KEY (fingerprint ${ownKeyId}) does not seal yet: ${lacking} of the ${processes.length} registered processes do not have it`,
      );
    }
    if (lacking > 0 && !isKnown) return;
    const knownForm = Math.min(NEWEST_SEAL_FORM, ...processes.map((each) => each.sealForm));
    const next = {
      keyId: lacking > 0 && row !== undefined ? row.keyId : ownKeyId,
      sealForm: Math.max(row?.sealForm ?? 1, knownForm),
    };
    if (next.keyId === row?.keyId && next.sealForm === row.sealForm) return;
    const isWritten = await writeSealingKey(transaction, this.fernet, next, row);
    if (isWritten && row !== undefined && row.keyId !== next.keyId) {
      this.#log.log(`ENCRYPTION_KEY (fingerprint ${ownKeyId}) seals from now on, in place of ${row.keyId}`);
    }
  }

  #warnOnce(reason: string): void {
    if (reason !== this.#lastReason) this.#log.warn(reason);
    this.#lastReason = reason;
  }

  /** The fingerprint of ENCRYPTION_KEY, if it seals; otherwise an error that says why not. */
  async ownKey(): Promise<string | Error> {
    const { ownKeyId } = this.fernet;
    if (ownKeyId === undefined) return new Error('ENCRYPTION_KEY is not set');
    await this.settle();
    const row = await readSealingKey(this.dataSource);
    if (row?.keyId === ownKeyId) return ownKeyId;
    const { reason } = await this.check();
    return new Error(
      this.#lastReason ??
        reason ??
        `credentials are sealed under the key with the fingerprint ${row?.keyId ?? ''}`,
    );
  }

  /**
   * Makes ENCRYPTION_KEY the sealing key although some credentials are sealed under a key that nobody has any more. They stay as they
   * are, and `audit` records it in the same transaction.
   * @returns the fingerprints of the lost key and of the one that seals now; undefined when the key is not lost
   */
  async acceptLoss(
    audit: (transaction: EntityManager, lost: LostKey) => Promise<void>,
  ): Promise<LostKey | undefined> {
    const { ownKeyId } = this.fernet;
    return this.dataSource.transaction(async (transaction) => {
      const row = await readSealingKey(transaction, 'for update');
      if (ownKeyId === undefined || row === undefined || this.fernet.hasKey(row.keyId)) return undefined;
      const processes = await lockedRegistry((statement) => transaction.query(statement));
      if (processes.some(({ encryptionKeyIds }) => encryptionKeyIds.includes(row.keyId))) return undefined;
      await writeSealingKey(transaction, this.fernet, { keyId: ownKeyId, sealForm: row.sealForm }, row);
      const lost = { lostKeyId: row.keyId, keyId: ownKeyId };
      await audit(transaction, lost);
      return lost;
    });
  }

  /** Writes nothing. Without ENCRYPTION_KEY there is nothing to check. */
  async check(): Promise<KeyCheck> {
    if (this.fernet.ownKeyId === undefined) return { isReady: true, missingKeys: [] };
    const missingKeys = await missingKeyIds(this.dataSource, this.fernet);
    const row = await readSealingKey(this.dataSource);
    const fix =
      'Add those keys to ENCRYPTION_KEY_PREVIOUS, or set the credentials that are listed as unreadable again.';
    const missing =
      missingKeys.length === 0
        ? ''
        : `Some credentials are sealed under keys that are not loaded, with the fingerprints ${missingKeys.join(', ')}.`;
    if (row !== undefined && opensCanary(this.fernet, row)) {
      return { isReady: true, missingKeys, ...(missing && { reason: `${missing} ${fix}` }) };
    }
    if (row === undefined && missing === '') return { isReady: true, missingKeys };
    const reason =
      row === undefined
        ? `${missing} ${fix}`
        : `ENCRYPTION_KEY may be the wrong one: this database is sealed under the key with the fingerprint ${row.keyId}, which is not loaded, so no credential can be set. Set ENCRYPTION_KEY or ENCRYPTION_KEY_PREVIOUS to that key. If it is lost for good, run npm run cli -- encryption accept-loss.`;
    return { isReady: false, missingKeys, reason };
  }
}
