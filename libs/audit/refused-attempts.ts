import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { type ChangedBy } from '#http';
import { AuditLog, type Change } from './audit-log.service';

const WINDOW_MS = 60_000;
/** More different ones within a window are counted together: whoever floods us must not fill the memory. */
const MAXIMUM_KINDS = 1000;

interface Pending {
  readonly by: ChangedBy;
  readonly change: Change;
  times: number;
}

/**
 * Records attempts that were refused. The first of a kind (actor, address, action, code) is written at once; those that
 * follow within a minute are counted and written as one event, so that a flood costs the chain an event a minute.
 */
@Injectable()
export class RefusedAttempts implements OnApplicationShutdown {
  readonly #log = new Logger('audit');
  readonly #pending = new Map<string, Pending>();
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly audit: AuditLog) {}

  /** Never throws and waits for nothing: the caller has its answer already. */
  note(by: ChangedBy, change: Change): void {
    const kind = JSON.stringify([by.actor, by.address, change.action, change.details?.code]);
    const name = this.#pending.has(kind) || this.#pending.size < MAXIMUM_KINDS ? kind : 'others';
    const known = this.#pending.get(name);
    if (known) {
      known.times += 1;
      return;
    }
    const others = { action: 'others', details: {} };
    this.#pending.set(name, { by, change: name === kind ? change : others, times: 0 });
    if (name === kind) this.#write(by, change);
    this.#timer ??= setTimeout(() => this.#flush(), WINDOW_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.#timer);
    this.#flush();
    await this.#writing;
  }

  #flush(): void {
    this.#timer = undefined;
    for (const { by, change, times } of this.#pending.values()) {
      if (times > 0) this.#write(by, { ...change, details: { ...change.details, further_times: times } });
    }
    this.#pending.clear();
  }

  /** One after the other: a flood must not take the service's connections. */
  #write(by: ChangedBy, change: Change): void {
    this.#writing = this.#writing
      .then(() => this.audit.refuse(by, change))
      .catch((error: unknown) => {
        this.#log.error(error instanceof Error ? error : new Error('a refused attempt was not recorded'));
      });
  }
}
