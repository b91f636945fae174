import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { TenantsService } from '#tenants';
import { durationColumns, percentileOf } from '../records/durations';
import { type SeriesRange } from './series-parameters';
import { type UsageFilter, UsageReportService } from './usage-report.service';
import {
  type SeriesGroup,
  type SeriesInterval,
  type UsageSeriesReportResponse,
  type UsageSeriesResponse,
} from './usage-series.dto';

/** Selects calls, and says which of them have a series together. */
export interface SeriesFilter extends Pick<UsageFilter, 'within' | 'tenantId'> {
  readonly provider?: string;
  readonly model?: string;
  readonly by: SeriesGroup;
  /** How many series there are at most, without the rest. */
  readonly top: number;
}

const counters = ['calls', 'failed', 'unfinished', 'input_tokens', 'output_tokens'] as const;
const sumsOf = (names: readonly string[]) => names.map((name) => `sum(${name})::float8`);

/** Where the sums of an interval are. */
const sources: Readonly<Record<SeriesInterval, { table: string; time: string; durations: string }>> = {
  hour: {
    table: 'usage_hourly',
    time: 'hour',
    // Node parses JSON in a seventh of the time that node-postgres takes for an array.
    durations: `sum(total_ms)::float8 as total_ms, json_build_array(${sumsOf(durationColumns).join(', ')}) as durations`,
  },
  day: { table: 'usage_daily', time: 'day', durations: 'null as total_ms, null as durations' },
};

/** The column that says to which series a call belongs. */
const keyColumns: Readonly<Record<SeriesGroup, string>> = {
  provider: 'provider',
  tenant: 'tenant_id',
  model: 'model',
  none: `''`,
};

/** The sums of a series at one time. */
type Point = Readonly<Record<(typeof counters)[number], number>> & {
  readonly at: number;
  /** That of its series by the number of calls, from 1; the rest comes after all others. */
  readonly place: number;
  /** Of the series; that of the rest means nothing. */
  readonly key: string;
  /** How many series there would be without a rest. */
  readonly groups: number;
  readonly total_ms: number | null;
  readonly durations: readonly number[] | null;
};

/** Reads the sums of hours and days as series for plots. */
@Injectable()
export class UsageSeriesService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly report: UsageReportService,
    private readonly tenants: TenantsService,
  ) {}

  async read(range: SeriesRange, filter: SeriesFilter): Promise<UsageSeriesReportResponse> {
    const { interval, times, since, until, stepMs } = range;
    const { by, top } = filter;
    const [points, lostCalls] = await Promise.all([
      this.points(range, filter),
      this.report.lostCalls({ ...filter, since: dayOf(since), until: dayOf(new Date(until.getTime() - 1)) }),
    ]);
    const tenantIds = by === 'tenant' ? new Set(points.map(({ key }) => key)) : [];
    const names = await this.tenants.names([...tenantIds]);
    const series = new Map<number, UsageSeriesResponse>();
    // One series of all calls is there even if there are no calls.
    if (by === 'none') series.set(1, emptySeries(times.length, {}, false));
    for (const point of points) {
      const { place, key, at } = point;
      let one = series.get(place);
      if (one === undefined) {
        const isRest = place > top;
        one = emptySeries(times.length, fieldsOf(by, isRest ? null : key, names), isRest);
        series.set(place, one);
      }
      addPoint(one, (at - times[0]!) / stepMs, point);
    }
    const groups = points[0]?.groups ?? 0;
    return {
      since: since.toISOString(),
      until: until.toISOString(),
      interval,
      times: times.map((time) => new Date(time).toISOString()),
      series: [...series].sort(([a], [b]) => a - b).map(([, one]) => one),
      rest_count: Math.max(0, groups - top),
      lost_calls: lostCalls,
    };
  }

  /** One statement, so that calls that are recorded meanwhile cannot make the series differ from their order. */
  private async points({ interval, since, until }: SeriesRange, filter: SeriesFilter): Promise<Point[]> {
    const { table, time, durations } = sources[interval];
    const { within, tenantId, provider, model, by, top } = filter;
    const [type, from, to] =
      interval === 'day' ? ['date', dayOf(since), dayOf(until)] : ['timestamptz', since, until];
    const parameters: unknown[] = [from, to];
    const conditions = [`${time} >= $1::${type}`, `${time} < $2::${type}`];
    if (within !== undefined) conditions.push(`tenant_id = any($${parameters.push(within)}::uuid[])`);
    if (tenantId !== undefined) conditions.push(`tenant_id = $${parameters.push(tenantId)}::uuid`);
    if (provider !== undefined) conditions.push(`provider = $${parameters.push(provider)}`);
    if (model !== undefined) conditions.push(`model = $${parameters.push(model)}`);
    const rows = `(select *, ${keyColumns[by]} as key from ${table} where ${conditions.join(' and ')}) rows_of_range`;
    return this.dataSource.query<Point[]>(
      `with ranked as (
         select key, row_number() over (order by sum(calls) desc, key) as place from ${rows} group by key)
       select (extract(epoch from ${time}) * 1000)::float8 as at, least(place, $${parameters.push(top + 1)})::int as place,
         min(key::text) as key, (select count(*)::int from ranked) as groups,
         ${counters.map((name) => `sum(${name})::float8 as ${name}`).join(', ')}, ${durations}
       from ${rows} join ranked using (key)
       group by 1, 2`,
      parameters,
    );
  }
}

/** The fields that name a series. */
function fieldsOf(
  by: SeriesGroup,
  key: string | null,
  names: ReadonlyMap<string, string>,
): Partial<UsageSeriesResponse> {
  if (by === 'none') return {};
  if (by !== 'tenant') return { [by]: key };
  return { tenant_id: key, tenant_name: (key === null ? undefined : names.get(key)) ?? null };
}

function emptySeries(
  length: number,
  fields: Partial<UsageSeriesResponse>,
  isRest: boolean,
): UsageSeriesResponse {
  const zeros = () => Array.from({ length }, () => 0);
  const nulls = () => Array.from({ length }, (): number | null => null);
  return {
    ...fields,
    is_rest: isRest,
    calls: zeros(),
    failed: zeros(),
    unfinished: zeros(),
    input_tokens: zeros(),
    output_tokens: zeros(),
    mean_ms: nulls(),
    p50_ms: nulls(),
    p95_ms: nulls(),
  };
}

function addPoint(series: UsageSeriesResponse, at: number, point: Point): void {
  for (const name of counters) series[name][at] = point[name];
  const { durations, total_ms: totalMs } = point;
  const completed = durations?.reduce((sum, count) => sum + count, 0) ?? 0;
  if (durations === null || totalMs === null || completed === 0) return;
  series.mean_ms[at] = Math.round(totalMs / completed);
  series.p50_ms[at] = percentileOf(durations, 50);
  series.p95_ms[at] = percentileOf(durations, 95);
}

function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
