const DAY_MS = 86_400_000;

/** How far back each range goes; `own` has days of its own. */
export const ranges = {
  '24h': { label: '24 hours', days: 1 },
  '7d': { label: '7 days', days: 7 },
  '14d': { label: '14 days', days: 14 },
  '30d': { label: '30 days', days: 30 },
  own: { label: 'Own dates', days: undefined },
} as const;
export type RangeName = keyof typeof ranges;

/** Hours of more days than these are too narrow to be read. */
const MAXIMUM_HOURLY_DAYS = 7;
/** How long Tenkey keeps the sums of hours. */
const KEPT_HOURLY_DAYS = 14;

/** What is asked of the API. */
export interface Range {
  readonly name: RangeName;
  /** Undefined: the last 24 hours, which are no whole days. */
  readonly days: { readonly since: string; readonly until: string } | undefined;
  readonly interval: 'hour' | 'day';
}

/** @param since @param until the first and the last UTC day of `own`; what is missing or not a day is today */
export function rangeOf(name: RangeName, since: string, until: string, now = Date.now()): Range {
  const today = dayOf(now);
  if (name === '24h') return { name, days: undefined, interval: 'hour' };
  if (name !== 'own') {
    const { days } = ranges[name];
    return withInterval(name, dayOf(now - (days - 1) * DAY_MS), today, now);
  }
  const [first, last] = [isDay(since) ? since : today, isDay(until) ? until : today];
  return first <= last ? withInterval(name, first, last, now) : withInterval(name, last, first, now);
}

function withInterval(name: RangeName, since: string, until: string, now: number): Range {
  const days = (Date.parse(until) - Date.parse(since)) / DAY_MS + 1;
  const isKept = Date.parse(since) >= now - KEPT_HOURLY_DAYS * DAY_MS;
  return {
    name,
    days: { since, until },
    interval: days <= MAXIMUM_HOURLY_DAYS && isKept ? 'hour' : 'day',
  };
}

/** The UTC day of a time. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The start of the day after a day. */
export function endOf(day: string): string {
  return new Date(Date.parse(day) + DAY_MS).toISOString();
}

export function isDay(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && dayOf(time) === text;
}
