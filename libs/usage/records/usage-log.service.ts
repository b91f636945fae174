import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, QueryFailedError } from 'typeorm';
import { ChangesService } from '#cache';
import { type Config, InjectConfig } from '#config';
import { InFlight, reasonOf, sqlStateOf, waitAtStop } from '#database';
import { EgressService, type Route } from '#egress';
import { CallMeter, type MeteredCall } from '../metering/call-meter';
import { type LostBatch, type LostCalls, LostCallSums } from './lost-calls';
import { type UsageRecord } from '../usage-record.entity';
import { UsageMetricsService } from './usage-metrics.service';
import { insertLost, insertRecords } from './usage-tables';

const FLUSH_MS = 1000;
const BATCH = 500;
/** About 40 MB of memory. If more records wait for the database, they are counted and not kept. */
const MAXIMUM_PENDING = 50_000;
/** At most this many days and tenants have a sum of lost calls; the log counts those of further ones. */
const MAXIMUM_SUMS = 10_000;
/** Sums of lost calls in one line of the log. */
const SUMS_PER_LINE = 100;

/**
 * Writes usage records. They are collected in memory and written in batches once a second, so that no call waits for a write
 * or fails because of one. While the database is unavailable they wait. Records that do not fit into memory are lost; they
 * are counted by day and tenant, and the counts are written when the database is available again.
 */
