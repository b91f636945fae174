import { isRealTime } from '#http';
import { refusing } from '#providers';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The days before an expiry at which a warning is given. */
export const warningDays = [30, 7, 1] as const;

/**
 * @returns 0 for an expired credential, else the smallest of `warningDays` within which it expires; undefined when it has no
 *   expiry or a later one
 */
export function expiresWithinDays(expiresAt: Date | null, now = Date.now()): number | undefined {
  if (expiresAt === null) return undefined;
  const leftMs = expiresAt.getTime() - now;
  if (leftMs <= 0) return 0;
  return warningDays.filter((days) => leftMs <= days * DAY_MS).at(-1);
}

const form = /^2\d{3}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** A date or a time with its zone (RFC 3339), from the year 2000 on. */
export function IsExpiry(): PropertyDecorator {
  return refusing('isExpiry', (value) => {
    const isTime = typeof value === 'string' && form.test(value) && isRealTime(value);
    return isTime
      ? undefined
      : 'must be a date such as 2030-06-30, or a time with its zone such as 2030-06-30T12:00:00Z';
  });
}
