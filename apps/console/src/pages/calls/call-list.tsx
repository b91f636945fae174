import { Anchor, Group, Stack, Table, Text, VisuallyHidden } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { client } from '../../api/client';
import { useSession } from '../../api/session';
import { CopyIcon } from '../../parts/keys/copyable';
import { LoadMore } from '../../parts/load-more';
import { Empty, Loaded } from '../../parts/loaded';
import { PayerView } from '../../parts/payer';
import { relativeTime, timeOf } from '../../parts/times';
import { type Call, CallDetails } from './call-details';
import { OutcomeBadge } from './outcome-badge';

const PAGE = 50;
const number = new Intl.NumberFormat();

/** The latest calls: what each of them reached, and whose key paid. @param tenantId absent: of all tenants that the session sees */
export function CallList({ tenantId }: { tenantId?: string }) {
  const [opened, setOpened] = useState<Call>();
  const query = useInfiniteQuery({
    queryKey: ['usage-records', tenantId],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam: cursor }) => {
      const { data } = await client.GET('/api/v1/sysadmin/usage/records', {
        params: { query: { tenant_id: tenantId, limit: PAGE, cursor } },
      });
      return data!;
    },
    getNextPageParam: ({ next_cursor: cursor }) => cursor ?? undefined,
  });
  return (
    <Stack>
      <Loaded query={query}>
        {({ pages }) => {
          const calls = pages.flatMap(({ items }) => items);
          if (calls.length === 0) {
            return (
              <Empty title="No calls">
                Nothing was called, or the calls are older than USAGE_RETENTION_DAYS keeps. A request that was
                refused before there was a route is only in the log.
              </Empty>
            );
          }
          return (
            <>
              <CallTable calls={calls} hasTenants={tenantId === undefined} onOpen={setOpened} />
              <LoadMore query={query} label="Show older calls" />
            </>
          );
        }}
      </Loaded>
      <CallDetails call={opened} onClose={() => setOpened(undefined)} />
    </Stack>
  );
}

function CallTable({
  calls,
  hasTenants,
  onOpen,
}: {
  calls: readonly Call[];
  hasTenants: boolean;
  onOpen: (call: Call) => void;
}) {
  return (
    <Table.ScrollContainer minWidth={980} type="native">
      <Table verticalSpacing="xs" highlightOnHover aria-label="Calls">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Time</Table.Th>
            {hasTenants && <Table.Th>Tenant</Table.Th>}
            <Table.Th>Model</Table.Th>
            <Table.Th>Outcome</Table.Th>
            <Table.Th>Whose key</Table.Th>
            <Table.Th ta="right">Tokens in, out</Table.Th>
            <Table.Th ta="right">Duration</Table.Th>
            <Table.Th>Request</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {calls.map((call) => (
            <Table.Tr key={call.request_id}>
              <Table.Td>
                <Anchor component="button" type="button" size="sm" ta="left" onClick={() => onOpen(call)}>
                  <time dateTime={call.at} title={relativeTime(call.at)}>
                    {timeOf(call.at)}
                  </time>
                  <VisuallyHidden> Open the call {call.request_id}</VisuallyHidden>
                </Anchor>
              </Table.Td>
              {hasTenants && (
                <Table.Td>
                  <TenantOf call={call} />
                </Table.Td>
              )}
              <Table.Td>
                <Text size="sm">{call.model}</Text>
                <Text size="xs" c="dimmed">
                  {call.provider} at {call.host}
                </Text>
              </Table.Td>
              <Table.Td>
                <OutcomeBadge call={call} />
              </Table.Td>
              <Table.Td>
                <PayerView payer={call} />
              </Table.Td>
              <Table.Td ta="right">
                {tokens(call.input_tokens)}, {tokens(call.output_tokens)}
                {call.is_estimated && (
                  <Text size="xs" c="dimmed">
                    estimated
                  </Text>
                )}
              </Table.Td>
              <Table.Td ta="right">{number.format(call.total_ms)} ms</Table.Td>
              <Table.Td>
                <Group gap={4} wrap="nowrap">
                  <Text size="xs" ff="monospace" title={call.request_id}>
                    {call.request_id.slice(0, 8)}…
                  </Text>
                  <CopyIcon text={call.request_id} name={`the request id ${call.request_id}`} />
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** The name of the tenant that made a call; of a deleted one its id. */
export function TenantOf({ call: { tenant_id: id, tenant_name: name } }: { call: Call }) {
  const session = useSession();
  if (name === null || !session.can('tenants:read')) return <Text size="sm">{name ?? id}</Text>;
  return (
    <Anchor component={Link} to={`/tenants/${id}?tab=calls`} size="sm">
      {name}
    </Anchor>
  );
}

function tokens(count: number | null): string {
  return count === null ? '–' : number.format(count);
}