@Injectable()
export class UsageLogService implements OnApplicationShutdown {
  readonly #log = new Logger('usage');
  /** Calls that have not ended. */
  readonly #running = new InFlight<CallMeter>();
  readonly #pending: UsageRecord[] = [];
  readonly #lost = new LostCallSums(MAXIMUM_SUMS);
  readonly #process = randomUUID();
  #lostBatches = 0;
  /** Taken from `#lost`, and not known to be written. */
  #lostBatch: LostBatch | undefined;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the last write failed, as it does while the database is unavailable. */
  #hasFailed = false;
  /** How many of the first pending records are in a statement that is running. */
  #inStatement = 0;
  #isStopping = false;
  /** The service has stopped; nothing more is written. */
  #isStopped = false;
  /** Lost records that the log does not mention yet. */
  #unlogged = 0;
  #observer: ((record: UsageRecord) => void) | undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly metrics: UsageMetricsService,
    private readonly egress: EgressService,
    @InjectConfig() private readonly config: Config,
    private readonly changes: ChangesService,
  ) {
    metrics.countInFlight(() => this.#running.size);
  }

  /** @param observer is told of each call that has ended, for its trace. It must not throw */
  observe(observer: (record: UsageRecord) => void): void {
    this.#observer = observer;
  }

  /**
   * Never throws and never waits.
   * @param overheadMs how long it took to send the call; undefined: it was not sent
   */
  add(record: UsageRecord, overheadMs?: number): void {
    this.metrics.observe(record, overheadMs);
    this.#observer?.(record);
    if (this.#isStopped) {
      this.#lose([record]);
      return this.#giveUp();
    }
    if (this.#pending.length >= MAXIMUM_PENDING) this.#lose([record]);
    else this.#pending.push(record);
    this.metrics.setWaiting(this.#pending.length);
    if (this.#pending.length >= BATCH && !this.#hasFailed) void this.#flush();
    this.#flushSoon();
  }

  /**
   * Starts to measure a call. Its record is added when it ends, also if the process stops before it does.
   * @param onEnd called once; without a record when the call failed before its route was decided
   */
  begin(call: MeteredCall, onEnd: (record: UsageRecord | undefined) => void): CallMeter {
    const meter: CallMeter = new CallMeter(call, (record) => {
      this.#running.delete(meter);
      if (record !== undefined) this.add(record, meter.overheadMs);
      onEnd(record);
    });
    this.#running.add(meter);
    return meter;
  }

  /** The response repeated the key of the call; `bytes` bytes of it were overwritten. */
  keyMasked({ tenantId, provider, credential }: Route, { requestId }: MeteredCall, bytes: number): void {
    this.metrics.addMasked(bytes);
    this.#log.warn(
      `the response to request ${requestId} of tenant ${tenantId} repeated the ${credential.source} key for ${provider.id}: ${bytes} bytes were overwritten`,
    );
  }

  /** Finishes the calls that no server waits for (those of code in this process), then writes the last records. */
  async onApplicationShutdown(): Promise<void> {
    // The records must be written even if this fails.
    await Promise.allSettled([this.egress.onApplicationShutdown()]);
    // The failures of calls arrive in the next turn.
    await nextTurn();
    // A body that is not being read does not close by itself.
    for (const meter of this.#running.all) meter.stopped();
    this.#isStopping = true;
    await waitAtStop(this.#flushLast(), this.config);
    this.#isStopped = true;
    this.#giveUp();
    const unconfirmed = new LostCallSums(MAXIMUM_SUMS).addRecords(this.#pending);
    for (const sums of linesOf([...unconfirmed.take(), ...(this.#lostBatch?.lost ?? [])])) {
      this.#log.warn(`usage records that the database did not confirm, by day and tenant: ${sums}`);
    }
  }

  /** Waits for a running write and writes again, because that one may have started before the last records were added. */
  async #flushLast(): Promise<void> {
    await this.#writing;
    if (!this.#isStopped) await this.#flush();
  }

  /**
   * Logs, once, the records that no report will count. Those in a running statement follow if the database reports that it
   * failed.
   */
  #giveUp(): void {
    this.#lose(this.#pending.splice(this.#inStatement));
    this.metrics.setWaiting(this.#pending.length);
    this.#logLost();
    for (const sums of linesOf(this.#lost.take())) {
      this.#log.error(`usage records that no report counts, by day and tenant: ${sums}`);
    }
  }

  /** Only one write runs at a time: two would each remove from memory what both have written. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
      if (this.#isStopped) this.#giveUp();
      else if (this.#pending.length > 0 || this.#hasLost) this.#flushSoon();
    });
    return this.#writing;
  }

  #flushSoon(): void {
    if (this.#isStopping) return;
    this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS).unref();
  }

  /** Writes until nothing is left or the database fails. */
  async #write(): Promise<void> {
    this.#logLost();
    try {
      await this.#writePending();
      await this.#writeLost();
      this.#hasFailed = false;
    } catch (error) {
      this.changes.noteFault(error);
      if (!this.#hasFailed) this.#log.warn(`usage records cannot be written yet: ${reasonOf(error)}`);
      this.#hasFailed = true;
    } finally {
      this.#logLost();
    }
  }

  /** Halves a batch that the database refuses until the faulty record is alone, so that no other record is lost with it. */
  async #writePending(): Promise<void> {
    let size = BATCH;
    while (this.#pending.length > 0) {
      const batch = this.#pending.slice(0, size);
      this.#inStatement = batch.length;
      try {
        await insertRecords(this.dataSource.manager, batch);
        this.#inStatement = 0;
      } catch (error) {
        // At a stop the connections close. Records in a statement may then be written or not, and are logged as unconfirmed.
        if (!this.#isStopped || isServerError(error)) this.#inStatement = 0;
        if (!isDataError(error)) throw error;
        if (batch.length > 1) {
          size = Math.ceil(batch.length / 2);
          continue;
        }
        this.#lose(batch);
      }
      // Removed as soon as they are written or lost, so that a later error cannot count them twice.
      this.#pending.splice(0, batch.length);
      this.metrics.setWaiting(this.#pending.length);
      size = Math.min(size * 2, BATCH);
    }
  }

  get #hasLost(): boolean {
    return this.#lostBatch !== undefined || !this.#lost.isEmpty;
  }

  /** A batch whose commit was not confirmed is sent again unchanged, so that the database counts it once. */
  async #writeLost(): Promise<void> {
    while (this.#hasLost && !this.#isStopped) {
      this.#lostBatch ??= {
        process: this.#process,
        number: (this.#lostBatches += 1),
        lost: this.#lost.take(),
      };
      await insertLost(this.dataSource.manager, this.#lostBatch);
      this.#lostBatch = undefined;
    }
  }

  #lose(records: readonly UsageRecord[]): void {
    this.#lost.addRecords(records);
    this.#unlogged += records.length;
    this.metrics.addLost(records.length);
  }

  #logLost(): void {
    if (this.#unlogged === 0) return;
    this.#log.error(
      `${this.#unlogged} usage records are lost; this log has a line for each of their requests`,
    );
    this.#unlogged = 0;
  }
}

function linesOf(lost: readonly LostCalls[]): string[] {
  const sums = lost.map(({ day, tenantId, calls }) => `${day} ${tenantId} ${calls}`);
  return Array.from({ length: Math.ceil(sums.length / SUMS_PER_LINE) }, (_, part) =>
    sums.slice(part * SUMS_PER_LINE, (part + 1) * SUMS_PER_LINE).join(', '),
  );
}

/** Whether the server reported that the statement failed. */
function isServerError(error: unknown): boolean {
  return error instanceof QueryFailedError && 'severity' in error.driverError;
}

/** Whether the values are the cause (SQLSTATE classes 22 and 23), so that a retry would fail too. */
function isDataError(error: unknown): boolean {
  return /^2[23]/.test(sqlStateOf(error) ?? '');
}
