import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { CacheService } from '#cache';
import { type Config, InjectConfig } from '#config';
import { HourlySweep, reasonOf, waitAtStop } from '#database';
import { commonWindows, sweepWindows } from './common-windows';
import { type ExchangeOptions, LimitExchange } from './limit-exchange';
import { SharedLimits } from './shared-limits';

/** The limits of tenant keys, over all processes on this database. */
@Injectable()
export class KeyLimitsService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly requests: SharedLimits;
  readonly tokens: SharedLimits;
  readonly #exchange: LimitExchange;
  readonly #log = new Logger('limits');
  readonly #sweeps: HourlySweep;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    cache: CacheService,
    @InjectConfig() private readonly config: Config,
  ) {
    const options: ExchangeOptions = {
      ask: commonWindows(dataSource),
      processes: cache.processes,
      timeoutMs: config.databaseTimeoutMs,
      now: () => performance.now(),
      databaseNow: () => cache.databaseNow,
      onAway: (isAway, error) => this.#noteAway(isAway, error),
    };
    this.#exchange = new LimitExchange(options);
    this.requests = new SharedLimits('requests', options, this.#exchange);
    this.tokens = new SharedLimits('tokens', options, this.#exchange);
    cache.processes.onCompany(() => {
      for (const limits of [this.requests, this.tokens]) limits.publish();
      void this.#exchange.flush();
    });
    this.#sweeps = new HourlySweep(
      () => sweepWindows(dataSource),
      ({ name }) => this.#log.warn(`old windows of limits were not deleted: ${name}`),
    );
  }

  /** How many statements the database has answered, and how many not. */
  get queries(): Readonly<Record<'answered' | 'failed', number>> {
    return this.#exchange.counts;
  }

  onApplicationBootstrap(): void {
    this.#sweeps.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await waitAtStop(this.#exchange.flush(), this.config);
    await this.#sweeps.stop(this.config);
  }

  #noteAway(isAway: boolean, error: unknown): void {
    if (!isAway) return this.#log.log('the limits of tenant keys hold over all processes again');
    const reason = error === undefined ? 'it does not respond in time' : reasonOf(error);
    this.#log.warn(
      `the limits of tenant keys are divided among the processes, because the database is unavailable (${reason})`,
    );
  }
}
