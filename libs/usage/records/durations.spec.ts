import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { durationBounds, durationColumns, percentileOf } from './durations';

/** The upper bounds of the buckets; the last one has none. */
const upper = [...durationBounds, Infinity];

const bucketOf = (ms: number) => upper.findIndex((bound) => ms <= bound);

function countsOf(durations: readonly number[]): number[] {
  const counts = upper.map(() => 0);
  for (const ms of durations) counts[bucketOf(ms)]! += 1;
  return counts;
}

/** The nearest rank: the smallest duration that is not exceeded by so many percent. */
function exactPercentile(durations: readonly number[], percent: number): number {
  const sorted = [...durations].sort((a, b) => a - b);
  return sorted[Math.ceil((percent * sorted.length) / 100) - 1]!;
}

describe('a percentile of durations in buckets', () => {
  const durations = fc.array(
    fc.oneof(
      fc.nat(400_000),
      fc.nat(3000),
      fc.constantFrom(...durationBounds),
      fc.constantFrom(...durationBounds.map((bound) => bound + 1)),
    ),
    { minLength: 1, maxLength: 200 },
  );

  it('is in the same bucket as the exact one', () => {
    fc.assert(
      fc.property(durations, fc.constantFrom(1, 50, 95, 99, 100), (all, percent) => {
        const exact = exactPercentile(all, percent);
        const bucket = bucketOf(exact);
        const estimate = percentileOf(countsOf(all), percent)!;
        const lower = durationBounds[bucket - 1] ?? 0;
        if (upper[bucket] === Infinity) expect(estimate).toBe(lower);
        else {
          expect(estimate).toBeGreaterThanOrEqual(lower);
          expect(estimate).toBeLessThanOrEqual(upper[bucket]!);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is exact at the end of a bucket, and interpolated in between', () => {
    const counts = upper.map(() => 0);
    expect(percentileOf(counts, 50)).toBeNull();
    counts[bucketOf(700)] = 10;
    expect([10, 50, 95, 100].map((percent) => percentileOf(counts, percent))).toEqual([550, 750, 975, 1000]);
    counts[bucketOf(400)] = 10;
    expect(percentileOf(counts, 50)).toBe(500);
    counts[upper.length - 1] = 100;
    expect(percentileOf(counts, 95)).toBe(300_000);
  });

  it('has the bounds that the documentation names', () => {
    const text = readFileSync(join(__dirname, '../../../docs/usage.md'), 'utf8').replace(/\s+/g, ' ');
    expect(text).toContain(`up to ${durationBounds.slice(0, -1).join(', ')} and ${durationBounds.at(-1)} ms`);
  });

  it('has a column for each bucket', () => {
    expect(durationColumns).toHaveLength(upper.length);
    expect(durationColumns.slice(0, 2)).toEqual(['to_50_ms', 'to_100_ms']);
    expect(durationColumns.at(-1)).toBe('above_300000_ms');
  });
});
