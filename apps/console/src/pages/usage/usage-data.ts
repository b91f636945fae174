import { type keepPreviousData, useQuery } from '@tanstack/react-query';
import { allPages } from '../../api/all-pages';
import { api, client, type Schemas } from '../../api/client';
import { nameOf, sumOf } from '../../parts/plots/plot-data';
import { dayOf, endOf, type Range } from './range';
import { type Group, type View } from './view';

type Sums = Schemas['UsageSumsResponse'];
type Series = Schemas['UsageSeriesReportResponse'];

/** The sums of a tenant, a model or a provider. */
export interface Row {
  /** Null: it is the sum of several. */
  readonly key: string | null;
  readonly name: string;
  readonly calls: number;
  readonly failed: number;
  readonly unfinished: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Null: the sums of hours do not have it. */
  readonly unmetered: number | null;
}

/** The calls or tokens over time. */
export function useSeries({ range: { days, interval }, by, tenant, provider, model }: View) {
  return api.useQuery('get', '/api/v1/sysadmin/usage/series', {
    params: {
      query: {
        by,
        interval,
        top: 20,
        tenant_id: tenant,
        provider,
        model,
        ...(days && { since: days.since, until: endOf(days.until) }),
      },
    },
  });
}

/** The report of whole days, by groups and with the filter of the API. */
export interface DaysReport {
  readonly items: readonly Sums[];
  readonly lostCalls: number;
}

/**
 * @param groups comma-separated, as the API has them
 * @param options of the query
 */
export function useDays(
  range: Range,
  groups: string,
  { tenant, provider, model }: Partial<Pick<View, Group>>,
  options: { enabled?: boolean; placeholderData?: typeof keepPreviousData } = {},
) {
  const query = { ...daysOf(range), group_by: groups, tenant_id: tenant, provider, model, limit: 10_000 };
  return useQuery({
    ...options,
    queryKey: ['usage of days', query],
    queryFn: async (): Promise<DaysReport> => {
      const pages = await allPages((cursor) =>
        client.GET('/api/v1/sysadmin/usage', { params: { query: { ...query, cursor } } }),
      );
      return { items: pages.flatMap(({ items }) => items), lostCalls: pages[0]?.lost_calls ?? 0 };
    },
  });
}

/** The days of a range. The last 24 hours are parts of two. */
export function daysOf({ days }: Range): { since: string; until: string } {
  return days ?? { since: dayOf(Date.now() - 86_400_000), until: dayOf(Date.now()) };
}

/** The rows of whole days. */
export function rowsOfDays(items: readonly Sums[], by: Group): Row[] {
  return items.map((item) => {
    const key = (by === 'tenant' ? item.tenant_id : item[by]) ?? '';
    return { ...item, key, name: by === 'tenant' ? (item.tenant_name ?? key) : key };
  });
}

/** The sums of rows; those that are absent count nothing. */
export function sumsOf(rows: readonly Row[]): Omit<Row, 'key' | 'name'> {
  const sum = (counter: 'calls' | 'failed' | 'unfinished' | 'input_tokens' | 'output_tokens' | 'unmetered') =>
    rows.reduce((before, row) => before + (row?.[counter] ?? 0), 0);
  return {
    calls: sum('calls'),
    failed: sum('failed'),
    unfinished: sum('unfinished'),
    input_tokens: sum('input_tokens'),
    output_tokens: sum('output_tokens'),
    unmetered: rows.some((row) => row?.unmetered === null) ? null : sum('unmetered'),
  };
}

/** The rows of the last 24 hours, which are no whole days: the 20 largest and the rest. */
export function rowsOfSeries({ series, rest_count: restCount }: Series): Row[] {
  return series.map((one) => ({
    key: one.is_rest ? null : (one.tenant_id ?? one.provider ?? one.model ?? null),
    name: one.is_rest ? `${restCount} others` : nameOf(one),
    calls: sumOf(one.calls),
    failed: sumOf(one.failed),
    unfinished: sumOf(one.unfinished),
    input_tokens: sumOf(one.input_tokens),
    output_tokens: sumOf(one.output_tokens),
    unmetered: null,
  }));
}
