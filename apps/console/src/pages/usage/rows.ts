import { type Schemas } from '../../api/client';
import { nameOf, sumOf } from '../../parts/plots/plot-data';
import { type Row } from '../../parts/usage/sums-table';
import { type Sums } from '../../parts/usage/usage-data';
import { type View } from './view';

/** The rows of whole days. */
export function rowsOfDays(items: readonly Sums[], by: View['by']): Row[] {
  return items.map((sums) => {
    const key = (by === 'tenant' ? sums.tenant_id : sums[by]) ?? '';
    return { key, name: by === 'tenant' ? (sums.tenant_name ?? key) : key, sums };
  });
}

/** The rows of the last 24 hours, which are no whole days: the 20 largest and the rest. */
export function rowsOfSeries({ series, rest_count: restCount }: Schemas['UsageSeriesReportResponse']): Row[] {
  return series.map((one) => ({
    key: one.is_rest ? null : (one.tenant_id ?? one.provider ?? one.model ?? null),
    name: one.is_rest ? `${restCount} others` : nameOf(one),
    sums: {
      calls: sumOf(one.calls),
      failed: sumOf(one.failed),
      input_tokens: sumOf(one.input_tokens),
      output_tokens: sumOf(one.output_tokens),
    },
  }));
}

/** What the view shows most of first, and last what is the sum of several. */
export function sorted(rows: readonly Row[], { quantity }: View): Row[] {
  const of = ({ sums }: Row) => sums[quantity] ?? 0;
  return [...rows].sort(
    (a, b) =>
      Number(a.key === null) - Number(b.key === null) ||
      of(b) - of(a) ||
      (b.sums.calls ?? 0) - (a.sums.calls ?? 0),
  );
}
