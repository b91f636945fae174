import { Text } from '@mantine/core';

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const minute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

const units = [
  ['day', 86_400_000],
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

/** How long ago a time was, or how long it is until then. The time itself is the tooltip. */
export function Moment({ time }: { time: string }) {
  return (
    <Text component="time" dateTime={time} title={minute.format(new Date(time))} size="sm" span>
      {relativeTime(time)}
    </Text>
  );
}

export function dateOf(time: string): string {
  return day.format(new Date(time));
}

export function timeOf(time: string): string {
  return minute.format(new Date(time));
}
