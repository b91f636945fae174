/**
 * How long completed calls took, counted in buckets. These are the upper bounds of all buckets but the last, in milliseconds, from a
 * quick embedding to a long answer. The metrics count in the same buckets. Other bounds need a migration of usage_hourly.
 */
export const durationBounds = [
  50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 120_000, 300_000,
] as const;

const longest = durationBounds[durationBounds.length - 1]!;

/** The columns of usage_hourly that count completed calls by their duration, and which records each one counts. */
export const durationSums: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    durationBounds.map((bound, at) => [
      `to_${bound}_ms`,
      completedWhere(`total_ms > ${durationBounds[at - 1] ?? -1} and total_ms <= ${bound}`),
    ]),
  ),
  [`above_${longest}_ms`]: completedWhere(`total_ms > ${longest}`),
};

export const durationColumns: readonly string[] = Object.keys(durationSums);

/**
 * A percentile of durations that were counted in buckets, in milliseconds. It is in the same bucket as the exact one, and is interpolated
 * as if the durations were spread evenly over the bucket. In the last bucket, which has no upper bound, it is the lower one.
 * @param counts by bucket
 * @param percent a whole number, so that the comparison is exact
 * @returns null if there is no duration
 */
export function percentileOf(counts: readonly number[], percent: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let before = 0;
  for (const [at, bound] of durationBounds.entries()) {
    const count = counts[at]!;
    if ((before + count) * 100 >= percent * total) {
      const lower = durationBounds[at - 1] ?? 0;
      return Math.round(lower + ((bound - lower) * ((percent * total) / 100 - before)) / count);
    }
    before += count;
  }
  return longest;
}

function completedWhere(condition: string): string {
  return `count(*) filter (where outcome = 'completed' and ${condition})`;
}
