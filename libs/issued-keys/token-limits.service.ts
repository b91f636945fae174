import { Injectable } from '@nestjs/common';
import { Problem } from '#http';
import { MinuteLimits } from './minute-window';

/** Tokens that a call may use, counted before it is sent. */
export interface Reservation {
  /**
   * Once the call is over. Whatever comes after the first time changes nothing.
   * @param actual what the provider reported; undefined: nothing, and the estimate stays counted
   */
  settle(actual: number | undefined): void;
}

/**
 * Tokens per minute of each key, in this process. A call's estimate is counted before the call is sent, so that many at once
 * do not exceed the limit together; when it ends, what it really used counts in its place. Of a call that used more than its
 * estimate, the rest counts for a minute from its end on; a call that took longer than a minute gives nothing back, since
 * what it reserved is forgotten. So nothing that is never settled is kept either.
 */
@Injectable()
export class TokenLimitsService {
  readonly #limits = new MinuteLimits();

  /**
   * @param limit tokens in any 60 seconds
   * @param estimate a whole number from 0
   * @param clock in milliseconds; must not go back
   * @throws Problem rate_limited
   */
  reserve(
    tenantKeyId: string,
    limit: number,
    estimate: number,
    clock: () => number = () => performance.now(),
  ): Reservation {
    if (estimate > limit) throw neverWithin(limit, estimate);
    const now = clock();
    const seconds = this.#limits.take(tenantKeyId, limit, now, estimate);
    if (seconds !== undefined) throw usedUp(limit, estimate, this.#limits.total(tenantKeyId, now), seconds);
    let isSettled = false;
    return {
      settle: (actual) => {
        if (isSettled) return;
        isSettled = true;
        // A provider may report anything.
        if (actual === undefined || !Number.isSafeInteger(actual) || actual < 0) return;
        this.#limits.correct(tenantKeyId, actual - estimate, now, clock());
      },
    };
  }

  /** Of how many keys something is remembered. */
  get size(): number {
    return this.#limits.size;
  }
}

function usedUp(limit: number, estimate: number, used: number, seconds: number): Problem {
  return new Problem('rate_limited', {
    detail: `This key may use ${limit} tokens per minute, and ${used} are used or reserved. This call may use ${estimate}.`,
    hint: `Try again in ${seconds} s.`,
    retryAfter: String(seconds),
  });
}

/** Without a time: later it is refused as well. */
function neverWithin(limit: number, estimate: number): Problem {
  return new Problem('rate_limited', {
    detail: `This call alone may use ${estimate} tokens, and this key may use ${limit} per minute.`,
    hint: 'Trying again does not help: lower max_tokens, send less text, or use a key with a higher tokens_per_minute.',
  });
}
