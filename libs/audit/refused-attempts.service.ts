import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { type Config } from '#config';
import { type ChangedBy } from '#http';
import { waitAtStop } from '#database';
import { AuditLogService, type Change } from './audit-log.service';

const WINDOW_MS = 60_000;
const RETRY_MS = 1000;
/** Above this number, further kinds are counted together, so that a flood does not fill the memory. */
const MAXIMUM_KINDS = 1000;
/** The same for one address without a valid key: it can name any tenant and any key, and must not fill the chain with them. */
const MAXIMUM_KINDS_WITHOUT_KEY = 50;

interface Attempt {
  readonly by: ChangedBy;
  readonly change: Change<string>;
  /** How often it was noted since it was last written. */
  times: number;
  /** The first attempt has its own event, so that later ones can wait and be counted. */
  isFirstWritten: boolean;
}

/**
 * Records refused attempts. The first of a kind (actor, address, action, tenant, provider, code) is written at once. Those that
 * follow within a minute are counted and written as one event, so that a flood adds one event per minute to the chain. What
 * cannot be written is kept and retried every second; it may be counted twice when the response to a commit is lost.
 */
@Injectable()
export class RefusedAttemptsService {
  readonly #log = new Logger('audit');
  readonly #attempts = new Map<string, Attempt>();
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isFailing = false;
  #isClosed = false;

  constructor(private readonly audit: AuditLogService) {}

  /** Never throws, and returns before anything is written, so that no request waits for it. */
  note(by: ChangedBy, change: Change<string>): void {
    const kind = kindOf(by, change);
    const attempt = this.#attempts.get(kind) ?? this.#begin(kind, by, change);
    attempt.times += 1;
    this.#timer ??= this.#flushIn(WINDOW_MS);
  }

  /** Resolves when everything noted is in the audit, or after a failed try to write it. */
  written(): Promise<void> {
    return this.#flush();
  }

  /** Writes what was noted, within the time in which a stop waits for the database, and logs what is lost. Call it after the last request. */
  async end(config: Pick<Config, 'shutdownSeconds'>): Promise<void> {
    await waitAtStop(this.written(), config);
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const left = [...this.#attempts.values()].reduce((sum, { times }) => sum + times, 0);
    if (left === 0) return;
    this.#log.error(
      `${left} refused attempts may be missing from the audit; this log has a line for each of their requests`,
    );
  }

  #begin(kind: string, by: ChangedBy, change: Change<string>): Attempt {
    const others = this.#othersFor(by, change);
    if (others !== undefined) {
      const name = kindOf(others.by, others.change);
      const known = this.#attempts.get(name);
      // Even the first is only counted: it has no event of its own.
      const attempt = known ?? { ...others, times: 0, isFirstWritten: true };
      this.#attempts.set(name, attempt);
      return attempt;
    }
    const attempt = { by, change, times: 0, isFirstWritten: false };
    this.#attempts.set(kind, attempt);
    // One after the other: a flood must not occupy all database connections.
    this.#writing = this.#writing.then(() => this.#writeFirst(attempt));
    return attempt;
  }

  /** The kind to count an attempt under when there are too many kinds. It contains nothing that is true only for others. */
  #othersFor(
    { address }: ChangedBy,
    { details }: Change<string>,
  ): Pick<Attempt, 'by' | 'change'> | undefined {
    const requestId = randomUUID();
    if (this.#attempts.size >= MAXIMUM_KINDS) {
      const by = { actor: 'several', requestId, address: 'several' };
      return { by, change: { action: 'others', details: {} } };
    }
    if (details?.code !== 'unauthenticated') return undefined;
    const fromAddress = [...this.#attempts.values()].filter(
      (each) => each.by.address === address && each.change.details?.code === 'unauthenticated',
    );
    if (fromAddress.length < MAXIMUM_KINDS_WITHOUT_KEY) return undefined;
    return { by: { actor: 'nobody', requestId, address }, change: { action: 'others', details } };
  }

  #flushIn(milliseconds: number): NodeJS.Timeout {
    clearTimeout(this.#timer);
    return setTimeout(() => void this.#flush(), milliseconds).unref();
  }

  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#writeAll());
    return this.#writing;
  }

  async #writeFirst(attempt: Attempt): Promise<void> {
    // Another try would fail as well; the next flush writes it.
    if (this.#isFailing || attempt.isFirstWritten) return;
    try {
      await this.#write(attempt, 1);
    } catch (error) {
      this.#tryAgain(error);
    }
  }

  async #writeAll(): Promise<void> {
    for (const [kind, attempt] of [...this.#attempts]) {
      try {
        if (!attempt.isFirstWritten) await this.#write(attempt, 1);
        if (attempt.times > 0) await this.#write(attempt, attempt.times);
      } catch (error) {
        // Moved to the end, so that one attempt that can never be written does not block the others.
        this.#attempts.delete(kind);
        this.#attempts.set(kind, attempt);
        return this.#tryAgain(error);
      }
      if (attempt.times === 0) this.#attempts.delete(kind);
    }
    this.#isFailing = false;
    if (this.#attempts.size > 0) this.#timer ??= this.#flushIn(WINDOW_MS);
  }

  async #write(attempt: Attempt, times: number): Promise<void> {
    const { by, change, isFirstWritten } = attempt;
    const counted = { ...change, details: { ...change.details, further_times: times } };
    await this.audit.refuse(by, isFirstWritten ? counted : change);
    attempt.isFirstWritten = true;
    attempt.times -= times;
  }

  #tryAgain(error: unknown): void {
    if (this.#isClosed) return;
    if (!this.#isFailing) {
      const cause = error instanceof Error ? error : undefined;
      this.#log.error(new Error('refused attempts wait to be recorded', { cause }));
    }
    this.#isFailing = true;
    this.#timer = this.#flushIn(RETRY_MS);
  }
}

function kindOf(by: ChangedBy, { action, tenantId, provider, details }: Change<string>): string {
  return JSON.stringify([by.actor, by.address, action, tenantId, provider, details?.code]);
}
