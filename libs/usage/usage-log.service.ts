import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, QueryFailedError } from 'typeorm';
import { EgressService } from '#egress';
import { type UsageRecord } from './usage-record.entity';
import { UsageMetrics } from './usage-metrics';
import { insertLost, insertRecords, type LostCalls } from './usage-tables';

const FLUSH_MS = 1000;
const BATCH = 500;
/** About 40 MB. More that wait for the database are counted and not kept. */
const MAXIMUM_PENDING = 50_000;
/** Tenants and days whose lost calls are told apart; more are told in the log alone. */
const MAXIMUM_LOST = 10_000;

/**
 * Keeps usage records: noted in memory, written in batches once a second, so that no call waits for it or fails by it. While
 * the database is away they wait; what does not fit is counted by day and tenant, and the count is written when it is back.
 */
@Injectable()
export class UsageLog implements OnApplicationShutdown {
  readonly #log = new Logger('usage');
  readonly #pending: UsageRecord[] = [];
  readonly #lost = new Map<string, LostCalls>();
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isAway = false;
  #isStopping = false;
  #isOver = false;
  /** Lost, and not yet in the log. */
  #untold = 0;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly metrics: UsageMetrics,
    private readonly egress: EgressService,
  ) {}

  /** Never throws and waits for nothing. */
  add(record: UsageRecord): void {
    this.metrics.observe(record);
    if (this.#isOver) {
      this.#lose([record]);
      return this.#tellLost();
    }
    if (this.#pending.length >= MAXIMUM_PENDING) this.#lose([record]);
    else this.#pending.push(record);
    this.metrics.waiting(this.#pending.length);
    if (this.#pending.length >= BATCH && !this.#isAway) void this.#flush();
    this.#flushSoon();
  }

  /** After the last call: those of other modules in this process, which no server waits for, end here. */
  async onApplicationShutdown(): Promise<void> {
    await this.egress.onApplicationShutdown();
    // A call's record is made when its body has closed, which is soon.
    await nextTurn();
    this.#isStopping = true;
    // What runs is waited for, and may have begun before the last records came.
    await this.#writing;
    await this.#flush();
    this.#isOver = true;
    this.#lose(this.#pending.splice(0));
    this.#tellLost();
  }

  /** Nothing else writes, and while it does it begins no other: two at once would each take away what both have written. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
      if (this.#pending.length > 0 || this.#lost.size > 0) this.#flushSoon();
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
      const lost = [...this.#lost.values()];
      if (lost.length > 0) {
        this.#lost.clear();
        await insertLost(this.dataSource.manager, lost).catch((error: unknown) => {
          for (const each of lost) this.#count(each);
          throw error;
        });
      }
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
      try {
        await insertRecords(this.dataSource.manager, batch);
      } catch (error) {
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

  #lose(records: readonly UsageRecord[]): void {
    for (const { at, tenantId } of records) {
      this.#count({ day: at.toISOString().slice(0, 10), tenantId, calls: 1 });
    }
    this.#untold += records.length;
    this.metrics.lost(records.length);
  }

  #tellLost(): void {
    if (this.#untold === 0) return;
    this.#log.error(`${this.#untold} usage records are lost; the lines of their requests are in this log`);
    this.#untold = 0;
  }

  #count({ day, tenantId, calls }: LostCalls): void {
    const name = `${day} ${tenantId}`;
    const known = this.#lost.get(name);
    if (known === undefined && this.#lost.size >= MAXIMUM_LOST) return;
    this.#lost.set(name, { day, tenantId, calls: calls + (known?.calls ?? 0) });
  }
}

/** The values are at fault (SQLSTATE classes 22 and 23), so that no later time will do. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const { code } = error.driverError as { code?: unknown };
  return typeof code === 'string' && /^2[23]/.test(code);
}
