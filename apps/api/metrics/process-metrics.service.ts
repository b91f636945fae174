import { createRequire } from 'node:module';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type Pool, type PoolClient } from 'pg';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { type DataSource } from 'typeorm';
import { CacheService, ChangesService } from '#cache';
import { type Config, InjectConfig } from '#config';
import { ServiceDataSource } from '#database';
import { EgressService } from '#egress';
import { KeyLimitsService } from '#issued-keys';
import { CallQueueService, ModelCatalogue, staleReason } from '#model-routing';
import { Histogram, UsageMetricsService } from '#usage';
import { RequestMetrics } from './request-metrics';

const { version } = createRequire(__filename)('#package.json') as { version: string };

const waitBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** A change waits for the lease of a process that hangs, which is at most 60 seconds. */
const changeBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 66];

/** What this process knows of itself without asking the database. */
@Injectable()
export class ProcessMetricsService {
  readonly #registry = new Registry();
  readonly #poolWait = new Histogram({
    name: 'tenkey_database_pool_wait_seconds',
    help: 'How long work waited for a connection of the pool, until it had one or gave up.',
    bounds: waitBounds,
    registry: this.#registry,
  }).series();

  constructor(
    @InjectConfig() config: Config,
    @InjectDataSource() dataSource: DataSource,
    catalogue: ModelCatalogue,
    cache: CacheService,
    changes: ChangesService,
    limits: KeyLimitsService,
    private readonly requests: RequestMetrics,
    private readonly usage: UsageMetricsService,
    private readonly queue: CallQueueService,
    private readonly egress: EgressService,
  ) {
    collectDefaultMetrics({ register: this.#registry });
    this.#info();
    this.#gauge(
      'tenkey_strict_mode',
      '1: strict mode. 0: single-tenant mode, in which no call uses a stored credential.',
      () => Number(config.tenantCredentialsEnabled),
    );
    this.#database(dataSource);
    this.#cache(config, cache, changes);
    this.#limits(limits);
    this.#gauge('tenkey_catalogue_models', 'Models of the catalogue in force.', () => catalogue.all().length);
    this.#gauge(
      'tenkey_catalogue_stale',
      '1: the file of the model catalogue has faults, and the models that were loaded before remain in force.',
      () => Number(staleReason(catalogue) !== undefined),
    );
  }

  /** The registries of everything that is counted in this process. */
  get registries(): Registry[] {
    const counted = [this.requests, this.usage, this.queue, this.egress];
    return [this.#registry, ...counted.map(({ registry }) => registry)];
  }

  #info(): void {
    new Gauge({
      name: 'tenkey_build_info',
      help: 'Always 1; the labels say what runs.',
      labelNames: ['version', 'node_version'],
      registers: [this.#registry],
    }).set({ version, node_version: process.versions.node }, 1);
  }

  #database(dataSource: DataSource): void {
    const pool = (dataSource.driver as unknown as { master: Pool }).master;
    this.#measureWaits(pool);
    const inUse = () => pool.totalCount - pool.idleCount;
    new Gauge({
      name: 'tenkey_database_pool_connections',
      help: 'Connections of the pool to the database that are open.',
      labelNames: ['state'],
      registers: [this.#registry],
      collect() {
        this.set({ state: 'in_use' }, inUse());
        this.set({ state: 'idle' }, pool.idleCount);
      },
    });
    const { poolSize } = dataSource.options as { poolSize?: number };
    this.#gauge(
      'tenkey_database_pool_max_connections',
      'How many connections the pool may open.',
      () => poolSize ?? 0,
    );
    this.#gauge(
      'tenkey_database_pool_waiting',
      'How much work waits for a connection of the pool.',
      () => pool.waitingCount,
    );
    this.#gauge(
      'tenkey_database_transactions_waiting',
      'Changes that wait to begin: they may use half of the pool.',
      () => (dataSource instanceof ServiceDataSource ? dataSource.waitingTransactions : 0),
    );
  }

  /** TypeORM takes every connection with `connect(callback)`. */
  #measureWaits(pool: Pool): void {
    type Connected = (error: Error | undefined, client: PoolClient | undefined, done: () => void) => void;
    const connect = pool.connect.bind(pool) as (connected: Connected) => void;
    const measured = (connected: Connected) => {
      const started = performance.now();
      connect((error, client, done) => {
        this.#poolWait.observe((performance.now() - started) / 1000);
        connected(error, client, done);
      });
    };
    pool.connect = measured as Pool['connect'];
  }

  #cache({ cacheLeaseSeconds }: Config, cache: CacheService, changes: ChangesService): void {
    this.#gauge(
      'tenkey_cache_lease_seconds',
      'CACHE_LEASE_SECONDS; 0: nothing is cached.',
      () => cacheLeaseSeconds,
    );
    this.#gauge(
      'tenkey_cache_lease_valid',
      '1: calls may use what is cached. 0: each call reads the database.',
      () => Number(cache.isLeased),
    );
    this.#gauge('tenkey_cache_entries', 'Cached rows.', () => cache.store.size);
    this.#gauge('tenkey_cache_bytes', 'Estimated memory of the cached rows.', () => cache.store.bytes);
    const { lookUps } = cache;
    new Counter({
      name: 'tenkey_cache_lookups_total',
      help: 'Look-ups of a row that calls need. hit: it was cached; miss: it was read.',
      labelNames: ['result'],
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc({ result: 'hit' }, lookUps.hits);
        this.inc({ result: 'miss' }, lookUps.misses);
      },
    });
    const confirmed = new Histogram({
      name: 'tenkey_change_confirm_seconds',
      help: 'How long a change of this process waited after its commit, until it was in force in every process.',
      bounds: changeBounds,
      registry: this.#registry,
    }).series();
    this.#gauge(
      'tenkey_changes_failing',
      '1: the database can be read, but changes and usage records cannot be stored, as /ready says with the reason.',
      () => Number(changes.storageFault !== undefined),
    );
    changes.observe(({ waitedMs }) => confirmed.observe(waitedMs / 1000));
  }

  #limits({ queries }: KeyLimitsService): void {
    new Counter({
      name: 'tenkey_limit_queries_total',
      help: 'Statements with which this process took shares of the limits of tenant keys. failed: the database did not answer, and limits are divided among the processes meanwhile.',
      labelNames: ['result'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [result, count] of Object.entries(queries)) this.inc({ result }, count);
      },
    });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }
}
