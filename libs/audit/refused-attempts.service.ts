import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { type Config } from '#config';
import { type ChangedBy } from '#http';
import { waitAtStop } from '#database';
import { AuditLogService, type Change } from './audit-log.service';

const WINDOW_MS = 60_000;
const RETRY_MS = 1000;
/** More different ones at a time are counted together: whoever floods us must not fill the memory. */
const MAXIMUM_KINDS = 1000;
/** The same for one address without a valid key: it may name any tenant and any key, and must not fill the chain with them. */
const MAXIMUM_KINDS_OF_STRANGER = 50;

interface Attempt {
  readonly by: ChangedBy;
  readonly change: Change;
  /** Noted and not yet in the audit. */
  times: number;
  /** The first has an event of its own, so that those that follow can wait for a count. */
  isFirstWritten: boolean;
}

/**
 * Records attempts that were refused. The first of a kind (actor, address, action, tenant, provider, code) is written at once;
 * those that follow within a minute are counted and written as one event, so that a flood costs the chain an event a minute.
 * What cannot be written is kept and tried again each second; an answer to a commit that got lost may count it twice.
 */
@Injectable()
export class RefusedAttemptsService {
  readonly #log = new Logger('audit');
  readonly #attempts = new Map<string, Attempt>();
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isFailing = false;
  #isOver = false;

  constructor(private readonly audit: AuditLogService) {}

  /** Never throws and waits for nothing: the caller must not wait for it. */
  note(by: ChangedBy, change: Change): void {
    const kind = kindOf(by, change);
    const attempt = this.#attempts.get(kind) ?? this.#begin(kind, by, change);
    attempt.times += 1;
    this.#timer ??= this.#flushIn(WINDOW_MS);
  }

  /** Resolves when all that was noted is in the audit, or cannot be written now. */
  written(): Promise<void> {
    return this.#flush();
  }

  /** Writes what was noted, as long as a stop waits for the database, and says what it gives up. To be called after the last request. */
  async end(config: Pick<Config, 'shutdownSeconds'>): Promise<void> {
    await waitAtStop(this.written(), config);
    this.#isOver = true;
    clearTimeout(this.#timer);
    const left = [...this.#attempts.values()].reduce((sum, { times }) => sum + times, 0);
    if (left === 0) return;
    this.#log.error(
      `${left} refused attempts are not in the audit, as far as is known; the lines of their requests are in this log`,
    );
  }

  #begin(kind: string, by: ChangedBy, change: Change): Attempt {
    const others = this.#othersFor(by, change);
    if (others !== undefined) {
      const name = kindOf(others.by, others.change);
      const known = this.#attempts.get(name);
      // Counted from its first on, which has no event of its own.
      const attempt = known ?? { ...others, times: 0, isFirstWritten: true };
      this.#attempts.set(name, attempt);
      return attempt;
    }
    const attempt = { by, change, times: 0, isFirstWritten: false };
    this.#attempts.set(kind, attempt);
    // One after the other: a flood must not take the service's connections.
    this.#writing = this.#writing.then(() => this.#writeFirst(attempt));
    return attempt;
  }

  /** What an attempt is counted as when there is no room for another kind: nothing in it is said of somebody else. */
  #othersFor({ address }: ChangedBy, { details }: Change): Pick<Attempt, 'by' | 'change'> | undefined {
    const requestId = randomUUID();
    if (this.#attempts.size >= MAXIMUM_KINDS) {
      const by = { actor: 'several', requestId, address: 'several' };
      return { by, change: { action: 'others', details: {} } };
    }
    if (details?.code !== 'unauthenticated') return undefined;
    const ofStranger = [...this.#attempts.values()].filter(
      (each) => each.by.address === address && each.change.details?.code === 'unauthenticated',
    );
    if (ofStranger.length < MAXIMUM_KINDS_OF_STRANGER) return undefined;
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
    // Each would wait for the same database in vain; the next flush comes to it.
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
        // To the end, so that one that can never be written keeps back none of the others.
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
    if (this.#isOver) return;
    if (!this.#isFailing) {
      const cause = error instanceof Error ? error : undefined;
      this.#log.error(new Error('refused attempts wait to be recorded', { cause }));
    }
    this.#isFailing = true;
    this.#timer = this.#flushIn(RETRY_MS);
  }
}

function kindOf(by: ChangedBy, { action, tenantId, provider, details }: Change): string {
  return JSON.stringify([by.actor, by.address, action, tenantId, provider, details?.code]);
}
