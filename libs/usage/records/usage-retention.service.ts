import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { type Config, InjectConfig } from '#config';
import { HourlySweep, reasonOf } from '#database';
import { deleteHours, deleteRecords, HOURLY_DAYS } from './usage-tables';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const CHUNK = 10_000;

/**
 * Deletes usage records that are older than USAGE_RETENTION_DAYS, and the sums of hours that ended more than 14 days ago, at the start
 * and every hour. The sums of each day are kept.
 */
@Injectable()
export class UsageRetentionService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger('usage');
  readonly #sweeps = new HourlySweep(
    async () => {
      const count = await this.sweep();
      if (count > 0) this.#log.log(`deleted ${count} usage records that were older than the retention`);
    },
    (error) => this.#log.warn(`old usage records were not deleted: ${reasonOf(error)}`),
  );

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
  ) {}

  onApplicationBootstrap(): void {
    this.#sweeps.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#sweeps.stop(this.config);
  }

  /** @returns the number of deleted records */
  async sweep(now = Date.now()): Promise<number> {
    await this.#inChunks(deleteHours, now - HOURLY_DAYS * DAY_MS - HOUR_MS);
    const days = this.config.usageRetentionDays;
    return days === 0 ? 0 : this.#inChunks(deleteRecords, now - days * DAY_MS);
  }

  /** No transaction is long, and several processes can work at the same time. @returns how many rows were deleted */
  async #inChunks(
    remove: (manager: EntityManager, before: Date, limit: number) => Promise<number>,
    before: number,
  ): Promise<number> {
    for (let total = 0; ;) {
      const count = await this.dataSource.transaction((transaction) =>
        remove(transaction, new Date(before), CHUNK),
      );
      total += count;
      if (count < CHUNK || this.#sweeps.isStopping) return total;
    }
  }
}
