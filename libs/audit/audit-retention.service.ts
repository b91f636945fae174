import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { type Config, InjectConfig } from '#config';
import { FernetService } from '#crypto';
import { HourlySweep } from '#database';
import { faultOf, nextOf, NOTHING, type ReadSoFar } from './chain/audit-chain';
import { type Checkpoint, checkpointOf, detailsOfCheckpoint, EXPIRE } from './chain/audit-checkpoint';
import { AuditLogService } from './audit-log.service';
import { storedEvents } from './chain/stored-event';

const DAY_MS = 24 * 60 * 60 * 1000;
/** The chain is locked while events are deleted. */
const CHUNK = 10_000;

/**
 * Deletes audit events that are older than AUDIT_RETENTION_DAYS, whole days at a time, so that it adds at most a few events each day.
 * Events that do not verify are kept, with all that follow: they are evidence.
 */
@Injectable()
export class AuditRetentionService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger('audit');
  readonly #sweeps = new HourlySweep(
    async () => {
      const count = await this.sweep();
      if (count > 0) this.#log.log(`deleted ${count} audit events that were older than the retention`);
    },
    ({ message }) => this.#log.warn(`old audit events were not deleted: ${message}`),
  );

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly audit: AuditLogService,
    private readonly fernet: FernetService,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.auditRetentionDays > 0) this.#sweeps.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#sweeps.stop(this.config);
  }

  /** @returns the number of deleted events */
  async sweep(now = Date.now()): Promise<number> {
    const days = this.config.auditRetentionDays;
    if (days === 0) return 0;
    const before = new Date(Math.floor(now / DAY_MS) * DAY_MS - days * DAY_MS);
    for (let total = 0; ;) {
      const count = await this.dataSource.transaction((transaction) =>
        this.expire(transaction, before, CHUNK),
      );
      total += count;
      if (count < CHUNK || this.#sweeps.isStopping) return total;
    }
  }

  /**
   * Deletes the oldest events, up to one that is not older than `before`. A further event records what the chain was there, so that
   * the rest can still be verified.
   * @returns how many were deleted
   * @throws Error when one of them does not verify
   */
  private async expire(transaction: EntityManager, before: Date, limit: number): Promise<number> {
    // Before anything is read: another process may be doing the same.
    await transaction.query('select 1 from audit_head where id = 1 for update');
    const start = await checkpointOf(transaction);
    await this.refuseForged(transaction, start);
    let last: ReadSoFar = start?.before ?? NOTHING;
    let plain = start?.plain ?? 0;
    let count = 0;
    let isWorthwhile = false;
    const events = await storedEvents(transaction, undefined, limit + 1);
    // The newest event stays in any case.
    for (const event of events.slice(0, Math.min(limit, events.length - 1))) {
      if (!(Number(event.atMs) < before.getTime())) break;
      const fault = faultOf(this.fernet, event, last);
      if (fault !== undefined)
        throw new Error(`event ${event.seq} ${fault}; npx tenkey audit verify shows all`);
      last = nextOf(last, event);
      if (event.encryptionKeyId === null) plain += 1;
      count += 1;
      isWorthwhile ||= event.action !== EXPIRE;
    }
    // Otherwise each deletion would only make place for the event that records it.
    if (!isWorthwhile) return 0;
    const details = detailsOfCheckpoint(last, plain);
    const by = { actor: 'tenkey', requestId: randomUUID(), address: 'local' };
    await this.audit.record(transaction, by, { action: EXPIRE, details });
    await transaction.query('delete from audit_values where seq <= $1', [String(last.seq)]);
    await transaction.query('delete from audit_events where seq <= $1', [String(last.seq)]);
    return count;
  }

  /** A forged checkpoint must not become a part of a genuine one. */
  private async refuseForged(transaction: EntityManager, checkpoint: Checkpoint | undefined): Promise<void> {
    if (checkpoint === undefined) return;
    const seq = BigInt(checkpoint.seq);
    const { before } = checkpoint;
    const [event] = await storedEvents(transaction, String(seq - 1n), 1);
    const [previous] =
      before.seq === seq - 1n ? [before] : await storedEvents(transaction, String(seq - 2n), 1);
    const link = { ...before, seq: seq - 1n, hash: previous?.hash ?? '' };
    const fault = event === undefined ? 'is missing' : faultOf(this.fernet, event, link);
    if (fault !== undefined) {
      throw new Error(`event ${checkpoint.seq} ${fault}; npx tenkey audit verify shows all`);
    }
  }
}
