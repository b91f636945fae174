import { randomUUID } from 'node:crypto';
import { type Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, QueryFailedError } from 'typeorm';
import { type Config, InjectConfig } from '#config';
import { sqlStateOf, waitAtStop } from '#database';
import { EgressService } from '#egress';
import { type CallMeter } from '../metering/call-meter';
import { type LostBatch, type LostCalls, LostCallSums } from './lost-calls';
import { type UsageRecord } from '../usage-record.entity';
import { UsageMetricsService } from './usage-metrics.service';
import { insertLost, insertRecords } from './usage-tables';

const FLUSH_MS = 1000;
const BATCH = 500;
/** About 40 MB. More that wait for the database are counted and not kept. */
const MAXIMUM_PENDING = 50_000;
/** Tenants and days whose lost calls are told apart; more are told in the log alone. */
const MAXIMUM_LOST = 10_000;
/** Tenants and days in one line of the log. */
const NAMED_AT_ONCE = 100;

/**
 * Keeps usage records: noted in memory, written in batches once a second, so that no call waits for it or fails by it. While
 * the database is away they wait; what does not fit is counted by day and tenant, and the count is written when it is back.
 */
@Injectable()
export class UsageLogService implements OnApplicationShutdown {
  readonly #log = new Logger('usage');
  /** Calls whose answers have not closed. */
  readonly #running = new Set<CallMeter>();
  readonly #pending: UsageRecord[] = [];
  readonly #lost = new LostCallSums(MAXIMUM_LOST);
  readonly #process = randomUUID();
  #lostBatches = 0;
  /** Taken from what is lost, and not known to be written. */
  #lostBatch: LostBatch | undefined;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isAway = false;
  /** Of the first that wait, those in a statement that has not ended. */
  #underWay = 0;
  #isStopping = false;
  /** Nothing is written any more. */
  #isOver = false;
  /** Lost, and not yet in the log. */
  #untold = 0;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly metrics: UsageMetricsService,
    private readonly egress: EgressService,
    @InjectConfig() private readonly config: Config,
  ) {}

  /** Never throws and waits for nothing. */
  add(record: UsageRecord): void {
    this.metrics.observe(record);
    if (this.#isOver) {
      this.#lose([record]);
      return this.#giveUp();
    }
    if (this.#pending.length >= MAXIMUM_PENDING) this.#lose([record]);
    else this.#pending.push(record);
    this.metrics.waiting(this.#pending.length);
    if (this.#pending.length >= BATCH && !this.#isAway) void this.#flush();
    this.#flushSoon();
  }

  /** The call ends with its answer's body, or with a stop that comes before. */
  follow(meter: CallMeter, status: number, body: Readable): void {
    this.#running.add(meter);
    body.once('close', () => this.#running.delete(meter));
    meter.follow(status, body);
  }

  /** After the last call: those of other modules in this process, which no server waits for, end here. */
  async onApplicationShutdown(): Promise<void> {
    // Whatever becomes of it, what is noted is written.
    await Promise.allSettled([this.egress.onApplicationShutdown()]);
    // A call's record is made when its body has closed, which is soon.
    await nextTurn();
    // Not of an answer that nobody reads.
    for (const meter of this.#running) meter.stopped();
    this.#isStopping = true;
    await waitAtStop(this.#flushLast(), this.config);
    this.#isOver = true;
    this.#giveUp();
    const unanswered = new LostCallSums(MAXIMUM_LOST).addRecords(this.#pending);
    for (const names of namesOf([...unanswered.take(), ...(this.#lostBatch?.lost ?? [])])) {
      this.#log.warn(`usage records that the database does not answer for, by day and tenant: ${names}`);
    }
  }

  /** What runs may have begun before the last records came. */
  async #flushLast(): Promise<void> {
    await this.#writing;
    if (!this.#isOver) await this.#flush();
  }

  /** Names, once, what no report will count. Of a statement under way that is known when the server says that it failed. */
  #giveUp(): void {
    this.#lose(this.#pending.splice(this.#underWay));
    this.metrics.waiting(this.#pending.length);
    this.#tellLost();
    for (const names of namesOf(this.#lost.take())) {
      this.#log.error(`usage records that no report counts, by day and tenant: ${names}`);
    }
  }

  /** Nothing else writes, and while it does it begins no other: two at once would each take away what both have written. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
      if (this.#isOver) this.#giveUp();
      else if (this.#pending.length > 0 || this.#hasLost) this.#flushSoon();
    });
    return this.#writing;
  }

  #flushSoon(): void {
    if (this.#isStopping) return;
    this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS).unref();
  }

  /** As long as there is something and the database takes it. */
  async #write(): Promise<void> {
    this.#tellLost();
    try {
      await this.#writePending();
      await this.#writeLost();
      this.#isAway = false;
    } catch (error) {
      if (!this.#isAway) this.#log.warn(`usage waits to be written: ${(error as Error).name}`);
      this.#isAway = true;
    } finally {
      this.#tellLost();
    }
  }

  /** Batches are halved down to a record that the database refuses: it takes none of the others with it. */
  async #writePending(): Promise<void> {
    let size = BATCH;
    while (this.#pending.length > 0) {
      const batch = this.#pending.slice(0, size);
      this.#underWay = batch.length;
      try {
        await insertRecords(this.dataSource.manager, batch);
        this.#underWay = 0;
      } catch (error) {
        // The stop ends connections: what was in a statement then may be written, and was named as that.
        if (!this.#isOver || isAnswer(error)) this.#underWay = 0;
        if (!isRefusal(error)) throw error;
        if (batch.length > 1) {
          size = Math.ceil(batch.length / 2);
          continue;
        }
        this.#lose(batch);
      }
      // Each as soon as it is written or lost, so that no later fault has it counted twice.
      this.#pending.splice(0, batch.length);
      this.metrics.waiting(this.#pending.length);
      size = Math.min(size * 2, BATCH);
    }
  }

  get #hasLost(): boolean {
    return this.#lostBatch !== undefined || !this.#lost.isEmpty;
  }

  /** A batch whose commit was not heard of is sent again as it was, so that it counts once. */
  async #writeLost(): Promise<void> {
    while (this.#hasLost && !this.#isOver) {
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
    this.#untold += records.length;
    this.metrics.lost(records.length);
  }

  #tellLost(): void {
    if (this.#untold === 0) return;
    this.#log.error(`${this.#untold} usage records are lost; the lines of their requests are in this log`);
    this.#untold = 0;
  }
}

function namesOf(lost: readonly LostCalls[]): string[] {
  const names = lost.map(({ day, tenantId, calls }) => `${day} ${tenantId} ${calls}`);
  return Array.from({ length: Math.ceil(names.length / NAMED_AT_ONCE) }, (_, part) =>
    names.slice(part * NAMED_AT_ONCE, (part + 1) * NAMED_AT_ONCE).join(', '),
  );
}

/** The server says that the statement failed. */
function isAnswer(error: unknown): boolean {
  return error instanceof QueryFailedError && 'severity' in error.driverError;
}

/** The values are at fault (SQLSTATE classes 22 and 23), so that no later time will do. */
function isRefusal(error: unknown): boolean {
  return /^2[23]/.test(sqlStateOf(error) ?? '');
}
