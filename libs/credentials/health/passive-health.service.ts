import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { type Config, InjectConfig } from '#config';
import { sqlStateOf, waitAtStop } from '#database';
import { type RouteCredential } from '#egress';
import { recordTraffic, type TrafficHealth } from './health-records';

const FLUSH_MS = 1000;
/** Versions that can wait to be written; more are counted and left out. */
const MAXIMUM_PENDING = 10_000;
const BATCH = 500;

/**
 * What calls find out about tenants' credentials: the provider refuses one, or accepts again one that it refused. Noted
 * in memory, written once a second in one batch for all, so that no call waits for it or fails by it, and a call like the
 * one before it costs nothing.
 */
@Injectable()
export class PassiveHealthService implements OnApplicationShutdown {
  readonly #log = new Logger('health');
  readonly #pending = new Map<string, TrafficHealth>();
  #leftOut = 0;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
  ) {}

  /** The provider refused the credential of a call. */
  refused(credential: RouteCredential): void {
    this.#note(credential, (known) => ({
      isCleared: known?.isCleared ?? false,
      rejections: (known?.rejections ?? 0) + 1,
      rejectedAt: new Date(),
    }));
  }

  /** The provider accepted the credential of a call: news only of one that it had refused. */
  accepted(credential: RouteCredential): void {
    if (credential.wasRejected !== true && !this.#pending.has(nameOf(credential))) return;
    this.#note(credential, () => ({ isCleared: true, rejections: 0, rejectedAt: new Date() }));
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.#timer);
    this.#flush();
    await waitAtStop(this.#writing, this.config);
  }

  #note(
    credential: RouteCredential,
    next: (known: TrafficHealth | undefined) => Omit<TrafficHealth, 'tenantId' | 'provider' | 'version'>,
  ): void {
    const { tenantId, provider, version } = credential;
    if (credential.source !== 'tenant' || version === null) return;
    const name = nameOf(credential);
    const known = this.#pending.get(name);
    if (known === undefined && this.#pending.size >= MAXIMUM_PENDING) {
      this.#leftOut += 1;
      return;
    }
    this.#pending.set(name, { tenantId, provider: provider.id, version, ...next(known) });
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  #flush(): void {
    this.#timer = undefined;
    const notes = [...this.#pending.values()];
    this.#pending.clear();
    if (this.#leftOut > 0) {
      this.#log.warn(`the health of credentials was left out for ${this.#leftOut} calls: too many at once`);
      this.#leftOut = 0;
    }
    for (let start = 0; start < notes.length; start += BATCH) {
      const batch = notes.slice(start, start + BATCH);
      // One after the other: a provider that refuses everybody must not take the service's connections.
      this.#writing = this.#writing
        .then(() => this.#write(batch))
        .catch((error: unknown) => {
          // The next call of each finds out the same again.
          this.#log.warn(
            `the health of ${batch.length} credentials was not written: ${(error as Error).name}`,
          );
        });
    }
  }

  /** Again when the database chose it of several that waited for each other: it changed nothing, and nobody waits for it. */
  async #write(batch: readonly TrafficHealth[], tries = 3): Promise<void> {
    try {
      await this.dataSource.transaction((transaction) => recordTraffic(transaction, batch));
    } catch (error) {
      if (tries <= 1 || !isDeadlock(error)) throw error;
      await this.#write(batch, tries - 1);
    }
  }
}

function isDeadlock(error: unknown): boolean {
  return sqlStateOf(error) === '40P01';
}

function nameOf({ tenantId, provider, version }: RouteCredential): string {
  return `${tenantId} ${provider.id} ${version}`;
}
