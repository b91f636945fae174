import { Injectable } from '@nestjs/common';
import { type Config, InjectConfig } from '#config';
import { within } from '#database';
import { Lease, type Moment, momentOf, systemClock } from './lease';
import { LeasedStore, type Loaded } from './leased-store';
import { Membership } from './membership';
import { RegisteredProcesses } from './registered-processes';

/** Enough for about 30,000 rows. A row that was dropped for lack of memory is read again. */
const MAXIMUM_BYTES = 48 * 1024 * 1024;

/** How the rows of one kind are read. */
interface RowsOptions<T> {
  /** Distinguishes the kinds. */
  readonly name: string;
  /** The tenant of a row, if its key alone shows it. */
  readonly tenantOf?: (key: string) => string;
  readonly load: (key: string) => Promise<Loaded<T>>;
}

/** Cached rows of one kind. */
export interface CachedRows<T extends object | null> {
  /**
   * @returns the row at once when it is cached, else a promise of it
   * @throws Error that counts as an unavailable database, after DATABASE_TIMEOUT_MS
   */
  find(key: string): T | Promise<T>;
  /** @returns undefined when the row must be read first */
  peek(key: string): T | undefined;
}

/**
 * The rows that calls need, while the lease of this process is valid. Without a lease each look-up reads the database, and nothing
 * is kept. ChangeFeedService renews the lease and drops what changes.
 */
@Injectable()
export class CacheService {
  readonly lease: Lease;
  readonly store: LeasedStore;
  readonly membership: Membership;
  readonly processes = new RegisteredProcesses(() => systemClock.monotonic());
  /** How often a row was looked up: `hits` of them did not read the database. */
  readonly lookUps = { hits: 0, misses: 0 };
  /** The difference between the time of the database and the monotonic clock, in milliseconds. */
  #databaseOffset: number | undefined;

  constructor(@InjectConfig() private readonly config: Config) {
    this.lease = new Lease(config.cacheLeaseSeconds * 1000, systemClock);
    this.store = new LeasedStore(this.lease, () => systemClock.monotonic(), MAXIMUM_BYTES);
    this.membership = new Membership(this.lease, this.store);
  }

  /** @param T a row; null for the fact that there is none */
  rows<T extends object | null>({ name, tenantOf, load }: RowsOptions<T>): CachedRows<T> {
    const nameOf = (key: string) => `${name} ${key}`;
    return {
      find: (key) => {
        const cached = this.store.get(nameOf(key));
        if (cached !== undefined) {
          this.lookUps.hits += 1;
          return cached.value as T;
        }
        this.lookUps.misses += 1;
        const reading = this.store.read(nameOf(key), tenantOf?.(key), () => load(key));
        return this.inTime(reading);
      },
      peek: (key) => this.store.get(nameOf(key))?.value as T | undefined,
    };
  }

  /** False: each look-up reads the database. */
  get isLeased(): boolean {
    return this.lease.isValid;
  }

  /**
   * Repeats look-ups until nothing was dropped while they ran. What they found is then valid together, in the turn of the event
   * loop in which the promise resolves: notifications of changes arrive in later turns.
   */
  async lookUp<T>(look: () => Promise<T>): Promise<T> {
    for (;;) {
      const { dropCount } = this.store;
      const found = await look();
      if (this.store.dropCount === dropCount) return found;
    }
  }

  /**
   * The database returned its time.
   * @param sent when it was asked; its time may be this much later by now, so that a key never lives too long
   */
  observeDatabaseTime(databaseMs: number, sent: Moment): void {
    this.#databaseOffset = databaseMs - sent.monotonic;
  }

  /** The time of the database, which all processes share, in milliseconds since 1970. */
  get databaseNow(): number {
    return this.#databaseOffset === undefined
      ? systemClock.wall()
      : systemClock.monotonic() + this.#databaseOffset;
  }

  /** For `observeDatabaseTime`. */
  now(): Moment {
    return momentOf(systemClock);
  }

  private async inTime<T>(reading: Promise<T>): Promise<T> {
    const row = await within(this.config.databaseTimeoutMs, reading);
    if (row === undefined) throw new Error('timeout expired before the database responded');
    return row;
  }
}
