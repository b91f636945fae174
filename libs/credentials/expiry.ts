import { isRealTime } from '#http';
import { HasNoFault } from '#providers';

const DAY_MS = 24 * 60 * 60 * 1000;

/** An expiry is warned of this many days before, and again. */
export const warningDays = [30, 7, 1] as const;

/** 0: it has expired. Else the smallest of `warningDays` that it is within; undefined: none, or no date. */
export function expiresWithinDays(expiresAt: Date | null, now = Date.now()): number | undefined {
  if (expiresAt === null) return undefined;
  const leftMs = expiresAt.getTime() - now;
  if (leftMs <= 0) return 0;
  return warningDays.filter((days) => leftMs <= days * DAY_MS).at(-1);
}

const form = /^2\d{3}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** A date or a time with its zone (RFC 3339), from the year 2000 on. */
export function IsExpiry(): PropertyDecorator {
  return HasNoFault('isExpiry', (value) => {
    const isTime = typeof value === 'string' && form.test(value) && isRealTime(value);
    return isTime
      ? undefined
      : 'must be a date such as 2030-06-30, or a time with its zone such as 2030-06-30T12:00:00Z';
  });
}
