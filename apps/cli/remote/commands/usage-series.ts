import { type UsageSeriesReportResponse } from '#usage';
import { type Columns } from '../../output';
import { type Query } from '../client';
import { note } from '../printer';
import { type Run } from '../remote-command';

type Series = UsageSeriesReportResponse['series'][number];

/** What a series has at one time: its own fields, and in place of each column the number of that time. */
interface Row {
  readonly time: string;
  readonly series: Series;
  readonly at: number;
}

/** The columns of numbers, as the response has them. */
const numbers = [
  'calls',
  'failed',
  'unfinished',
  'input_tokens',
  'output_tokens',
  'mean_ms',
  'p50_ms',
  'p95_ms',
] as const;

/** Prints a row for each series and each hour or day. A table has only those with calls. */
export async function printSeries(
  { api, print, options: { json = false, csv = false } }: Pick<Run<object>, 'api' | 'print' | 'options'>,
  query: Query,
): Promise<void> {
  const report = await api.get<UsageSeriesReportResponse>('/usage/series', query);
  const hasRest = report.rest_count > 0;
  const named = (['tenant_id', 'tenant_name', 'provider', 'model'] as const).filter((name) =>
    report.series.some((series) => name in series),
  );
  const shown = numbers.filter(
    (name) =>
      csv || report.series.some((series) => series[name].some((value) => value !== null && value > 0)),
  );
  const columns: Columns<Row> = {
    time: ({ time }) => time,
    ...Object.fromEntries(named.map((name) => [name, ({ series }: Row) => series[name]])),
    ...((csv || hasRest) && { is_rest: ({ series }: Row) => (csv || series.is_rest ? series.is_rest : '') }),
    ...Object.fromEntries(shown.map((name) => [name, ({ series, at }: Row) => series[name][at]])),
  };
  const rowsOf = ({ times, series }: UsageSeriesReportResponse): Row[] =>
    times
      .flatMap((time, at) => series.map((each) => ({ time, series: each, at })))
      .filter(({ series: { calls }, at }) => csv || calls[at]! > 0);
  await print.list([report], rowsOf, columns);
  if (report.lost_calls > 0) {
    note(`${report.lost_calls} calls of these days could not be recorded, and are missing here.`);
  }
  if (!json && !csv && hasRest) note(`The rest is the sum of ${report.rest_count} that have fewer calls.`);
}
