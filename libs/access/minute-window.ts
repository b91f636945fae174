/** The second that runs and the 60 before it: what counts is never younger than a minute when it is forgotten. */
const SLOTS = 61;
const SLOT_MS = 1000;

/** How many of something there were in the last minute, and up to a second more. */
class MinuteWindow {
  readonly #counts = new Uint32Array(SLOTS);
  /** The newest second that is counted, since the epoch. */
  #second = 0;
  #total = 0;

  /** Forgets what is older than a minute. A clock that goes back stays in the newest second. */
  advance(now: number): void {
    const second = Math.max(this.#second, Math.floor(now / SLOT_MS));
    const steps = Math.min(second - this.#second, SLOTS);
    for (let step = 1; step <= steps; step += 1) {
      const slot = (second - steps + step) % SLOTS;
      this.#total -= this.#counts[slot] ?? 0;
      this.#counts[slot] = 0;
    }
    this.#second = second;
  }

  get total(): number {
    return this.#total;
  }

  add(): void {
    const slot = this.#second % SLOTS;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
    this.#total += 1;
  }

  /** Whole seconds until fewer than `limit` are left. */
  secondsUntilBelow(limit: number): number {
    let left = this.#total;
    for (let age = SLOTS - 1; age >= 0; age -= 1) {
      left -= this.#counts[(this.#second + SLOTS - age) % SLOTS] ?? 0;
      if (left < limit) return SLOTS - age;
    }
    return SLOTS;
  }
}

/**
 * A limit per minute for each name, in this process. In no 60 seconds are there more than the limit: a sliding window, where
 * a bucket would let through twice as many across the border of two minutes.
 *
 * A window is 61 numbers. Those not used for a minute are dropped, so there are at most as many as names within a minute.
 */
export class MinuteLimits {
  readonly #windows = new Map<string, MinuteWindow>();
  #swept = 0;

  /**
   * Counts one if it is within the limit.
   * @param now milliseconds since the epoch
   * @returns undefined, or in how many whole seconds the next one is within it
   */
  take(name: string, limit: number, now: number): number | undefined {
    this.#sweep(now);
    const window = this.#windows.get(name) ?? new MinuteWindow();
    window.advance(now);
    if (window.total >= limit) return window.secondsUntilBelow(limit);
    window.add();
    this.#windows.set(name, window);
    return undefined;
  }

  /** Of how many names something is remembered. */
  get size(): number {
    return this.#windows.size;
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
