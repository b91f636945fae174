import { setTimeout as wait } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { type AuditAction, AuditLogService } from '#audit';
import { NEWEST_SEAL_FORM, readAbilities } from '#cache';
import { type Config, InjectConfig } from '#config';
import { FernetService } from '#crypto';
import { falseIfUnavailable, reasonOf, waitAtStop } from '#database';
import { type ChangedBy, Problem } from '#http';
import { outdatedFormerKeys, resealFormerKeys } from '../encryption/former-keys';
import { credentialTables, missingKeyIds } from './sealed-tables';
import { readSealingState, sealingKey } from '../encryption/sealing-key';
import { SealingKeyService } from './sealing-key.service';
import { SealingState } from '../encryption/sealing-state.entity';
import { countOlderSeals, countOutdated, nextOutdated, resealRows } from './resealing';
import { type Position, Rotation } from './rotation.entity';

/** Rows in one transaction. More than 100 tenants in one would make every process drop all that it has cached. */
const BATCH = 100;

/** Faults that are kept; further ones are only counted. */
const KEPT_FAULTS = 1000;

/** How often a process looks whether there is a rotation to help with. */
const LOOK_MS = 5000;

/** How long to wait for rows that a change has locked. */
const LOCKED_MS = 100;

/**
 * Seals stored credentials again under the key that seals, while calls and changes go on. A row of the database says how far the
 * rotation is. Every process and the command line continue from there, one batch after the other, so a killed one is replaced
 * by the others.
 */
