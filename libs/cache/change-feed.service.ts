import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { type Config, InjectConfig } from '#config';
import { FernetService } from '#crypto';
import { clientOptionsOf, reasonOf, waitAtStop, within } from '#database';
import { CacheService } from './cache.service';
import { ChangesService } from './changes.service';
import { announcedChange } from './membership';
import {
  CHANGES_CHANNEL,
  deregister,
  pooledQuery,
  type Query,
  register,
  registeredId,
  renew,
} from './registry';
import { Session } from './session';

/** How long the notification of the self-test may take. */
const SELF_TEST_MS = 2000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;
/** How often a process without a lease renews its registration. */
const UNLEASED_RENEWAL_MS = 5000;
/** After this time without notifications, a process that should have a lease tries again to get one. */
const SELF_TEST_AGAIN_MS = 60_000;
const SWEEP_MS = 15_000;
/** The others need some milliseconds to learn of a new process. */
const INTRODUCTION_MS = 200;

/**
 * Registers this process, receives the notifications of changes on a connection of its own, and renews the lease of the cache on
 * the same connection. While the connection is lost, calls use what is cached until the lease expires.
 */
@Injectable()
export class ChangeFeedService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger('cache');
  readonly #stop = new AbortController();
  readonly #pooled: Query;
  /** The ids under which this process may be registered. The last one is its own; others are of registrations that failed. */
  #ids: readonly string[] = [];
  #running: Promise<void> = Promise.resolve();
  #sweep: NodeJS.Timeout | undefined;
  #closeSession: (() => void) | undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly cache: CacheService,
    private readonly changes: ChangesService,
    private readonly fernet: FernetService,
  ) {
    this.#pooled = pooledQuery(dataSource);
  }

  /** The first call finds the process registered, unless the database does not respond. */
  async onApplicationBootstrap(): Promise<void> {
    let begun = (): void => undefined;
    const first = new Promise<void>((resolve) => (begun = resolve));
    this.#running = this.#run(begun);
    this.#sweep = setInterval(() => void this.changes.sweep().catch(() => undefined), SWEEP_MS).unref();
    await within(this.config.databaseTimeoutMs + SELF_TEST_MS, first);
    // The first call comes when a process that was alone has published what it had counted until then.
    if (!this.cache.processes.isAlone) await this.#pause(INTRODUCTION_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#sweep);
    this.#stop.abort();
    this.#closeSession?.();
    await waitAtStop(this.#leave(), this.config);
  }

  /** Nobody needs to wait any longer for this process, which serves no call any more. */
  async #leave(): Promise<void> {
    await this.#running;
    this.cache.membership.disconnected();
    this.cache.lease.end();
    if (this.#ids.length > 0) await deregister(this.#pooled, this.#ids).catch(() => undefined);
  }

  /** @param begun is called once the process is registered, or cannot be */
  async #run(begun: () => void): Promise<void> {
    let isLost = false;
    let pauseMs = FIRST_PAUSE_MS;
    const registered = () => {
      if (isLost) this.#log.log('changes are received again');
      isLost = false;
      pauseMs = FIRST_PAUSE_MS;
      begun();
    };
    while (!this.#stop.signal.aborted) {
      try {
        const isLeased = this.cache.lease.ms > 0 && (await this.#leasedSession(registered));
        if (!isLeased) await this.#unleasedSession(registered);
      } catch (error) {
        begun();
        if (this.#stop.signal.aborted) return;
        this.changes.noteFault(error);
        if (!isLost) {
          this.#log.warn(
            `the connection that receives changes is lost (${reasonOf(error)}); calls use what is cached until the lease expires, then the database`,
          );
        }
        isLost = true;
        await this.#pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  /**
   * Listens and renews until the connection is lost or the service stops.
   * @returns false when notifications do not arrive
   * @throws when the connection cannot be opened or is lost
   */
  async #leasedSession(registered: () => void): Promise<boolean> {
    const { cache } = this;
    const heard = new Set<string>();
    const { addresses } = clientOptionsOf(this.dataSource.options);
    const options = { responseMs: cache.lease.ms, addresses };
    const session = await Session.open(this.#directUrl(), options, (payload) => {
      const change = announcedChange(payload);
      if (change === undefined) {
        const id = registeredId(payload);
        if (id === undefined) heard.add(payload);
        // The renewal brings back how many there are.
        else if (!this.#ids.includes(id) && cache.processes.isAlone) session.renewNow();
        return;
      }
      cache.membership.notified(change);
      session.renewNow();
    });
    this.#closeSession = () => session.close();
    try {
      cache.membership.connected();
      await session.query(`listen ${CHANGES_CHANNEL}`, []);
      if (!(await this.#hearsNotifications(session, heard))) return false;
      do {
        await this.#register(session.query, cache.lease.ms);
        registered();
      } while (await this.#renewWhileRegistered(session));
      return true;
    } finally {
      cache.membership.disconnected();
      this.#closeSession = undefined;
      session.close();
    }
  }

  /** @returns true when the process must register again; false when the service stops */
  async #renewWhileRegistered(session: Session): Promise<boolean> {
    const { cache } = this;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await session.nextRenewal(cache.lease.ms / 4);
      if (signal.aborted) break;
      const sent = cache.now();
      const { confirmed } = cache.membership;
      const standing = await renew(session.query, this.#ids.at(-1)!, confirmed);
      if (standing === undefined) {
        cache.membership.forgotten();
        return true;
      }
      cache.observeDatabaseTime(standing.databaseMs, sent);
      cache.processes.observe(standing.processes);
      cache.membership.renewed(standing.number, confirmed, sent);
      // A missed change was caught up with, and somebody may be waiting for it.
      if (cache.membership.confirmed !== confirmed) session.renewNow();
    }
    return false;
  }

  /** Nothing is cached, and nobody waits for this process. The registration still shows which encryption keys it has loaded. */
  async #unleasedSession(registered: () => void): Promise<void> {
    const isWanted = this.cache.lease.ms > 0;
    const until = performance.now() + (isWanted ? SELF_TEST_AGAIN_MS : Infinity);
    for (let isRegistered = false; !this.#stop.signal.aborted && performance.now() < until;) {
      if (isRegistered) {
        const sent = this.cache.now();
        const standing = await renew(this.#pooled, this.#ids.at(-1)!, 0);
        isRegistered = standing !== undefined;
        if (standing !== undefined) {
          this.cache.observeDatabaseTime(standing.databaseMs, sent);
          this.cache.processes.observe(standing.processes);
        }
      }
      if (!isRegistered) {
        await this.#register(this.#pooled, 0);
        registered();
        isRegistered = true;
      }
      await this.#pause(UNLEASED_RENEWAL_MS);
    }
  }

  async #register(query: Query, leaseMs: number): Promise<void> {
    const { cache } = this;
    const id = randomUUID();
    const sent = cache.now();
    const encryptionKeyIds = this.fernet.keyIds();
    const earlierIds = this.#ids;
    // The registration may be executed although its response is lost, and changes would wait for it.
    this.#ids = [...earlierIds, id];
    const standing = await register(query, { id, earlierIds, leaseMs, encryptionKeyIds });
    this.#ids = [id];
    cache.processes.ownId = id;
    cache.observeDatabaseTime(standing.databaseMs, sent);
    cache.processes.observe(standing.processes);
    if (leaseMs > 0) cache.membership.registered(standing.number, sent);
  }

  /**
   * A pooler that shares connections accepts LISTEN, but its notifications may then go to another client. So another connection
   * sends one while this connection is idle.
   * @throws when the connection is lost meanwhile, which says nothing about notifications
   */
  async #hearsNotifications(session: Session, heard: ReadonlySet<string>): Promise<boolean> {
    const token = `self-test ${randomUUID()}`;
    await this.#pooled('select pg_notify($1, $2)', [CHANGES_CHANNEL, token]);
    const deadline = performance.now() + SELF_TEST_MS;
    for (
      let pauseMs = 1;
      performance.now() < deadline && !this.#stop.signal.aborted;
      pauseMs = Math.min(pauseMs * 2, 50)
    ) {
      if (heard.has(token)) return true;
      session.requireOpen();
      await this.#pooled('select 1', []);
      await this.#pause(pauseMs);
    }
    if (this.#stop.signal.aborted) return true;
    this.#log.warn(
      'nothing is cached, so each call reads the database: notifications of PostgreSQL do not arrive. If a pooler such as PgBouncer in transaction mode is in between, set DATABASE_DIRECT_URL to the address of the database itself',
    );
    return false;
  }

  #directUrl(): string {
    const { options } = this.dataSource;
    return this.config.databaseDirectUrl?.expose() ?? ('url' in options ? (options.url ?? '') : '');
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined);
  }
}
