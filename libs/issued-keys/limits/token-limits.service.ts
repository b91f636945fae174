import { Inject, Injectable } from '@nestjs/common';
import { Problem } from '#http';
import { KeyLimitsService } from './key-limits.service';
import { type LimitedKey } from './minute-window';
import { type Refusal } from './share';
import { type Outcome, type SharedLimits } from './shared-limits';

/** Tokens that a call may use, counted before it is sent. */
export interface Reservation {
  /**
   * Called when the call is finished. Only the first time has an effect.
   * @param actual the tokens that the provider reported; undefined: none reported, and the estimate stays counted
   */
  settle(actual: number | undefined): void;
}

/** The most that one call counts: a provider can report any number, and the sum of a minute must be one that the database can hold. */
const MOST_TOKENS = 1e12;

/**
 * Tokens per minute of each key. A call's estimate is counted before the call is sent, so that concurrent calls do not exceed the
 * limit together. When the call is finished, the tokens that it used count instead. If it used more than its estimate, the rest
 * counts for a minute from then on. If it took longer than a minute, its reservation has been dropped already and nothing is
 * returned. So a reservation that is never settled is not kept either.
 */
@Injectable()
export class TokenLimitsService {
  readonly #limits: SharedLimits;

  constructor(@Inject(KeyLimitsService) { tokens }: Pick<KeyLimitsService, 'tokens'>) {
    this.#limits = tokens;
  }

  /**
   * @param limit tokens in any 60 seconds
   * @param estimate a whole number from 0
   * @param clock in milliseconds; must not go back
   * @returns a promise when the database must be asked first
   * @throws Problem rate_limited. The promise rejects with it as well
   */
  reserve(
    key: LimitedKey,
    limit: number,
    estimate: number,
    clock: () => number = () => performance.now(),
  ): Reservation | Promise<Reservation> {
    if (estimate > limit) throw neverWithin(limit, estimate);
    const now = clock();
    const outcome = this.#limits.take(key, limit, estimate, now);
    const reserved = (found: Outcome) => {
      if (found.refusal !== undefined) throw usedUp(found.refusal, estimate);
      return this.#reservation(key, estimate, found, now, clock);
    };
    return outcome instanceof Promise ? outcome.then(reserved) : reserved(outcome);
  }

  /** Counts tokens that were used without a reservation, from now on and even above the limit. */
  charge(key: LimitedKey, actual: number): void {
    if (!isCount(actual)) return;
    this.#limits.correct(key, Math.min(actual, MOST_TOKENS), performance.now());
  }

  /** The number of keys with a window. */
  get size(): number {
    return this.#limits.size;
  }

  #reservation(
    key: LimitedKey,
    estimate: number,
    outcome: Outcome,
    takenAt: number,
    clock: () => number,
  ): Reservation {
    let isSettled = false;
    return {
      settle: (actual) => {
        if (isSettled) return;
        isSettled = true;
        if (actual === undefined || !isCount(actual)) return;
        this.#limits.correct(key, Math.min(actual, MOST_TOKENS) - estimate, takenAt, outcome, clock());
      },
    };
  }
}

/** A provider can report any value. */
function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function usedUp({ limit, part, used, seconds }: Refusal, estimate: number): Problem {
  const allowed = `This key may use ${limit} tokens per minute`;
  const admitted =
    part === undefined
      ? allowed
      : `${allowed}. While the database does not say what other processes use, this process admits ${part} of them`;
  return new Problem('rate_limited', {
    detail: `${admitted}, and ${used} are used or reserved. This call may use ${estimate}.`,
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
