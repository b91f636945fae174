import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { type Config, InjectConfig } from '#config';
import { HourlySweep, reasonOf } from '#database';
import { deleteRecords } from './usage-tables';

const DAY_MS = 24 * 60 * 60 * 1000;
const CHUNK = 10_000;

/** Deletes usage records that are older than USAGE_RETENTION_DAYS, at the start and every hour. The sums of each day are kept. */
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

  /**
   * Deletes in chunks, so that no transaction is long. Several processes can work at the same time.
   * @returns the number of deleted records
   */
  async sweep(now = Date.now()): Promise<number> {
    const days = this.config.usageRetentionDays;
    if (days === 0) return 0;
    const before = new Date(now - days * DAY_MS);
    for (let total = 0; ;) {
      const count = await this.dataSource.transaction((transaction) =>
        deleteRecords(transaction, before, CHUNK),
      );
      total += count;
      if (count < CHUNK || this.#sweeps.isStopping) return total;
    }
  }
}
