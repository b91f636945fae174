import { type paths } from '../../api/schema';
import { startOfDay } from '../../parts/audit/days';
import { useParameters } from '../../parts/parameters';

type Query = NonNullable<paths['/api/v1/sysadmin/audit-events']['get']['parameters']['query']>;

/** What the list can be narrowed by. The names are those of the address and of the API. */
export const filterNames = ['tenant_id', 'action', 'outcome', 'actor', 'since', 'until'] as const;
export type FilterName = (typeof filterNames)[number];

/** The values as the address has them. `since` and `until` are days of the reader's time zone, both included, or times as the API takes them. */
export type AuditFilter = Readonly<Record<FilterName, string>>;

export interface FilterState {
  readonly filter: AuditFilter;
  readonly set: (name: FilterName, value: string | null) => void;
  readonly clear: () => void;
}

/** The filter is in the address, so that it can be shared and kept as a bookmark. */
export function useAuditFilter(): FilterState {
  const [parameters, change] = useParameters();
  const filter = Object.fromEntries(
    filterNames.map((name) => [name, parameters.get(name) ?? '']),
  ) as AuditFilter;
  return {
    filter,
    set: (name, value) => change({ [name]: value }),
    clear: () => change(Object.fromEntries(filterNames.map((name) => [name, null]))),
  };
}

/** The filter as the API takes it. */
export function queryOf(filter: AuditFilter): Omit<Query, 'limit' | 'cursor'> {
  const given: Partial<Record<FilterName, string>> = {};
  for (const name of filterNames) if (filter[name] !== '') given[name] = filter[name];
  if (given.since !== undefined) given.since = startOfDay(given.since, 0);
  if (given.until !== undefined) given.until = startOfDay(given.until, 1);
  return given as Omit<Query, 'limit' | 'cursor'>;
}

/** The address of all events that match, as JSON lines. */
export function exportAddress(filter: AuditFilter): string {
  const query = new URLSearchParams(Object.entries(queryOf(filter)));
  const text = query.size === 0 ? '' : `?${query}`;
  return `api/v1/sysadmin/audit-events/export${text}`;
}
