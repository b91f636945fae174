import { Card, Group, Text, Title } from '@mantine/core';
import { api } from '../../api/client';
import { Loaded } from '../../parts/loaded';

/** Whether this process can serve calls, as /ready says it. */
export function ServiceState() {
  const query = api.useQuery('get', '/ready', {}, { refetchInterval: 30_000 });
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="sm">
        Service
      </Title>
      <Loaded query={query}>
        {(ready) => (
          <>
            <Fact label="Ready" value={ready.status === 'ready' ? 'yes' : `no: ${ready.reason ?? ''}`} />
            <Fact label="Mode" value={ready.mode} />
            <Fact
              label="Models"
              value={`${ready.models}${ready.catalogue === 'stale' ? ', catalogue is stale' : ''}`}
            />
            <Fact label="Receipts" value={ready.receipts} />
          </>
        )}
      </Loaded>
    </Card>
  );
}

function Fact({ label, value }: { label: string; value: string }) {
  return (
    <Group justify="space-between">
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <Text size="sm">{value}</Text>
    </Group>
  );
}