@Injectable()
export class RotationService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger('encryption');
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isStopping = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly fernet: FernetService,
    private readonly audit: AuditLogService,
    private readonly sealing: SealingKeyService,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => this.#run(() => this.#canHelp()), LOOK_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    this.#isStopping = true;
    await waitAtStop(this.#running ?? Promise.resolve(), this.config);
  }

  /** The latest rotation; undefined when there was none. */
  async latest(): Promise<Rotation | undefined> {
    return (await this.dataSource.manager.findOneBy(Rotation, { id: 1 })) ?? undefined;
  }

  /** How many rows a rotation would seal again, and under which key. @throws Problem rotation_conflict */
  async plan(): Promise<{ total: number; keyId: string }> {
    const { ownKeyId } = this.fernet;
    const reason = await this.sealing.settle();
    const state = await readSealingState(this.dataSource);
    if (state === undefined || ownKeyId === undefined || state.encryptionKeyId !== ownKeyId) {
      throw new Problem('rotation_conflict', {
        detail: `${reason ?? 'ENCRYPTION_KEY does not seal'}.`,
        hint: 'A rotation seals under ENCRYPTION_KEY. Start every process with the new key in ENCRYPTION_KEY and the old one in ENCRYPTION_KEY_PREVIOUS, and try again.',
      });
    }
    const { manager } = this.dataSource;
    const processes = await readAbilities(manager);
    const lacking = (await missingKeyIds(manager, this.fernet)).find((id) =>
      processes.some(({ encryptionKeyIds }) => encryptionKeyIds.includes(id)),
    );
    if (lacking !== undefined) {
      throw new Problem('rotation_conflict', {
        detail: `Credentials are sealed under the encryption key with the fingerprint ${lacking}, which another process has and this one does not.`,
        hint: 'Load that key in ENCRYPTION_KEY_PREVIOUS here too, and try again.',
      });
    }
    const former = await outdatedFormerKeys(manager, this.fernet, ownKeyId);
    return { total: (await countOutdated(manager, state)) + former.length, keyId: ownKeyId };
  }

  /** Starts a rotation, or continues the one that is paused or runs. @throws Problem rotation_conflict */
  async start(by: ChangedBy): Promise<Rotation> {
    const { total, keyId } = await this.plan();
    return this.dataSource.transaction(async (transaction) => {
      const before = await lockedRotation(transaction);
      const isNew = before === undefined || before.state === 'finished';
      const { actor, requestId, address } = by;
      const next: Omit<Rotation, 'changedAt'> = isNew
        ? {
            id: 1,
            state: 'running',
            encryptionKeyId: keyId,
            total,
            resealed: 0,
            failed: 0,
            faults: [],
            position: { table: 0 },
            startedBy: { actor, requestId, address },
            startedAt: new Date(),
          }
        : { ...before, state: 'running' };
      const saved = await transaction.save(Rotation, { ...next, changedAt: new Date() });
      if (before?.state !== 'running') {
        const action = isNew ? 'encryption.rotate' : 'encryption.resume_rotation';
        await this.audit.record(transaction, by, { action, details: { total: saved.total, key_id: keyId } });
      }
      return saved;
    });
  }

  /** Batches stop until `start`. @throws Problem rotation_conflict when none is running */
  async pause(by: ChangedBy): Promise<Rotation> {
    return this.dataSource.transaction(async (transaction) => {
      const rotation = await lockedRotation(transaction);
      if (rotation?.state !== 'running') {
        throw new Problem('rotation_conflict', { detail: 'No rotation is running.' });
      }
      const saved = await transaction.save(Rotation, { ...rotation, state: 'paused', changedAt: new Date() });
      const details = { resealed: saved.resealed, total: saved.total };
      await this.audit.record(transaction, by, { action: 'encryption.pause_rotation', details });
      return saved;
    });
  }

  /**
   * Seals the next batch, in one transaction with what says how far the rotation is.
   * @returns the rotation afterwards; undefined when none is running, or another process is sealing a batch
   */
  async batch(): Promise<Rotation | undefined> {
    return this.dataSource.transaction(async (transaction) => {
      const rotation = await lockedRotation(transaction, 'skip_locked');
      if (rotation?.state !== 'running') return undefined;
      const sealing = await sealingKey(transaction, this.fernet);
      if (sealing.encryptionKeyId !== rotation.encryptionKeyId) {
        // Another key seals by now, so everything is sealed again under that one.
        Object.assign(rotation, { encryptionKeyId: sealing.encryptionKeyId, ...firstPass });
      }
      const { table, after } = rotation.position;
      const where = credentialTables[table];
      const keys = where && (await nextOutdated(transaction, where, after, sealing, BATCH));
      if (where === undefined) await this.#endPass(transaction, rotation, sealing);
      else if (keys === undefined || keys.length === 0) rotation.position = { table: table + 1 };
      else {
        const { resealed, faults } = await resealRows(transaction, this.fernet, where, keys);
        rotation.position = { table, after: keys.at(-1)! };
        rotation.resealed += resealed;
        rotation.failed += faults.length;
        rotation.faults = [...rotation.faults, ...faults].slice(0, KEPT_FAULTS);
      }
      const saved = await transaction.save(Rotation, { ...rotation, changedAt: new Date() });
      if (keys !== undefined && keys.length > 0) await this.#record(transaction, saved, 'encryption.reseal');
      if (saved.state === 'finished') {
        const more = { least_seal_form: sealing.leastSealForm };
        await this.#record(transaction, saved, 'encryption.end_rotation', more);
      }
      return saved;
    });
  }

  /** Ends the rotation, or starts another pass when rows were locked, or moved behind its position. */
  async #endPass(transaction: EntityManager, rotation: Rotation, sealing: SealingState): Promise<void> {
    if ((await countOutdated(transaction, sealing)) > rotation.failed) {
      Object.assign(rotation, firstPass);
      return;
    }
    rotation.state = 'finished';
    rotation.resealed += await resealFormerKeys(transaction, this.fernet, sealing.encryptionKeyId);
    // Once no seal of an older form is left, one that appears was put there in SQL.
    const canRefuse = sealing.leastSealForm < sealing.sealForm && sealing.sealForm >= NEWEST_SEAL_FORM;
    if (canRefuse && (await countOlderSeals(transaction)) === 0) {
      sealing.leastSealForm = sealing.sealForm;
      await transaction.update(SealingState, { id: 1 }, { leastSealForm: sealing.leastSealForm });
    }
  }

  async #record(
    transaction: EntityManager,
    rotation: Rotation,
    action: AuditAction,
    more: object = {},
  ): Promise<void> {
    const { resealed, failed, total, encryptionKeyId, startedBy } = rotation;
    const details = { resealed, failed, total, key_id: encryptionKeyId, ...more };
    await this.audit.record(transaction, startedBy, { action, details });
  }

  /** Seals batches in the background, until the rotation is finished or paused. */
  help(): void {
    this.#run(() => Promise.resolve(true));
  }

  /** A process without some of the keys would take rows for lost that others can open. */
  async #canHelp(): Promise<boolean> {
    if ((await this.latest())?.state !== 'running') return false;
    return (await missingKeyIds(this.dataSource.manager, this.fernet)).length === 0;
  }

  #run(when: () => Promise<boolean>): void {
    this.#running ??= this.#sealAll(when)
      .catch((error: unknown) => {
        this.#log.warn(
          `no batch of the rotation was sealed: ${reasonOf(error)}; the next try is in some seconds`,
        );
      })
      .finally(() => (this.#running = undefined));
  }

  async #sealAll(when: () => Promise<boolean>): Promise<void> {
    if (!(await when().catch(falseIfUnavailable))) return;
    while (!this.#isStopping) {
      const rotation = await this.batch();
      if (rotation?.state !== 'running') return;
      if (isFirst(rotation.position)) await wait(LOCKED_MS);
    }
  }
}

const firstPass = { position: { table: 0 }, failed: 0, faults: [] };

const isFirst = ({ table, after }: Position) => table === 0 && after === undefined;

async function lockedRotation(
  transaction: EntityManager,
  onLocked?: 'skip_locked',
): Promise<Rotation | undefined> {
  const query = transaction.createQueryBuilder(Rotation, 'r').where('r.id = 1').setLock('pessimistic_write');
  return (await (onLocked === undefined ? query : query.setOnLocked(onLocked)).getOne()) ?? undefined;
}
