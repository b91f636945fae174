import { type Command, Option } from 'commander';
import { type UsageReportResponse, type UsageSeriesReportResponse } from '#usage';
import { type Columns } from '../../output';
import { type Settings } from '../../settings';
import { type Query } from '../client';
import { note } from '../printer';
import { remoteCommand, type Run } from '../remote-command';

type Sums = UsageReportResponse['items'][number];
type Counter = keyof UsageReportResponse['total'];

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

interface UsageOptions {
  readonly tenant?: string;
  readonly since?: string;
  readonly until?: string;
  readonly groupBy?: string;
  readonly interval?: 'hour' | 'day';
  readonly top?: string;
}

export function usageCommand(settings: Settings): Command {
  return remoteCommand<UsageOptions>(settings, {
    name: 'usage',
    scope: 'usage:read',
    description:
      'Report calls and tokens, by day or by what --group-by names. With --interval: in each hour or day, and how long calls took. Without --since: the last 30 days, or the last 24 hours.',
    options: [
      new Option('--tenant <tenant>', 'only the calls of the tenant with this id or exact name'),
      new Option('--since <day>', 'the first day, in UTC, such as 2030-01-31; with --interval also a time'),
      new Option(
        '--until <day>',
        'the last day, in UTC; by default today. With --interval a day or time at which the last interval ends',
      ),
      new Option(
        '--group-by <a,b>',
        'any of day (default), tenant, provider, model, operation, key, source, credential; with --interval one of provider (default), tenant, model, none',
      ),
      new Option('--interval <interval>', 'a row for each hour (of the last 14 days) or day').choices([
        'hour',
        'day',
      ]),
      new Option(
        '--top <number>',
        'with --interval: how many tenants, providers or models have rows of their own, at most 20; by default 8',
      ),
    ],
    hasCsv: true,
    notes: `A table leaves out bytes, counters that are 0 in all rows, and hours and days without calls; --csv and --json have
everything. Durations are those of completed calls, and are not kept by day.`,
    examples: [
      'usage',
      'usage --group-by tenant,model --since 2030-01-01 --until 2030-01-31',
      'usage --tenant sundsvall --group-by key --csv',
      'usage --interval hour --group-by model --since 2030-01-31T08:00:00Z',
    ],
    check: ({ options, command }) => {
      if (options.top !== undefined && options.interval === undefined) {
        command.error('error: --top needs --interval');
      }
    },
    run: async ({ api, print, options }) => {
      const { tenant, since, until, groupBy, interval, top, json = false, csv = false } = options;
      const tenantId = tenant === undefined ? undefined : await api.tenantId(tenant);
      if (interval !== undefined) {
        const range = { tenant_id: tenantId, since, until, interval, by: groupBy, top };
        return printSeries({ api, print, options }, range);
      }
      const query = { limit: 10_000, tenant_id: tenantId, since, until, group_by: groupBy };
      const pages = api.pages<UsageReportResponse>('/usage', query);
      const first = (await pages.next()).value as UsageReportResponse;
      const { total, lost_calls: lost, items } = first;
      // A row has only the fields of its groups, and then the counters.
      const fields = (Object.keys(items[0] ?? total) as (keyof Sums)[]).filter(
        (field) => csv || !(field in total) || isWorthShowing(field, total),
      );
      const columns: Columns<Sums> = Object.fromEntries(
        fields.map((field) => [field, (row: Sums) => row[field]]),
      );
      await print.list(allPages(first, pages), (page) => page.items, columns);
      if (lost > 0) {
        note(`${lost} calls of these days could not be recorded, and are missing here.`);
      }
      if (!json && !csv && items.length > 1) note(`Sum of all rows: ${sumOf(total)}.`);
    },
  });
}

async function* allPages<Page>(first: Page, rest: AsyncGenerator<Page>): AsyncGenerator<Page> {
  yield first;
  yield* rest;
}

function isWorthShowing(counter: Counter, total: Sums): boolean {
  return counter === 'calls' || (!counter.endsWith('_bytes') && total[counter] !== 0);
}

function sumOf({ calls, input_tokens: input, output_tokens: output }: Sums): string {
  return `${calls} calls, ${input} input tokens, ${output} output tokens`;
}

/** Prints a row for each series and each hour or day. A table has only those with calls. */
async function printSeries(
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
