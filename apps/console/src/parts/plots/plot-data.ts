import { type Schemas } from '../../api/client';

export type Report = Schemas['UsageSeriesReportResponse'];
type Series = Schemas['UsageSeriesResponse'];

/** What a plot can show of calls. */
export const quantities = {
  calls: 'Calls',
  failed: 'Failed calls',
  input_tokens: 'Input tokens',
  output_tokens: 'Output tokens',
} as const;
export type Quantity = keyof typeof quantities;

/** How many lines or layers readers can tell apart; it is also how many colours there are. */
export const MAXIMUM_SERIES = 8;

/** A line or a layer of a plot. */
export interface Curve {
  /** Of the tenant, model or provider. */
  readonly name: string;
  readonly isRest: boolean;
  /** One for each time; null: there is none. */
  readonly values: readonly (number | null)[];
}

/** The series with the highest sums, and one with the sum of all others. Series that are 0 everywhere are left out. */
export function largestOf(report: Report, quantity: Quantity, maximum = MAXIMUM_SERIES): Curve[] {
  const sums = new Map(report.series.map((one) => [one, sumOf(one[quantity])]));
  const named = report.series
    .filter((one) => !one.is_rest && sums.get(one)! > 0)
    .sort((a, b) => sums.get(b)! - sums.get(a)!);
  const curves: Curve[] = named
    .slice(0, maximum)
    .map((one) => ({ name: nameOf(one), isRest: false, values: one[quantity] }));
  const rest = [...named.slice(maximum), ...report.series.filter((one) => one.is_rest)];
  const values = report.times.map((_, at) => rest.reduce((sum, one) => sum + one[quantity][at]!, 0));
  if (sumOf(values) === 0) return curves;
  const count = named.slice(maximum).length + report.rest_count;
  return [...curves, { name: `${count} others`, isRest: true, values }];
}

/** The tenant, model or provider of a series. A deleted tenant has no name any more. */
export function nameOf(series: Series): string {
  if (series.is_rest) return 'others';
  return series.tenant_name ?? series.tenant_id ?? series.provider ?? series.model ?? 'all calls';
}

export function sumOf(values: readonly (number | null)[]): number {
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}
