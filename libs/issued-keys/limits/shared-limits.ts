import { type Unit } from './common-windows';
import { type ExchangeOptions, type LimitExchange } from './limit-exchange';
import { type LimitedKey, MinuteLimits, secondOf } from './minute-window';
import { type Refusal, Share } from './share';

/** What became of an amount. */
export interface Outcome {
  /** Undefined: it is counted. */
  readonly refusal?: Refusal;
  /** The second of the database in which it counts for all processes; undefined: this process is the only one. */
  readonly second?: number;
}

const counted: Outcome = Object.freeze({});
/** After how many seconds a call that the part of a process refuses should try again, at most: the database may respond again soon. */
const DIVIDED_SECONDS = 5;
/** Shares that were not used for this long are forgotten. */
const UNUSED_MS = 120_000;

/**
 * A limit per minute for each tenant key, over all processes. The window of this process always counts what this process uses. When
 * it is the only one, that window alone decides. With others, a call needs a share of the common window as well; most calls find it
 * here. While the database does not reply, the window of this process decides, with its part of the limit.
 */
export class SharedLimits {
  readonly #own = new MinuteLimits();
  readonly #shares = new Map<string, Share>();
  #swept = 0;

  constructor(
    private readonly unit: Unit,
    private readonly options: Pick<ExchangeOptions, 'processes' | 'now' | 'databaseNow'>,
    private readonly exchange: LimitExchange,
  ) {}

  /**
   * Counts the amount if all of it is within the limit.
   * @param amount a whole number from 0 to the limit
   * @returns a promise when the database must be asked first
   */
  take(
    key: LimitedKey,
    limit: number,
    amount = 1,
    now: number = this.options.now(),
  ): Outcome | Promise<Outcome> {
    if (this.options.processes.isAlone) return this.#takeOwn(key, limit, amount, now, 0) ?? counted;
    const share = this.#shareOf(key, now);
    share.limit = limit;
    if (this.exchange.isAway) {
      this.exchange.probe(share);
      return this.#takePart(share, amount, now);
    }
    if (share.isLocked(now)) return this.#takePart(share, amount, now);
    const refused = this.#takeOwn(key, limit, amount, now, share.waiting);
    if (refused !== undefined) return refused;
    const chunk = this.exchange.chunkOf(limit);
    if (share.keepAtMost(chunk) > 0) this.exchange.report(share);
    if (share.take(amount)) {
      if (share.isLow(chunk, now)) this.exchange.ask(share);
      return { second: share.second };
    }
    const refusal = share.refusal(amount, now);
    if (refusal === undefined) return this.#wait(share, amount, now);
    this.#own.correct(key, -amount, now, now);
    return { refusal };
  }

  /**
   * Corrects an amount that was counted at `takenAt`. A positive difference counts from now on, even above the limit. A negative one
   * is returned to the second in which it was counted, or ignored when that second has been dropped.
   */
  correct(
    key: LimitedKey,
    difference: number,
    takenAt: number,
    outcome: Outcome = counted,
    now: number = this.options.now(),
  ): void {
    this.#own.correct(key, difference, takenAt, now);
    if (this.options.processes.isAlone || difference === 0) return;
    const share = this.#shareOf(key, now);
    const second = difference > 0 ? this.#databaseSecond(now) : outcome.second;
    share.correct(second ?? this.#databaseSecond(takenAt), difference);
    this.exchange.report(share);
  }

  /** Another process has come: what this one has used alone counts for both from now on. */
  publish(): void {
    const now = this.options.now();
    for (const share of this.#shares.values()) share.reset();
    for (const { key, amounts } of this.#own.since(this.options.processes.aloneSince, now)) {
      if (amounts.length === 0) continue;
      const share = this.#shareOf(key, now);
      for (const [second, amount] of amounts) share.correct(this.#databaseSecond(second * 1000), amount);
      this.exchange.report(share);
    }
  }

  /** The number of keys with a window. */
  get size(): number {
    return this.#own.size;
  }

  /**
   * @param waiting what the window counts of calls that may still be refused. No other call is refused because of it
   * @returns undefined when it is counted
   */
  #takeOwn(
    key: LimitedKey,
    limit: number,
    amount: number,
    now: number,
    waiting: number,
  ): Outcome | undefined {
    const seconds = this.#own.take(key, limit + waiting, now, amount);
    if (seconds === undefined) return undefined;
    return { refusal: { seconds, used: this.#own.total(key, now) - waiting, limit } };
  }

  /** Decides alone, with the part of the limit that every process can use without exceeding it. */
  #takePart(share: Share, amount: number, now: number): Outcome {
    const part = Math.max(1, Math.floor(share.limit / this.options.processes.count));
    const refused = this.#takeOwn(share.key, part, amount, now, share.waiting)?.refusal;
    if (refused !== undefined) {
      const { limit } = share;
      const seconds = Math.min(refused.seconds, DIVIDED_SECONDS);
      return { refusal: { ...refused, seconds, limit, part } };
    }
    const second = this.#databaseSecond(now);
    share.correct(second, amount);
    this.exchange.report(share);
    return { second };
  }

  async #wait(share: Share, amount: number, now: number): Promise<Outcome> {
    const waiting = share.wait(amount);
    share.waiting += amount;
    this.exchange.ask(share);
    const verdict = await waiting;
    share.waiting -= amount;
    if (verdict === 'counted') return { second: share.second };
    this.#own.correct(share.key, -amount, now, now);
    return verdict === 'no reply' ? this.#takePart(share, amount, this.options.now()) : { refusal: verdict };
  }

  /** Seconds of the monotonic clock are kept apart, so that what is taken in one of them is given back to the same one. */
  #databaseSecond(time: number): number {
    const offset = this.options.databaseNow() - this.options.now();
    return secondOf(secondOf(time) * 1000 + offset);
  }

  #shareOf(key: LimitedKey, now: number): Share {
    this.#sweep(now);
    let share = this.#shares.get(key.tenantKeyId);
    if (share === undefined) {
      const { tenantId, tenantKeyId } = key;
      this.#shares.set(tenantKeyId, (share = new Share({ tenantId, tenantKeyId }, this.unit)));
    }
    share.usedAt = now;
    return share;
  }

  #sweep(now: number): void {
    if (now - this.#swept < UNUSED_MS) return;
    this.#swept = now;
    for (const [id, share] of this.#shares) {
      if (share.isIdle && now - share.usedAt > UNUSED_MS) this.#shares.delete(id);
    }
  }
}
