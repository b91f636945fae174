import { Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { client } from '../../api/client';
import { AuditEvents } from '../../parts/audit/audit-events';
import { LoadMore } from '../../parts/load-more';
import { Empty, Loaded } from '../../parts/loaded';

const PAGE = 50;

/** What was changed for the tenant and by whom, and what was refused, newest first. */
export function TenantAudit({ tenantId }: { tenantId: string }) {
  const query = useInfiniteQuery({
    queryKey: ['audit-events', tenantId],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam: cursor }) => {
      const { data } = await client.GET('/api/v1/sysadmin/audit-events', {
        params: { query: { tenant_id: tenantId, limit: PAGE, cursor } },
      });
      return data!;
    },
    getNextPageParam: ({ next_cursor: cursor }) => cursor ?? undefined,
  });
  return (
    <Loaded query={query}>
      {({ pages }) => {
        const events = pages.flatMap(({ items }) => items);
        if (events.length === 0) {
          return (
            <Empty title="No audit events">
              Nothing was changed for this tenant, or its events are older than AUDIT_RETENTION_DAYS keeps.
            </Empty>
          );
        }
        return (
          <>
            <Text size="sm" c="dimmed" mb="sm">
              Changes for this tenant and refused attempts, newest first.
            </Text>
            <AuditEvents events={events} />
            <LoadMore query={query} label="Show older events" />
          </>
        );
      }}
    </Loaded>
  );
}
