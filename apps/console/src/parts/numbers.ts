const wholes = new Intl.NumberFormat();
const compacts = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
const percents = new Intl.NumberFormat(undefined, {
  style: 'percent',
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const seconds = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** Such as 12,345. */
export const whole = (value: number): string => wholes.format(value);

/** Such as 12.3K or 423K, where there is little room. */
export const compact = (value: number): string => compacts.format(value);

/** @param part between 0 and 1 */
export const percent = (part: number): string => percents.format(part);

/** Such as 250 ms or 1.5 s. */
export const duration = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)} ms` : `${seconds.format(ms / 1000)} s`;
