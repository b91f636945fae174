const dayForm = /^2\d{3}-\d{2}-\d{2}$/;

/** Whether it is a calendar day from the year 2000 on, as 2026-01-31. */
export function isDay(value: unknown): value is string {
  return typeof value === 'string' && dayForm.test(value) && dayOf(Date.parse(value)) === value;
}

/** @returns empty of no time */
export function dayOf(time: number): string {
  return Number.isNaN(time) ? '' : new Date(time).toISOString().slice(0, 10);
}
