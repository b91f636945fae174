import fc from 'fast-check';
import { MinuteLimits } from './minute-window';

const start = 1_764_000_000_000;
const key = (tenantKeyId: string) => ({ tenantId: 'tenant', tenantKeyId });
const [a, b] = [key('a'), key('b')];

describe('a limit per minute', () => {
  it('admits as many as allowed, says when the next one is admitted, and keeps to that', () => {
    const limits = new MinuteLimits();
    for (let each = 0; each < 3; each += 1) expect(limits.take(a, 3, start + each * 5000)).toBeUndefined();
    const wait = limits.take(a, 3, start + 15_000);
    expect(wait).toBe(46);
    expect(limits.take(a, 3, start + 15_000 + 45_000)).toBe(1);
    expect(limits.take(a, 3, start + 15_000 + 46_000)).toBeUndefined();
    expect(limits.take(a, 3, start + 15_000 + 46_000)).toBe(5);
    expect(limits.take(b, 3, start + 15_000)).toBeUndefined();
  });

  it('is never exceeded in any 60 seconds, and admits again at the time that it reports', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 10 }), (waits, limit) => {
        const limits = new MinuteLimits();
        const taken: number[] = [];
        let now = start;
        let free = 0;
        for (const wait of waits) {
          now += wait;
          const seconds = limits.take(a, limit, now);
          if (seconds === undefined) {
            taken.push(now);
            free = 0;
          } else {
            expect(free === 0 || now < free).toBe(true);
            // Once reported, the time does not move to a later one.
            if (free > 0) expect(now + seconds * 1000).toBeLessThanOrEqual(free + 999);
            free = Math.max(free, now + seconds * 1000);
            expect(seconds).toBeGreaterThanOrEqual(1);
            expect(seconds).toBeLessThanOrEqual(61);
          }
        }
        for (const [index, time] of taken.entries()) {
          const within = taken.slice(index).filter((each) => each - time <= 60_000);
          expect(within.length).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });

  it('holds when the limit is lowered and when the clock goes back', () => {
    const limits = new MinuteLimits();
    for (let each = 0; each < 10; each += 1) expect(limits.take(a, 10, start)).toBeUndefined();
    expect(limits.take(a, 2, start + 1000)).toBe(60);
    expect(limits.take(a, 10, start - 3_600_000)).toBe(60);
  });

  it('counts amounts, and says when a further amount is within the limit', () => {
    const limits = new MinuteLimits();
    expect(limits.take(a, 100, start, 60)).toBeUndefined();
    expect(limits.take(a, 100, start + 10_000, 30)).toBeUndefined();
    expect(limits.take(a, 100, start + 20_000, 11)).toBe(41);
    expect(limits.take(a, 100, start + 20_000, 71)).toBe(51);
    expect(limits.take(a, 100, start + 20_000, 10)).toBeUndefined();
    limits.correct(a, -25, start + 10_000, start + 30_000);
    expect(limits.total(a, start + 30_000)).toBe(75);
    limits.correct(a, 50, start, start + 40_000);
    expect(limits.total(a, start + 40_000)).toBe(125);
    expect(limits.total(a, start + 61_000)).toBe(65);
    limits.correct(a, -60, start, start + 61_000);
    expect(limits.total(a, start + 101_000)).toBe(0);
  });

  it('forgets names that were not used for a minute', () => {
    const limits = new MinuteLimits();
    for (let each = 0; each < 5000; each += 1) limits.take(key(`key ${each}`), 1, start);
    limits.take(key('the last'), 1, start + 120_000);
    expect(limits.size).toBe(1);
  });
});
