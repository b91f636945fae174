import fc from 'fast-check';
import { type Problem } from '#http';
import { LimitExchange } from './limit-exchange';
import { SharedLimits } from './shared-limits';
import { type Reservation, TokenLimitsService } from './token-limits.service';

/** A limit of `limit` tokens for the key `a` in a process that is alone, and a clock that the test sets. */
function limited(limit: number) {
  const clock = { now: 5_000_000 };
  const options = {
    ask: () => Promise.reject(new Error('a process that is alone asks nobody')),
    processes: { isAlone: true, aloneSince: -Infinity, count: 1 },
    timeoutMs: 1000,
    now: () => clock.now,
    databaseNow: () => clock.now,
  };
  const limits = new TokenLimitsService({
    tokens: new SharedLimits('tokens', options, new LimitExchange(options)),
  });
  const reserve = (estimate: number, tenantKeyId = 'a') =>
    limits.reserve({ tenantId: 'tenant', tenantKeyId }, limit, estimate, () => clock.now) as Reservation;
  const refusal = (estimate: number): Problem => {
    try {
      reserve(estimate);
    } catch (error) {
      return error as Problem;
    }
    throw new Error('it was not refused');
  };
  return { limits, clock, reserve, refusal };
}

describe('tokens per minute', () => {
  it('are reserved up to the limit, and the next call learns when it fits', () => {
    const { clock, reserve, refusal } = limited(1000);
    reserve(600);
    clock.now += 20_000;
    reserve(400);
    const { code, status, details } = refusal(500);
    expect([code, status, details.headers?.['retry-after']]).toEqual(['rate_limited', 429, '41']);
    expect(details.detail).toBe(
      'This key may use 1000 tokens per minute, and 1000 are used or reserved. This call may use 500.',
    );
    expect(details.hint).toBe('Try again in 41 s.');
    expect(refusal(601).details.headers?.['retry-after']).toBe('61');
    clock.now += 40_999;
    expect(refusal(500).details.headers?.['retry-after']).toBe('1');
    clock.now += 1;
    reserve(500);
    expect(() => reserve(1000, 'b')).not.toThrow();
  });

  it('count what the provider reports in place of the estimate', () => {
    const { reserve, refusal } = limited(1000);
    const first = reserve(900);
    refusal(200);
    first.settle(100);
    reserve(900).settle(950);
    expect(refusal(1).details.detail).toContain('1050 are used');
  });

  it('are given back whole when nothing was used', () => {
    const { reserve } = limited(1000);
    for (let each = 0; each < 100; each += 1) reserve(1000).settle(0);
  });

  it.each([undefined, -1, 0.5, NaN, Infinity, 2 ** 60])('stay as estimated when %p is reported', (actual) => {
    const { reserve, refusal } = limited(1000);
    reserve(900).settle(actual);
    expect(refusal(101).details.detail).toContain('900 are used');
    reserve(100);
  });

  it('count for at most a million million in one call, so that the sum of a minute has a bound', () => {
    const { limits, reserve, refusal } = limited(1000);
    reserve(900).settle(Number.MAX_SAFE_INTEGER);
    expect(refusal(1).details.detail).toContain(`${1e12} are used`);
    limits.charge({ tenantId: 'tenant', tenantKeyId: 'a' }, Number.MAX_SAFE_INTEGER);
    expect(refusal(1).details.detail).toContain(`${2e12} are used`);
  });

  it('are settled once', () => {
    const { reserve, refusal } = limited(1000);
    const first = reserve(600);
    first.settle(undefined);
    first.settle(0);
    expect(refusal(500).details.detail).toContain('600 are used');
    const second = reserve(400);
    second.settle(300);
    second.settle(0);
    expect(refusal(500).details.detail).toContain('900 are used');
  });

  it('of a call that took longer than a minute give nothing back, and those above the estimate count from the end of the call', () => {
    const { clock, reserve, refusal } = limited(1000);
    const long = reserve(800);
    const longer = reserve(200);
    clock.now += 61_000;
    reserve(700);
    long.settle(100);
    expect(refusal(301).details.detail).toContain('700 are used');
    longer.settle(400);
    expect(refusal(101).details.detail).toContain('900 are used');
    clock.now += 60_999;
    expect(refusal(101).details.headers?.['retry-after']).toBe('1');
    clock.now += 1;
    reserve(1000);
  });

  it('are refused without a time when a single call exceeds the limit', () => {
    const { details, code } = limited(1000).refusal(1001);
    expect([code, details.headers?.['retry-after']]).toEqual(['rate_limited', undefined]);
    expect(details.detail).toContain('may use 1001 tokens, and this key may use 1000 per minute');
    expect(details.hint).toMatch(/does not help: lower max_tokens.*tokens_per_minute/);
  });

  it('are never more than the limit in any 60 seconds, whatever is settled when', () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 15_000 }),
      estimate: fc.integer({ min: 1, max: 120 }),
      /** As a part of the estimate. */
      used: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
      settledAfterMs: fc.integer({ min: 0, max: 90_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { clock, reserve } = limited(100);
        const counted: { at: number; tokens: number }[] = [];
        const waiting: { at: number; settle: () => void }[] = [];
        for (const { waitMs, estimate, used, settledAfterMs } of steps) {
          const next = clock.now + waitMs;
          for (const each of waiting.sort((a, b) => a.at - b.at)) {
            if (each.at > next) break;
            clock.now = Math.max(clock.now, each.at);
            each.settle();
          }
          waiting.splice(0, waiting.length, ...waiting.filter(({ at }) => at > next));
          clock.now = next;
          let reservation: Reservation;
          try {
            reservation = reserve(estimate);
          } catch {
            continue;
          }
          const entry = { at: next, tokens: estimate };
          counted.push(entry);
          const inMinute = counted.filter(({ at }) => next - at <= 60_000);
          expect(inMinute.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(100);
          waiting.push({
            at: next + settledAfterMs,
            settle: () => {
              const actual = used === undefined ? undefined : Math.floor(estimate * used);
              reservation.settle(actual);
              if (settledAfterMs <= 60_000) entry.tokens = actual ?? estimate;
            },
          });
        }
      }),
    );
  });

  it('are forgotten with keys that used none for a minute, even when they are never settled', () => {
    const { limits, clock, reserve } = limited(10);
    for (let each = 0; each < 5000; each += 1) reserve(1, `key ${each}`);
    clock.now += 120_000;
    reserve(1, 'the last');
    expect(limits.size).toBe(1);
  });
});
