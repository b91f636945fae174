/** After this time what another process did last is no longer within any minute, nor within the second in which a minute ends. */
const COMPANY_MS = 62_000;

/** What this process knows of the registry: its own id, and how many processes its registration or a renewal has counted last. */
export class RegisteredProcesses {
  /** Under which id this process is registered; undefined before it is. */
  ownId: string | undefined;
  #count = 1;
  #isAlone = true;
  #aloneSince = -Infinity;
  #othersSeenAt = -Infinity;
  #listener: (() => void) | undefined;

  /** @param now monotonic, in milliseconds */
  constructor(private readonly now: () => number) {}

  get count(): number {
    return this.#count;
  }

  /** True when no other process has been registered for a minute, so that nobody else has done anything within it. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  /** Since when this process is alone; before its first registration, always. */
  get aloneSince(): number {
    return this.#aloneSince;
  }

  /** @param listener is told when this process is no longer alone */
  onCompany(listener: () => void): void {
    this.#listener = listener;
  }

  observe(count: number): void {
    this.#count = Math.max(1, count);
    const now = this.now();
    if (count > 1) {
      this.#othersSeenAt = now;
      if (!this.#isAlone) return;
      this.#isAlone = false;
      this.#listener?.();
    } else if (!this.#isAlone && now - this.#othersSeenAt > COMPANY_MS) {
      this.#isAlone = true;
      this.#aloneSince = now;
    }
  }
}
