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
/** Beyond this number, the address is forgotten whose last wrong key is the oldest. */
const MAXIMUM_ADDRESSES = 20_000;

interface Address {
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
  readonly #addresses = new LRUCache<string, Address>({
    max: MAXIMUM_ADDRESSES,
    dispose: (_, network) => void this.#failures.delete(network),
  });
  /** SHA-256 of a key -> when it was last noted that it was accepted. */
  readonly #known = new LRUCache<string, number>({ max: MAXIMUM_KEYS });
  /** The same by grant, because a request that was accepted has its grant at hand, and hashing its key would take longer. */
  readonly #noted = new WeakMap<object, number>();
  /** SHA-256 of wrong keys that came with one that opened the request. */
  readonly #beside = new LRUCache<string, true>({ max: MAXIMUM_KEYS });

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
    const waitMs = this.#waitMsOf(address);
    if (waitMs <= 0) return;
    const keys = presentedKeys();
    // A request without a key guesses none.
    if (keys.length === 0 || keys.some((key) => this.#isKnown(key))) return;
    throw throttled(waitMs);
  }

  /** Whether this key must not be tried, although the request has a known one too. */
  refuses(address: string | undefined, key: unknown): boolean {
    return this.#waitMsOf(address) > 0 && !this.#isKnown(String(key));
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
    if (this.#perMinute === 0 || presentedKeys.length === 0) return;
    const network = networkOf(address);
    const now = performance.now();
    let entry = this.#addresses.get(network);
    if (entry === undefined || now - entry.failedAt > FORGET_MS) {
      entry = { throttledUntil: 0, waitMs: FIRST_WAIT_MS, failedAt: now };
      this.#addresses.set(network, entry, { noDisposeOnSet: true });
    }
    entry.failedAt = now;
    const { consumedPoints } = await this.#failures.penalty(network);
    if (consumedPoints < this.#perMinute) return;
    // The count begins again after the wait.
    await this.#failures.delete(network);
    // More requests were being checked when the limit was reached.
    if (entry.throttledUntil > now) return;
    entry.throttledUntil = now + entry.waitMs;
    this.#log.warn(
      `${this.#perMinute} wrong keys came from ${network} within a minute: unknown keys from there are refused unchecked for ${entry.waitMs / 1000} s`,
    );
    entry.waitMs = Math.min(2 * entry.waitMs, LONGEST_WAIT_MS);
  }

  /**
   * Counts the further keys of a request that one of them opens. The same one again is no further guess: some clients send the key of
   * another service in a second header with every request.
   */
  async failedBeside(
    accepted: string,
    address: string | undefined,
    presentedKeys: readonly string[],
  ): Promise<void> {
    // While the address is throttled, they were not tried.
    if (this.#perMinute === 0 || this.#waitMsOf(address) > 0) return;
    for (const key of presentedKeys) {
      const digest = digestOf(key);
      if (key === accepted || key === '' || this.#beside.has(digest)) continue;
      this.#beside.set(digest, true);
      await this.failed(address, [key]);
    }
  }

  /** How long the address is throttled. */
  #waitMsOf(address: string | undefined): number {
    if (this.#addresses.size === 0) return 0;
    const entry = this.#addresses.peek(networkOf(address));
    return entry === undefined ? 0 : entry.throttledUntil - performance.now();
  }

  #isKnown(key: string): boolean {
    const acceptedAt = this.#known.peek(digestOf(key));
    return acceptedAt !== undefined && performance.now() - acceptedAt < KNOWN_MS;
  }
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
