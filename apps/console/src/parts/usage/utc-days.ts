import { whole } from '../numbers';

export const DAY_MS = 86_400_000;

/** As many as the API has in one plot. */
const MAXIMUM_DAYS = 366;

/** The first and the last of some UTC days. */
export type Days = Readonly<Record<'since' | 'until', string>>;

/** The last days, with today. */
export function lastDays(count: number, until = dayOf(Date.now())): Days {
  return { since: dayOf(Date.parse(until) - (count - 1) * DAY_MS), until };
}

/** The whole calendar month before this one. */
export function lastMonth(now = new Date()): Days {
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
  return { since: dayOf(Date.UTC(year, month - 1, 1)), until: dayOf(Date.UTC(year, month, 0)) };
}

export function lengthOf({ since, until }: Days): number {
  return (Date.parse(until) - Date.parse(since)) / DAY_MS + 1;
}

/** Why these days cannot be asked for; undefined: they can. */
export function faultOf(days: Days): string | undefined {
  const count = lengthOf(days);
  if (count < 1) return 'The first day is after the last one.';
  if (count <= MAXIMUM_DAYS) return undefined;
  return `These are ${whole(count)} days, and at most ${MAXIMUM_DAYS} can be shown at once. Choose a later first day, or an earlier last one.`;
}

/** The start of the day after a day. */
export function endOf(day: string): string {
  return new Date(Date.parse(day) + DAY_MS).toISOString();
}

/** The days of an address. @param count how many days there are if it does not name both */
export function daysOf(since: string, until: string, count: number): Days {
  const last = isDay(until) ? until : undefined;
  const usual = lastDays(count, last);
  return isDay(since) ? { ...usual, since } : usual;
}

function isDay(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && dayOf(time) === text;
}

/** The UTC day of a time. */
function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
