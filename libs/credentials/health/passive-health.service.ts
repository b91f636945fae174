import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { type Config, InjectConfig } from '#config';
import { reasonOf, sqlStateOf, waitAtStop } from '#database';
import { type RouteCredential } from '#egress';
import { recordTraffic, type TrafficHealth } from './health-records';

const FLUSH_MS = 1000;
/** How many versions can wait to be written. Notes on others are dropped and counted. */
const MAXIMUM_PENDING = 10_000;
const BATCH = 500;

/**
 * What calls find out about tenants' credentials: the provider rejects one, or accepts one again that it had rejected. It is
 * noted in memory and written once a second in one batch, so that no call waits for it or fails because of it. A call that
 * shows nothing new costs nothing.
 */
@Injectable()
export class PassiveHealthService implements OnApplicationShutdown {
  readonly #log = new Logger('health');
  readonly #pending = new Map<string, TrafficHealth>();
  #dropped = 0;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
  ) {}

  /** Called when the provider rejected the credential of a call. */
  refused(credential: RouteCredential): void {
    this.#note(credential, (known) => ({
      isCleared: known?.isCleared ?? false,
      rejections: (known?.rejections ?? 0) + 1,
      rejectedAt: new Date(),
    }));
  }

  /** Called when the provider accepted the credential of a call. Notes it only after a rejection. */
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
      this.#dropped += 1;
      return;
    }
    this.#pending.set(name, { tenantId, provider: provider.id, version, ...next(known) });
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  #flush(): void {
    this.#timer = undefined;
    const notes = [...this.#pending.values()];
    this.#pending.clear();
    if (this.#dropped > 0) {
      this.#log.warn(
        `the health of credentials was not noted for ${this.#dropped} calls: too many credentials at once`,
      );
      this.#dropped = 0;
    }
    for (let start = 0; start < notes.length; start += BATCH) {
      const batch = notes.slice(start, start + BATCH);
      // One batch after the other: a provider that rejects every key must not occupy all database connections.
      this.#writing = this.#writing
        .then(() => this.#write(batch))
        .catch((error: unknown) => {
          // The next call with each credential notes it again.
          this.#log.warn(`the health of ${batch.length} credentials was not written: ${reasonOf(error)}`);
        });
    }
  }

  /** Retries after a deadlock: the transaction was rolled back, and no request waits for it. */
  async #write(batch: readonly TrafficHealth[], attempts = 3): Promise<void> {
    try {
      await this.dataSource.transaction((transaction) => recordTraffic(transaction, batch));
    } catch (error) {
      if (attempts <= 1 || !isDeadlock(error)) throw error;
      await this.#write(batch, attempts - 1);
    }
  }
}

function isDeadlock(error: unknown): boolean {
  return sqlStateOf(error) === '40P01';
}

function nameOf({ tenantId, provider, version }: RouteCredential): string {
  return `${tenantId} ${provider.id} ${version}`;
}
