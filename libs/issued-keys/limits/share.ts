import { type Reply, type Unit, type WindowRequest } from './common-windows';
import { type LimitedKey, MinuteWindow, SLOTS } from './minute-window';

/** Why an amount is not counted. */
export interface Refusal {
  /** After how many whole seconds it would fit. */
  readonly seconds: number;
  /** What is used or reserved of the limit. */
  readonly used: number;
  readonly limit: number;
  /** What this process admits of the limit while the database does not say what others use; undefined: it says so. */
  readonly part?: number;
}

/** How the wait for a common window ended. */
type Verdict = 'counted' | 'no reply' | Refusal;

interface Waiter {
  readonly amount: number;
  readonly end: (verdict: Verdict) => void;
}

/** How long a refusal is remembered: what others give back is noticed after this time. */
const REFUSAL_MS = 1000;
/** The pause before a window that another transaction held is asked again: all other shares wait while it is asked. */
const LOCKED_MS = 1000;
/** All processes together hold at most this part of a limit unused. */
const HELD_PART = 10;

/** How much a process takes in advance. 0: it asks for each call. */
export function chunkOf(limit: number, processes: number): number {
  return Math.floor(limit / (HELD_PART * processes));
}

/**
 * What one process holds of a common window: the part of a key's limit that was granted to it, has been counted there, and is not used
 * yet. It is at most one chunk. What calls do not use goes back to the second in which it was granted, and never straight to the next
 * call, which would use it in another minute than the one in which it counts.
 */
export class Share {
  /** When a call last used it, on the monotonic clock. */
  usedAt = 0;
  limit = 0;
  /** The sum of the amounts that wait for a reply. */
  waiting = 0;
  #held = 0;
  /** The second of the database in which it was last granted something. */
  #second = 0;
  /** What the common window does not know yet, by its seconds. */
  #corrections = new Map<number, number>();
  #waiting: Waiter[] = [];
  /** Those whose amounts are in the request that has no reply yet. */
  #asking: Waiter[] = [];
  #isWanted = false;
  #lockedUntil = 0;
  #refused: { readonly window: MinuteWindow; readonly until: number } | undefined;

  constructor(
    readonly key: LimitedKey,
    readonly unit: Unit,
  ) {}

  get held(): number {
    return this.#held;
  }

  get second(): number {
    return this.#second;
  }

  get hasCorrections(): boolean {
    return this.#corrections.size > 0;
  }

  get isWaitedFor(): boolean {
    return this.#waiting.length > 0;
  }

  get isIdle(): boolean {
    return this.#waiting.length + this.#asking.length + this.#corrections.size === 0;
  }

  /** Whether another transaction, such as one that deletes the key, held the common window a moment ago. */
  isLocked(now: number): boolean {
    return now < this.#lockedUntil;
  }

