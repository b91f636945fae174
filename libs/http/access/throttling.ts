import { hash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { networkOf } from '#config';
import { Problem } from '../problems/problem';

/** How long a key counts as known after it was accepted. */
const KNOWN_MS = 3_600_000;
/** How often it is noted that a key was accepted, so that this is not work for each request. */
const NOTE_EVERY_MS = 60_000;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 900_000;
/** After so much time without a wrong key, an address begins again with the shortest wait. */
const FORGET_MS = 3_600_000;
const MAXIMUM_KEYS = 20_000;
/** Beyond this number, the source is forgotten whose last wrong key is the oldest. */
const MAXIMUM_SOURCES = 20_000;

/** Where wrong keys come from: an address, or requests with the same accepted key. */
interface Source {
  /** By `performance.now()`, as the other times here. Until then, unknown keys are refused unchecked. */
  throttledUntil: number;
  waitMs: number;
  failedAt: number;
}

/**
 * Slows down the guessing of keys. After too many wrong keys from one address within a minute, a key that this process has not
 * accepted within the last hour is refused from that address without being looked up. Each further time, it is for twice as long.
 * Known keys are not affected, so clients that share an address with a misconfigured one go on working.
 *
 * A whole /64 of IPv6 counts as one address. What is kept is bounded, however many addresses and keys there are; of a key, only
 * its SHA-256 is kept.
 */
export class WrongKeyThrottle {
  readonly #log = new Logger('access');
  readonly #perMinute: number;
  readonly #failures: RateLimiterMemory;
  readonly #sources = new LRUCache<string, Source>({
    max: MAXIMUM_SOURCES,
    dispose: (_, name) => void this.#failures.delete(name),
  });
  /** SHA-256 of a key -> when it was last noted that it was accepted. */
  readonly #known = new LRUCache<string, number>({ max: MAXIMUM_KEYS });
  /** The same by grant, because a request that was accepted has its grant at hand, and hashing its key would take longer. */
  readonly #noted = new WeakMap<object, number>();
  /** SHA-256 of wrong keys that came with one that opened the request. */
  readonly #further = new LRUCache<string, true>({ max: MAXIMUM_KEYS });

  /** @param perMinute wrong keys from one address; 0: no limit */
  constructor(perMinute: number) {
    this.#perMinute = perMinute;
    this.#failures = new RateLimiterMemory({ points: perMinute, duration: 60 });
  }

  /**
   * @param address undefined: the connection was reset already
   * @throws Problem throttled
   */
  check(address: string | undefined, presentedKeys: () => readonly string[]): void {
    const waitMs = this.#waitMsOf(() => networkOf(address));
    if (waitMs <= 0) return;
    const keys = presentedKeys();
    // A request without a key guesses none.
    if (keys.length === 0 || keys.some((key) => this.#isKnown(key))) return;
    throw throttled(waitMs);
  }

  /** Whether this key of a request must not be tried, because too many wrong ones came next to another of its keys. */
  refuses(key: string, presentedKeys: readonly string[]): boolean {
    if (this.#sources.size === 0 || presentedKeys.length < 2) return false;
    const isNextTo = (other: string) => other !== key && this.#waitMsOf(() => nextTo(other)) > 0;
    return presentedKeys.some(isNextTo) && !this.#isKnown(key);
  }

  /** Notes that a key was accepted. @param grant what it opens; the same object for each request, as far as possible */
  accepted(grant: object, key: string): void {
    const now = performance.now();
    const notedAt = this.#noted.get(grant);
    if (this.#perMinute === 0 || (notedAt !== undefined && now - notedAt < NOTE_EVERY_MS)) return;
    this.#noted.set(grant, now);
    this.#known.set(digestOf(key), now);
  }

  /** Counts a request whose keys open nothing. */
  async failed(address: string | undefined, presentedKeys: readonly string[]): Promise<void> {
    if (presentedKeys.length === 0) return;
    const network = networkOf(address);
    await this.#count(network, `from ${network}`);
  }

  /**
   * Counts the further keys of a request that one of them opens. They count for that key and not for the address, because a client may
   * send a key of another service in a second header, and others behind the same address must not pay for that.
   */
  async failedNextTo(accepted: string, presentedKeys: readonly string[]): Promise<void> {
    for (const key of presentedKeys) {
      if (key === accepted || key === '') continue;
      const digest = digestOf(key);
      // The same one again is no further guess.
      if (this.#further.has(digest)) continue;
      this.#further.set(digest, true);
      await this.#count(nextTo(accepted), 'next to the same accepted key');
    }
  }

  async #count(name: string, where: string): Promise<void> {
    if (this.#perMinute === 0) return;
    const now = performance.now();
    let entry = this.#sources.get(name);
    if (entry === undefined || now - entry.failedAt > FORGET_MS) {
      entry = { throttledUntil: 0, waitMs: FIRST_WAIT_MS, failedAt: now };
      this.#sources.set(name, entry, { noDisposeOnSet: true });
    }
    entry.failedAt = now;
    const { consumedPoints } = await this.#failures.penalty(name);
    if (consumedPoints < this.#perMinute) return;
    // The count begins again after the wait.
    await this.#failures.delete(name);
    // More requests were being checked when the limit was reached.
    if (entry.throttledUntil > now) return;
    entry.throttledUntil = now + entry.waitMs;
    this.#log.warn(
      `${this.#perMinute} wrong keys came ${where} within a minute: unknown keys ${where} are refused unchecked for ${entry.waitMs / 1000} s`,
    );
    entry.waitMs = Math.min(2 * entry.waitMs, LONGEST_WAIT_MS);
  }

  /** How long a source is throttled. */
  #waitMsOf(name: () => string): number {
    if (this.#sources.size === 0) return 0;
    const entry = this.#sources.peek(name());
    return entry === undefined ? 0 : entry.throttledUntil - performance.now();
  }

  #isKnown(key: string): boolean {
    const acceptedAt = this.#known.peek(digestOf(key));
    return acceptedAt !== undefined && performance.now() - acceptedAt < KNOWN_MS;
  }
}

/** The name of a source: what comes in the same request as this key. */
function nextTo(key: string): string {
  return `next to ${digestOf(key)}`;
}

function digestOf(key: string): string {
  return hash('sha256', key, 'base64');
}

function throttled(waitMs: number): Problem {
  const seconds = String(Math.ceil(waitMs / 1000));
  return new Problem('throttled', {
    detail: 'Too many wrong keys came from this address.',
    hint: `Correct the key, and try again in ${seconds} s.`,
    headers: { 'retry-after': seconds },
  });
}
