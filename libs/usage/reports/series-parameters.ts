import { Problem } from '#http';
import { HOURLY_DAYS } from '../records/usage-tables';
import { type SeriesInterval, type UsageSeriesQuery } from './usage-series.dto';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** How long an interval is, how far a series goes without `since`, and how far it may go. */
const lengths: Readonly<Record<SeriesInterval, { stepMs: number; usualMs: number; longestDays: number }>> = {
  hour: { stepMs: HOUR_MS, usualMs: DAY_MS, longestDays: HOURLY_DAYS },
  day: { stepMs: DAY_MS, usualMs: 30 * DAY_MS, longestDays: 366 },
};

/** The whole hours or days of a series, in UTC. */
export interface SeriesRange {
  readonly interval: SeriesInterval;
  /** The start of each interval, in milliseconds since 1970; at least one. */
  readonly times: readonly number[];
  readonly stepMs: number;
  readonly since: Date;
  /** The end of the last interval. */
  readonly until: Date;
}

/**
 * The range that a query names, widened to whole intervals.
 * @throws Problem validation_failed if it is empty, too long, or from before the sums that are kept
 */
export function parseSeriesRange(
  { interval = 'hour', since: sinceText, until: untilText }: UsageSeriesQuery,
  now = Date.now(),
): SeriesRange {
  const { stepMs, usualMs, longestDays } = lengths[interval];
  const startOf = (time: number) => Math.floor(time / stepMs) * stepMs;
  const until = untilText === undefined ? startOf(now) + stepMs : startOf(Date.parse(untilText) + stepMs - 1);
  const since = sinceText === undefined ? until - usualMs : startOf(Date.parse(sinceText));
  if (since >= until) throw refused('since must be before until');
  if (interval === 'hour' && since < startOf(now) - longestDays * DAY_MS) {
    throw refused(`with interval=hour, since must be at most ${longestDays} days ago`, {
      hint: `The sums of hours are kept for ${longestDays} days, those of days for ever: ask for interval=day.`,
    });
  }
  // A range of exactly this length may touch one interval more.
  if (until - since > longestDays * DAY_MS + stepMs) {
    throw refused(`with interval=${interval}, since and until must be at most ${longestDays} days apart`, {
      hint: interval === 'hour' ? 'Ask for interval=day, or for several shorter ranges.' : undefined,
    });
  }
  const times = Array.from({ length: (until - since) / stepMs }, (_, index) => since + index * stepMs);
  return { interval, times, stepMs, since: new Date(since), until: new Date(until) };
}

function refused(message: string, { hint }: { hint?: string } = {}): Problem {
  return new Problem('validation_failed', {
    detail: 'The range is not valid; see errors.',
    ...(hint !== undefined && { hint }),
    errors: [{ path: 'since', message }],
  });
}
