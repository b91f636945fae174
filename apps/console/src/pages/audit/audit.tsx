import { Button } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { client } from '../../api/client';
import { useSession } from '../../api/session';
import { PageHead } from '../../parts/page-head';
import { useTenantNames } from '../../parts/audit/tenant-names';
import { exportAddress, filterNames, queryOf, useAuditFilter } from './audit-filter';
import { ChainState } from './chain-state';
import { Filters } from './filters';
import { Timeline } from './timeline';

const PAGE = 100;

/** Who changed what, which attempts were refused, and whether the record is complete. */
export default function Audit() {
  const session = useSession();
  const state = useAuditFilter();
  const tenantNames = useTenantNames();
  const asked = queryOf(state.filter);
  const query = useInfiniteQuery({
    queryKey: ['audit events', asked],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam: cursor, signal }) => {
      const params = { query: { ...asked, cursor, limit: PAGE } };
      const { data } = await client.GET('/api/v1/sysadmin/audit-events', { params, signal });
      return data!;
    },
    getNextPageParam: ({ next_cursor: cursor }) => cursor,
    placeholderData: keepPreviousData,
  });
  const actors = query.data?.pages.flatMap(({ items }) => items.map(({ actor }) => actor)) ?? [];
  return (
    <>
      <PageHead
        title="Audit"
        description="Who changed what, and which attempts were refused. Of a key, only the last characters are kept."
        actions={
          <Button
            component="a"
            href={exportAddress(state.filter)}
            download="audit-events.ndjson"
            variant="default"
          >
            Export
          </Button>
        }
      />
      {session.tenant_ids === null && <ChainState />}
      <Filters state={state} tenantNames={tenantNames} actors={actors} />
      <Timeline
        query={query}
        isFiltered={filterNames.some((name) => state.filter[name] !== '')}
        tenantNames={tenantNames}
      />
    </>
  );
}
