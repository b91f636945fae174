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
