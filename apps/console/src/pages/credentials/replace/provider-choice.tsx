import { Anchor, Card, Group, SimpleGrid, Text } from '@mantine/core';
import { Link } from 'react-router';
import { StatusBadge } from '../../../parts/status-badge';
import { type Provider, type Slots } from '../credential-data';

/** The providers that a key can be added for, and those that have one. */
export function ProviderChoice({
  tenantId,
  providers,
  slots,
}: {
  tenantId: string;
  providers: readonly Provider[];
  slots: readonly Slots[];
}) {
  return (
    <SimpleGrid
      cols={{ base: 1, xs: 2, md: 3, lg: 4 }}
      component="ul"
      p={0}
      m={0}
      style={{ listStyle: 'none' }}
    >
      {providers.map(({ id, label, default_host: host, kind }) => {
        const live = slots.find(({ provider }) => provider === id)?.live ?? null;
        return (
          <Card key={id} component="li" withBorder padding="sm">
            <Group justify="space-between" wrap="nowrap">
              <Anchor
                component={Link}
                to={`/tenants/${tenantId}/${live === null ? 'add' : 'replace'}/${id}`}
                fw={600}
                size="sm"
              >
                {live === null ? label : `Replace ${label}`}
              </Anchor>
              {live !== null && <StatusBadge status={live.status} />}
            </Group>
            <Text size="xs" c="dimmed">
              {host ??
                (kind === null ? 'Each key has its own endpoint.' : 'Declared in the model catalogue.')}
            </Text>
          </Card>
        );
      })}
    </SimpleGrid>
  );
}
