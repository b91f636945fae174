/** The current second and the 60 before it, so that nothing is dropped before it is a full minute old. */
export const SLOTS = 61;
const SLOT_MS = 1000;

export const secondOf = (now: number): number => Math.floor(now / SLOT_MS);

/** A tenant key, whose use is counted. */
export interface LimitedKey {
  readonly tenantId: string;
  readonly tenantKeyId: string;
}

/** Sums up amounts over the last minute, and up to a second more. */
export class MinuteWindow {
  readonly #amounts = new Float64Array(SLOTS);
  /** The newest second that is counted. */
  #second = 0;
  #total = 0;

  /**
   * @param second the newest one of `amounts`
   * @param amounts of each second, the newest last
   */
  static of(second: number, amounts: readonly number[]): MinuteWindow {
    const window = new MinuteWindow();
    window.#second = second;
    for (const [place, amount] of amounts.entries()) {
      window.#amounts[(second - amounts.length + 1 + place) % SLOTS] = amount;
      window.#total += amount;
    }
    return window;
  }

  /** Drops what is older than a minute. If the clock goes back, the newest second stays the current one. */
  advance(now: number): void {
    const second = Math.max(this.#second, secondOf(now));
    const steps = Math.min(second - this.#second, SLOTS);
    for (let step = 1; step <= steps; step += 1) {
      const slot = (second - steps + step) % SLOTS;
      this.#total -= this.#amounts[slot] ?? 0;
      this.#amounts[slot] = 0;
    }
    this.#second = second;
  }

  get total(): number {
    return this.#total;
  }

  add(amount: number): void {
    const slot = this.#second % SLOTS;
    this.#amounts[slot] = (this.#amounts[slot] ?? 0) + amount;
    this.#total += amount;
  }

  /** Subtracts from what was added in that second; does nothing when that second has been dropped. */
  giveBack(second: number, amount: number): void {
    if (this.#second - second >= SLOTS) return;
    const slot = second % SLOTS;
    const returned = Math.min(amount, this.#amounts[slot] ?? 0);
    this.#amounts[slot] = (this.#amounts[slot] ?? 0) - returned;
    this.#total -= returned;
  }

  /** What was added in each second since then. */
  since(second: number): [second: number, amount: number][] {
    const amounts: [number, number][] = [];
    for (let each = Math.max(second, this.#second - SLOTS + 1); each <= this.#second; each += 1) {
      const amount = this.#amounts[each % SLOTS] ?? 0;
      if (amount > 0) amounts.push([each, amount]);
    }
    return amounts;
  }

  /** Whole seconds until this amount fits into the limit. It must not exceed the limit by itself. */
  secondsUntilFits(amount: number, limit: number): number {
    let left = this.#total;
    for (let age = SLOTS - 1; age >= 0; age -= 1) {
      left -= this.#amounts[(this.#second + SLOTS - age) % SLOTS] ?? 0;
      if (left + amount <= limit) return SLOTS - age;
    }
    return SLOTS;
  }
}

/** The window of a tenant key. */
interface KeyWindow {
  readonly tenantId: string;
  readonly window: MinuteWindow;
}

/**
 * A limit per minute for each tenant key, in this process. It is a sliding window, so that no 60 seconds contain more than the
 * limit; counting by calendar minutes would admit twice as much around the turn of a minute.
 *
 * Amounts are whole numbers, times are milliseconds of one clock. A window is 61 numbers. Windows that were not used for a
 * minute are dropped, so there are at most as many as there were keys within a minute.
 */
export class MinuteLimits {
  readonly #windows = new Map<string, KeyWindow>();
  #swept = 0;

  /**
   * Counts the amount if all of it is within the limit.
   * @returns undefined when it is counted, else after how many whole seconds it would fit, if it ever does
   */
  take(key: LimitedKey, limit: number, now: number, amount = 1): number | undefined {
    const window = this.#windowOf(key, now);
    if (window.total + amount > limit) return window.secondsUntilFits(amount, limit);
    this.#add(key, window, amount);
    return undefined;
  }

  /**
   * Corrects an amount that was taken at `takenAt`. A positive difference counts from now on, even above the limit. A negative
   * one is returned to the second in which it was counted, or ignored when that second has been dropped.
   */
  correct(key: LimitedKey, difference: number, takenAt: number, now: number): void {
    const window = this.#windowOf(key, now);
    if (difference < 0) return window.giveBack(secondOf(takenAt), -difference);
    if (difference > 0) this.#add(key, window, difference);
  }

  /** The sum over the last minute. */
  total(key: LimitedKey, now: number): number {
    return this.#windowOf(key, now).total;
  }

  /** What each key has used in each second since then. */
  *since(time: number, now: number): Generator<{ key: LimitedKey; amounts: [number, number][] }> {
    for (const [tenantKeyId, { tenantId, window }] of this.#windows) {
      window.advance(now);
      yield { key: { tenantId, tenantKeyId }, amounts: window.since(secondOf(time)) };
    }
  }

  /** The number of keys with a window. */
  get size(): number {
    return this.#windows.size;
  }

  #windowOf({ tenantKeyId }: LimitedKey, now: number): MinuteWindow {
    this.#sweep(now);
    const window = this.#windows.get(tenantKeyId)?.window ?? new MinuteWindow();
    window.advance(now);
    return window;
  }

  #add({ tenantId, tenantKeyId }: LimitedKey, window: MinuteWindow, amount: number): void {
    if (window.total === 0) this.#windows.set(tenantKeyId, { tenantId, window });
    window.add(amount);
  }

  #sweep(now: number): void {
    if (now - this.#swept < SLOTS * SLOT_MS) return;
    this.#swept = now;
    for (const [id, { window }] of this.#windows) {
      window.advance(now);
      if (window.total === 0) this.#windows.delete(id);
    }
  }
}
