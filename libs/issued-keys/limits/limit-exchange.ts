import { type AskWindows } from './common-windows';
import { SLOTS } from './minute-window';
import { chunkOf, type Share } from './share';

/** The processes that share the limits, as this one knows them. */
export interface Processes {
  /** True when nobody else has served a call for a minute. */
  readonly isAlone: boolean;
  /** Since when, on the monotonic clock. */
  readonly aloneSince: number;
  readonly count: number;
}

export interface ExchangeOptions {
  readonly ask: AskWindows;
  readonly processes: Processes;
  /** How long a call waits for a reply. */
  readonly timeoutMs: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** The same moment by the clock of the database. */
  readonly databaseNow: () => number;
  /** Told when the database does not reply any more, and when it replies again. */
  readonly onAway?: (isAway: boolean, error?: unknown) => void;
}

/** How long corrections are collected before they are reported. */
const REPORT_MS = 200;
/** The pause between two attempts while the database is unavailable. */
const RETRY_MS = 1000;
/** The most windows of one transaction, so that none is locked for long. */
const BATCH = 100;

/**
 * Asks the common windows, for all shares of this process: one statement at a time, with everything that has come together while the
 * one before it ran. So the load on the database has a bound, and while the database is unavailable there is one attempt at a time.
 */
export class LimitExchange {
  /** Statements that were answered in time, and all others. */
  readonly counts = { answered: 0, failed: 0 };
  readonly #queue = new Set<Share>();
  /** Shares whose corrections are reported soon. */
  readonly #reports = new Set<Share>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isAway = false;
  #retryAt = 0;

  constructor(private readonly options: ExchangeOptions) {}

  /** True while the database does not reply: nobody waits for it. */
  get isAway(): boolean {
    return this.#isAway;
  }

  chunkOf(limit: number): number {
    return chunkOf(limit, this.options.processes.count);
  }

  /** Replenishes a share, and reports its corrections. */
  ask(share: Share): void {
    share.want();
    this.#queue.add(share);
    void this.#run();
  }

  /** Asks again, if the last attempt is long enough ago. */
  probe(share: Share): void {
    if (this.#running === undefined && this.options.now() >= this.#retryAt) this.ask(share);
  }

  /** Reports the corrections of a share soon. */
  report(share: Share): void {
    this.#reports.add(share);
    this.#startTimer();
  }

  /** Reports what is left, except to windows that were locked a moment ago. Resolves when it is reported. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const share of this.#reports) {
      if (share.isLocked(this.options.now())) continue;
      this.#reports.delete(share);
      this.#queue.add(share);
    }
    if (this.#reports.size > 0) this.#startTimer();
    await this.#run();
  }

  #startTimer(): void {
    this.#timer ??= setTimeout(() => void this.flush(), this.#isAway ? RETRY_MS : REPORT_MS).unref();
  }

  #run(): Promise<void> {
    this.#running ??= this.#exchangeAll();
    return this.#running;
  }

  async #exchangeAll(): Promise<void> {
    // What happens in this turn of the event loop goes together.
    await Promise.resolve();
    try {
      while (this.#queue.size > 0) {
        const shares = [...this.#queue].slice(0, BATCH).sort(byKey);
        for (const share of shares) this.#queue.delete(share);
        if (!(await this.#exchange(shares))) return this.#giveUp();
      }
    } finally {
      // In the same turn in which the queue was found empty: who asks from now on begins the next run.
      this.#running = undefined;
    }
  }

  /** @returns false when there was no reply in time */
  async #exchange(shares: readonly Share[]): Promise<boolean> {
    const { ask, now, timeoutMs } = this.options;
    const oldest = Math.floor(this.options.databaseNow() / 1000) - SLOTS;
    const requests = shares.map((share) => {
      share.forgetBefore(oldest);
      return share.request(this.chunkOf(share.limit));
    });
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      this.counts.failed += 1;
      for (const share of shares) share.giveUp();
      this.#away();
      for (const share of this.#queue) share.giveUp();
    }, timeoutMs).unref();
    try {
      const replies = await ask(requests);
      // A late reply tells what was granted, but nobody should wait for the next one.
      if (!isLate) this.#back();
      for (const [place, share] of shares.entries()) {
        share.received(requests[place]!, replies[place], this.chunkOf(share.limit), now());
        if (share.isWaitedFor) this.#queue.add(share);
        else if (share.hasCorrections) this.report(share);
      }
      return !isLate;
    } catch (error) {
      if (!isLate) this.counts.failed += 1;
      this.#away(error);
      for (const [place, share] of shares.entries()) {
        share.failed(requests[place]!);
        if (share.hasCorrections) this.report(share);
      }
      return false;
    } finally {
      clearTimeout(late);
    }
  }

  #back(): void {
    this.counts.answered += 1;
    if (this.#isAway) this.options.onAway?.(false);
    this.#isAway = false;
  }

  #away(error?: unknown): void {
    this.#retryAt = this.options.now() + RETRY_MS;
    if (!this.#isAway) this.options.onAway?.(true, error);
    this.#isAway = true;
  }

  #giveUp(): void {
    for (const share of this.#queue) {
      share.giveUp();
      if (share.hasCorrections) this.report(share);
    }
    this.#queue.clear();
  }
}

/** All processes lock rows in the same order. */
function byKey(a: Share, b: Share): number {
  const [nameOfA, nameOfB] = [a, b].map(({ key, unit }) => `${key.tenantId} ${key.tenantKeyId} ${unit}`);
  return nameOfA! < nameOfB! ? -1 : 1;
}
