import { type keepPreviousData, useQuery } from '@tanstack/react-query';
import { allPages } from '../../api/all-pages';
import { api, client, type Schemas } from '../../api/client';
import { type Days, endOf } from './utc-days';

export type Sums = Schemas['UsageSumsResponse'];

/** Whose calls are asked for; undefined: all. `tenant` is an id. */
export interface UsageFilter {
  readonly tenant?: string;
  readonly provider?: string;
  readonly model?: string;
}

/** The calls or tokens over time. @param days undefined: the last 24 hours */
export function useSeries(
  by: Schemas['SeriesGroup'],
  interval: Schemas['SeriesInterval'],
  days: Days | undefined,
  { tenant, provider, model }: UsageFilter,
) {
  const range = days && { since: days.since, until: endOf(days.until) };
  return api.useQuery('get', '/api/v1/sysadmin/usage/series', {
    params: { query: { by, interval, top: 20, tenant_id: tenant, provider, model, ...range } },
  });
}

/** The report of whole days. @param groups comma-separated, as the API has them @param options of the query */
export function useDays(
  days: Days,
  groups: string,
  filter: UsageFilter,
  options: { enabled?: boolean; placeholderData?: typeof keepPreviousData } = {},
) {
  const query = { ...reportQuery(days, groups, filter), limit: 10_000 };
  return useQuery({
    ...options,
    queryKey: ['usage of days', query],
    queryFn: async () => {
      const pages = await allPages((cursor) =>
        client.GET('/api/v1/sysadmin/usage', { params: { query: { ...query, cursor } } }),
      );
      return { items: pages.flatMap(({ items }) => items), lostCalls: pages[0]?.lost_calls ?? 0 };
    },
  });
}

/** The parameters of a report. */
export function reportQuery(days: Days, groups: string, { tenant, provider, model }: UsageFilter) {
  return { ...days, group_by: groups, tenant_id: tenant, provider, model };
}
