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
