import { Card, SimpleGrid, Text, Title } from '@mantine/core';
import { api, type Schemas } from '../../api/client';
import { Loaded } from '../../parts/loaded';

const modes: Readonly<Record<Schemas['Mode'], string>> = {
  strict: "each tenant's own, no other",
  'single-tenant': 'the global keys, for all tenants',
};

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
          <SimpleGrid cols={{ base: 2, sm: 4 }}>
            <Fact label="Ready" value={ready.status === 'ready' ? 'yes' : `no: ${ready.reason ?? ''}`} />
            <Fact label="Keys" value={modes[ready.mode]} />
            <Fact
              label="Models"
              value={`${ready.models}${ready.catalogue === 'stale' ? ', catalogue is stale' : ''}`}
            />
            <Fact label="Receipts of calls" value={ready.receipts === 'on' ? 'signed' : ready.receipts} />
          </SimpleGrid>
        )}
      </Loaded>
    </Card>
  );
}

function Fact({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text size="sm">{value}</Text>
    </div>
  );
}
