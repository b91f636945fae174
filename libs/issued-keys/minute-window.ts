/** The second that runs and the 60 before it: what counts is never younger than a minute when it is forgotten. */
const SLOTS = 61;
const SLOT_MS = 1000;

const secondOf = (now: number) => Math.floor(now / SLOT_MS);

/** How much of something there was in the last minute, and up to a second more. */
class MinuteWindow {
  readonly #amounts = new Float64Array(SLOTS);
  /** The newest second that is counted. */
  #second = 0;
  #total = 0;

  /** Forgets what is older than a minute. A clock that goes back stays in the newest second. */
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

  /** Takes back what was added in that second; nothing, when that is forgotten. */
  giveBack(second: number, amount: number): void {
    if (this.#second - second >= SLOTS) return;
    const slot = second % SLOTS;
    const given = Math.min(amount, this.#amounts[slot] ?? 0);
    this.#amounts[slot] = (this.#amounts[slot] ?? 0) - given;
    this.#total -= given;
  }

  /** Whole seconds until so much more is within the limit; `amount` is. */
  secondsUntilFits(amount: number, limit: number): number {
    let left = this.#total;
    for (let age = SLOTS - 1; age >= 0; age -= 1) {
      left -= this.#amounts[(this.#second + SLOTS - age) % SLOTS] ?? 0;
      if (left + amount <= limit) return SLOTS - age;
    }
    return SLOTS;
  }
}

/**
 * A limit per minute for each name, in this process. In no 60 seconds is there more than the limit: a sliding window, where
 * a bucket would let through twice as much across the border of two minutes.
 *
 * Amounts are whole numbers, times milliseconds of one clock. A window is 61 numbers. Those not used for a minute are dropped,
 * so there are at most as many as names within a minute.
 */
export class MinuteLimits {
  readonly #windows = new Map<string, MinuteWindow>();
  #swept = 0;

  /**
   * Counts the amount if all of it is within the limit.
   * @returns undefined, or in how many whole seconds it is within it, if it ever is
   */
  take(name: string, limit: number, now: number, amount = 1): number | undefined {
    const window = this.#windowOf(name, now);
    if (window.total + amount > limit) return window.secondsUntilFits(amount, limit);
    window.add(amount);
    this.#windows.set(name, window);
    return undefined;
  }

  /**
   * What was taken at `takenAt` turned out to be more by this, or less. More counts from now on, also above the limit; less
   * is given back where it was counted, or not at all when that is forgotten.
   */
  correct(name: string, difference: number, takenAt: number, now: number): void {
    const window = this.#windowOf(name, now);
    if (difference < 0) return window.giveBack(secondOf(takenAt), -difference);
    if (difference === 0) return;
    window.add(difference);
    this.#windows.set(name, window);
  }

  /** How much there was in the last minute. */
  total(name: string, now: number): number {
    return this.#windowOf(name, now).total;
  }

  /** Of how many names something is remembered. */
  get size(): number {
    return this.#windows.size;
  }

  #windowOf(name: string, now: number): MinuteWindow {
    this.#sweep(now);
    const window = this.#windows.get(name) ?? new MinuteWindow();
    window.advance(now);
    return window;
  }

  #sweep(now: number): void {
    if (now - this.#swept < SLOTS * SLOT_MS) return;
    this.#swept = now;
    for (const [name, window] of this.#windows) {
      window.advance(now);
      if (window.total === 0) this.#windows.delete(name);
    }
  }
}
