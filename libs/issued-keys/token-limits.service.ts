import { Injectable } from '@nestjs/common';
import { Problem } from '#http';
import { MinuteLimits } from './minute-window';

/** Tokens that a call may use, counted before it is sent. */
export interface Reservation {
  /**
   * Called when the call is finished. Only the first time has an effect.
   * @param actual the tokens that the provider reported; undefined: none reported, and the estimate stays counted
   */
  settle(actual: number | undefined): void;
}

/**
 * Tokens per minute of each key, in this process. A call's estimate is counted before the call is sent, so that concurrent
 * calls do not exceed the limit together. When the call is finished, the tokens that it used count instead. If it used more
 * than its estimate, the rest counts for a minute from then on. If it took longer than a minute, its reservation has been
 * dropped already and nothing is returned. So a reservation that is never settled is not kept either.
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
        // A provider can report any value.
        if (actual === undefined || !Number.isSafeInteger(actual) || actual < 0) return;
        this.#limits.correct(tenantKeyId, actual - estimate, now, clock());
      },
    };
  }

  /** Counts tokens that were used without a reservation, from now on and even above the limit. */
  charge(tenantKeyId: string, actual: number): void {
    const now = performance.now();
    if (Number.isSafeInteger(actual) && actual > 0) this.#limits.correct(tenantKeyId, actual, now, now);
  }

  /** The number of keys with a window. */
  get size(): number {
    return this.#limits.size;
  }
}

function usedUp(limit: number, estimate: number, used: number, seconds: number): Problem {
  return new Problem('rate_limited', {
    detail: `This key may use ${limit} tokens per minute, and ${used} are used or reserved. This call may use ${estimate}.`,
    hint: `Try again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  });
}

/** Gives no time for a retry, since the call would be refused then as well. */
function neverWithin(limit: number, estimate: number): Problem {
  return new Problem('rate_limited', {
    detail: `This call alone may use ${estimate} tokens, and this key may use ${limit} per minute.`,
    hint: 'Trying again does not help: lower max_tokens, send less text, or use a key with a higher tokens_per_minute.',
  });
}
