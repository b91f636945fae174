import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import {
  breaksConstraint,
  isDatabaseUnavailable,
  keepsFromStoring,
  mayBeCommitted,
  type Outage,
  outageOf,
  reasonOf,
  sqlStateOf,
} from '#database';
import { CacheService } from './cache.service';
import { isAwaited, RegistryObservations } from './confirmation';
import { systemClock } from './lease';
import { type Changed } from './leased-store';
import { deregister, pooledQuery, type Query, readRegistry, removeSilent, tryToStore } from './registry';

/** In how many processes a change is in force, and how long that took after its commit. */
export interface InForce {
  readonly processes: number;
  readonly waitedMs: number;
}

/** Who learns that a change is in force. */
export interface InForceListener {
  inForce?(inForce: InForce): void;
}

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 20;
/** The pause between two attempts to reach a database that is unavailable. */
const UNAVAILABLE_PAUSE_MS = 100;
/** After so many leases, a process that renews and still does not confirm loses its registration. It takes at most one usually. */
const LONGEST_WAIT_IN_LEASES = 3;
/** The longest lease that a process can have, with its tenth, for a registry that was never read. */
const LONGEST_LEASE_MS = 66_000;

/** Makes changes of cached rows, and waits until no process uses the old rows any more. */
@Injectable()
export class ChangesService {
  readonly #log = new Logger('cache');
  readonly #observations = new RegistryObservations();
  readonly #query: Query;
  /** The transaction that changes join, while `together` runs. */
  readonly #joined = new AsyncLocalStorage<EntityManager>();
  #observer: ((inForce: InForce) => void) | undefined;
  /** Undefined until the registry was read for the first time. */
  #longestLeaseMs: number | undefined;
  #storageFault: Outage | undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cache: CacheService,
  ) {
    this.#query = pooledQuery(dataSource);
  }

  /** @param observer is told of each change that is in force, for the metrics */
  observe(observer: (inForce: InForce) => void): void {
    this.#observer = observer;
  }

  /**
   * Changes something in one transaction. Resolves when the change is in force: no call that starts from then on, in any process,
   * uses the old rows any more. It waits also when `run` changed nothing or failed, so that a repeated change vouches for
   * the first one.
   * @param changed the tenants whose cached rows the transaction changes
   */
  async transaction<T>(
    changed: Changed,
    run: (transaction: EntityManager) => Promise<T>,
    listener?: InForceListener,
  ): Promise<T> {
    const joined = this.#joined.getStore();
    if (joined !== undefined) return run(joined);
    let isBegun = false;
    try {
      const result = await this.dataSource.transaction((transaction) => {
        isBegun = true;
        return run(transaction);
      });
      this.#storageFault = undefined;
      const inForce = await this.inForce(changed);
      listener?.inForce?.(inForce);
      this.#observer?.(inForce);
      return result;
    } catch (error) {
      this.noteFault(error);
      // The change may have been stored, so the response does not come before it is in force either. A refusal, such as that there
      // is no such tenant, may come from an earlier change whose response was lost. Otherwise nothing was stored, and nothing is
      // to be waited for.
      if (mayBeCommitted(error) || (isBegun && isRefusal(error))) await this.inForce(changed);
      throw error;
    }
  }

  /**
   * Makes several changes in one transaction: what `run` calls joins it in place of a transaction of its own. All of them are in
   * force when this resolves, or none was made.
   */
  async together<T>(changed: Changed, run: (transaction: EntityManager) => Promise<T>): Promise<T> {
    return this.transaction(changed, (transaction) => this.#joined.run(transaction, () => run(transaction)));
  }

  /**
   * Waits until everything that is committed now is in force. It never fails: if the database is unavailable meanwhile, every
   * lease expires, and a process without one reads the database.
   */
  async inForce(changed: Changed = []): Promise<InForce> {
    const started = systemClock.monotonic();
    const waitedMs = () => Math.round(systemClock.monotonic() - started);
    this.cache.store.drop(changed);
    let number: number | undefined;
    let processes = 0;
    /** When the leases of processes whose registration was removed have expired. */
    let expiredAtMs = 0;
    for (let pauseMs = FIRST_PAUSE_MS; ;) {
      try {
        const registry = await this.#read();
        number ??= registry.number;
        processes = registry.processes.length;
        const awaited = registry.processes.filter((process) => isAwaited(process, number!));
        if (awaited.length === 0 && waitedMs() >= expiredAtMs) return { processes, waitedMs: waitedMs() };
        if (awaited.length > 0 && waitedMs() > LONGEST_WAIT_IN_LEASES * this.#leaseLimitMs()) {
          // Their next renewals find no registration, and extend no lease. What they have now expires in time.
          await deregister(
            this.#query,
            awaited.map(({ id }) => id),
          );
          expiredAtMs = waitedMs() + this.#leaseLimitMs();
          this.#log.warn(
            `${awaited.length} processes renew their leases but confirm no change; they must register again`,
          );
        }
        await sleep(pauseMs);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      } catch (error) {
        if (waitedMs() > this.#leaseLimitMs()) {
          this.#log.warn(
            `a change is in force because every lease has expired: the database is unavailable (${reasonOf(error)})`,
          );
          return { processes, waitedMs: waitedMs() };
        }
        await sleep(UNAVAILABLE_PAUSE_MS);
      }
    }
  }

  /** Why the database stores nothing although it can be read, until something can be stored again. */
  get storageFault(): Outage | undefined {
    return this.#storageFault;
  }

  /** Notes that something could not be stored. Errors with another cause are ignored. */
  noteFault(error: unknown): void {
    if (keepsFromStoring(error)) this.#storageFault = outageOf(error);
  }

  /** Removes the registrations of killed processes, so that the next change need not wait for their leases. */
  async sweep(): Promise<void> {
    if (this.#storageFault !== undefined) {
      await tryToStore(this.dataSource);
      this.#storageFault = undefined;
    }
    await this.#read();
  }

  /** After this time every lease has expired. A process may have registered since the registry was read, usually with our lease. */
  #leaseLimitMs(): number {
    if (this.#longestLeaseMs === undefined) return LONGEST_LEASE_MS;
    return Math.max(this.#longestLeaseMs, this.cache.lease.ms) * 1.1;
  }

  /** Reads the registry, and removes from it the processes that have not renewed in time. The next read no longer has them. */
  async #read() {
    const sent = systemClock.monotonic();
    const registry = await readRegistry(this.#query);
    const silent = this.#observations.observe(registry.processes, sent, systemClock.monotonic());
    this.#longestLeaseMs = this.#observations.longestLeaseMs;
    for (const process of silent) await removeSilent(this.#query, process);
    return registry;
  }
}

/** Whether a transaction was refused because of what it found. A statement that failed for another reason says nothing about rows. */
function isRefusal(error: unknown): boolean {
  if (isDatabaseUnavailable(error)) return false;
  return sqlStateOf(error) === undefined || breaksConstraint(error);
}
