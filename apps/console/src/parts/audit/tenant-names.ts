import { useQuery } from '@tanstack/react-query';
import { allPages } from '../../api/all-pages';
import { client } from '../../api/client';
import { useSession } from '../../api/session';

const none: ReadonlyMap<string, string> = new Map();

/** The names of all tenants that the session sees, by id. They are empty until they are read, and without the scope to read them. */
export function useTenantNames(): ReadonlyMap<string, string> {
  const session = useSession();
  const { data } = useQuery({
    queryKey: ['tenant names'],
    enabled: session.can('tenants:read'),
    staleTime: 60_000,
    queryFn: async () => {
      const pages = await allPages((cursor) =>
        client.GET('/api/v1/sysadmin/tenants', { params: { query: { limit: 1000, cursor } } }),
      );
      const tenants = pages.flatMap(({ items }) => items);
      return new Map(tenants.map(({ id, name, display_name: display }) => [id, display ?? name]));
    },
  });
  return data ?? none;
}

/** For a list to choose from, by name. */
export function tenantChoices(names: ReadonlyMap<string, string>): { value: string; label: string }[] {
  return [...names]
    .map(([value, label]) => ({ value, label }))
    .sort((a, b) => a.label.localeCompare(b.label));
}
