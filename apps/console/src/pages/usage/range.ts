import { DAY_MS, type Days, daysOf, lastDays, lastMonth, lengthOf } from '../../parts/usage/utc-days';

/** How far back each range goes; `own` until other days are chosen. */
export const ranges = {
  '24h': { label: '24 hours', days: 1 },
  '7d': { label: '7 days', days: 7 },
  '14d': { label: '14 days', days: 14 },
  '30d': { label: '30 days', days: 30 },
  month: { label: 'Last month', days: 30 },
  own: { label: 'Custom', days: 1 },
} as const;
export type RangeName = keyof typeof ranges;

/** Hours of more days than these are too narrow to be read. */
const MAXIMUM_HOURLY_DAYS = 7;
/** How long Tenkey keeps the sums of hours. */
const KEPT_HOURLY_DAYS = 14;

/** What is asked of the API. */
export interface Range {
  readonly name: RangeName;
  /** The last 24 hours are parts of two. */
  readonly days: Days;
  readonly interval: 'hour' | 'day';
}

/** @param since @param until those of `own`, as the address has them */
export function rangeOf(name: RangeName, since: string, until: string): Range {
  if (name === '24h') return { name, days: lastDays(2), interval: 'hour' };
  const days =
    name === 'own' ? daysOf(since, until, 1) : name === 'month' ? lastMonth() : lastDays(ranges[name].days);
  const isKept = Date.parse(days.since) >= Date.now() - KEPT_HOURLY_DAYS * DAY_MS;
  return { name, days, interval: lengthOf(days) <= MAXIMUM_HOURLY_DAYS && isKept ? 'hour' : 'day' };
}
