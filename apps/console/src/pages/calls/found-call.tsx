import { Card, Group, Text, Title } from '@mantine/core';
import { api } from '../../api/client';
import { Empty, Loaded } from '../../parts/loaded';
import { PayerView } from '../../parts/payer';
import { CallFields } from './call-details';
import { TenantOf } from './call-list';

/** The call with this id, and the answer to whose key paid for it. */
export function FoundCall({ requestId }: { requestId: string }) {
  const query = api.useQuery('get', '/api/v1/sysadmin/usage/records', {
    params: { query: { request_id: requestId } },
  });
  return (
    <Loaded query={query}>
      {({ items: [call] }) =>
        call === undefined ? (
          <Empty title="There is no record of this call">
            A call is recorded within two seconds after its end, for as long as USAGE_RETENTION_DAYS says. A
            request that was refused before there was a route is only in the log. A key for some tenants finds
            only their calls.
          </Empty>
        ) : (
          <Card withBorder component="section" aria-labelledby="found-call">
            <Title order={2} size="h4" mb="xs" id="found-call">
              Whose key paid
            </Title>
            <Group gap="xs" mb="md">
              <TenantOf call={call} />
              <Text size="sm">called {call.provider} with</Text>
              <PayerView payer={call} />
            </Group>
            <CallFields call={call} />
          </Card>
        )
      }
    </Loaded>
  );
}