  /** @returns false when less than the amount is held. An amount of 0 needs a share as well, because the limit may be used up */
  take(amount: number): boolean {
    if (this.#held === 0 || this.#held < amount) return false;
    this.#held -= amount;
    return true;
  }

  /**
   * Gives back what is held beyond a chunk, which becomes smaller when there are more processes.
   * @returns how much that is
   */
  keepAtMost(chunk: number): number {
    const excess = this.#held - chunk;
    if (excess <= 0) return 0;
    this.#held = chunk;
    this.correct(this.#second, -excess);
    return excess;
  }

  /** Whether the rest should be replenished now, so that no call waits for it. */
  isLow(chunk: number, now: number): boolean {
    return this.#held < chunk / 2 && !(this.#refused !== undefined && now < this.#refused.until);
  }

  /** The refusal of an amount, if a recent reply shows that it does not fit. */
  refusal(amount: number, now: number): Refusal | undefined {
    if (this.#refused === undefined || now >= this.#refused.until) return undefined;
    return this.#refusalIn(this.#refused.window, amount);
  }

  /** Asks for a share with the next request. */
  want(): void {
    this.#isWanted = true;
  }

  /** Waits until the amount is counted or refused. */
  wait(amount: number): Promise<Verdict> {
    this.#isWanted = true;
    return new Promise((end) => this.#waiting.push({ amount, end }));
  }

  /** Something was used without a share, or was not used. */
  correct(second: number, amount: number): void {
    const corrected = (this.#corrections.get(second) ?? 0) + amount;
    if (corrected === 0) this.#corrections.delete(second);
    else this.#corrections.set(second, corrected);
  }

  /** Forgets what is held: nobody else counts with it any more. */
  reset(): void {
    this.#held = 0;
    this.#refused = undefined;
  }

  request(chunk: number): WindowRequest {
    this.#asking = this.#waiting;
    this.#waiting = [];
    const amounts = this.#asking.map(({ amount }) => amount);
    const sum = amounts.reduce((total, amount) => total + amount, this.#isWanted ? chunk : 0);
    this.#isWanted = false;
    return {
      ...this.key,
      unit: this.unit,
      limit: this.limit,
      least: amounts.length === 0 ? 0 : Math.max(0, Math.min(...amounts) - this.#held),
      most: Math.max(0, sum - this.#held),
      corrections: [...this.#corrections],
    };
  }

  received(request: WindowRequest, reply: Reply, chunk: number, now: number): void {
    if (reply === undefined) return this.#forgetAll();
    if (reply === 'locked') {
      this.#lockedUntil = now + LOCKED_MS;
      return this.giveUp();
    }
    this.#forget(request, () => true);
    const { available, granted, second, amounts } = reply;
    this.#held += granted;
    if (granted > 0) this.#second = second;
    const window = amounts === null ? undefined : MinuteWindow.of(second, amounts);
    const asked = this.#asking.length;
    const waiting = [...this.#asking, ...this.#waiting];
    this.#asking = [];
    this.#waiting = [];
    const unserved = waiting.filter((waiter, place) => {
      const isFree = waiter.amount === 0 && available >= 0;
      // Those that came later were not asked for, and may use what others leave.
      if (!(isFree && place < asked) && !this.take(waiter.amount)) return true;
      waiter.end('counted');
      return false;
    });
    const excess = this.keepAtMost(chunk);
    window?.giveBack(second, excess);
    this.#refused = window && { window, until: now + REFUSAL_MS };
    for (const waiter of unserved) {
      const refusal = window && waiting.indexOf(waiter) < asked && this.#refusalIn(window, waiter.amount);
      if (refusal) waiter.end(refusal);
      else this.#waiting.push(waiter);
    }
    if (this.#waiting.length > 0) this.#isWanted = true;
  }

  /**
   * There is no reply, so nobody waits any longer.
   * @param request that may have been executed. What it gave back is not given back twice; what it counted may be counted twice, which
   *   is over after a minute
   */
  failed(request: WindowRequest): void {
    this.#forget(request, (amount) => amount < 0);
    this.giveUp();
  }

  /** Nobody waits any longer, although a reply may still come. */
  giveUp(): void {
    for (const { end } of [...this.#asking, ...this.#waiting]) end('no reply');
    this.#asking = [];
    this.#waiting = [];
  }

  /** Drops what no window counts any more. */
  forgetBefore(second: number): void {
    for (const each of this.#corrections.keys()) if (each < second) this.#corrections.delete(each);
  }

  /** The key was deleted, so nothing is counted any more. */
  #forgetAll(): void {
    this.#corrections.clear();
    this.giveUp();
  }

  #forget({ corrections }: WindowRequest, isKnown: (amount: number) => boolean): void {
    for (const [second, amount] of corrections) if (isKnown(amount)) this.correct(second, -amount);
  }

  /** What is held counts in the window already. */
  #refusalIn(window: MinuteWindow, amount: number): Refusal | undefined {
    const used = window.total - this.#held;
    if (used + amount <= this.limit) return undefined;
    const seconds = window.secondsUntilFits(amount - this.#held, this.limit);
    return { seconds: Math.min(seconds, SLOTS), used, limit: this.limit };
  }
}
