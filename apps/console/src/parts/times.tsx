import { Text } from '@mantine/core';

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const minute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const minuteOfYear = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const DAY_MS = 86_400_000;
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

const units = [
  ['day', DAY_MS],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** Such as "3 hours ago" or "in 5 days". */
export function relativeTime(time: string, now = Date.now()): string {
  const distance = Date.parse(time) - now;
  for (const [unit, ms] of units) {
    if (Math.abs(distance) >= ms) return relative.format(Math.trunc(distance / ms), unit);
  }
  return distance > 0 ? 'in less than a minute' : 'just now';
}

/** How long ago a time was, or how long it is until then, with the time itself as the tooltip. A time more than a day ago is shown itself. */
export function Moment({ time }: { time: string }) {
  const isOld = Date.now() - Date.parse(time) >= DAY_MS;
  return (
    <Text component="time" dateTime={time} title={timeOf(time)} size="sm" span>
      {isOld ? shortTimeOf(time) : relativeTime(time)}
    </Text>
  );
}

/** Without the year, if it is this one. */
function shortTimeOf(time: string): string {
  const date = new Date(time);
  return date.getFullYear() === new Date().getFullYear() ? minuteOfYear.format(date) : minute.format(date);
}

export function dateOf(time: string): string {
  return day.format(new Date(time));
}

export function timeOf(time: string): string {
  return minute.format(new Date(time));
}
