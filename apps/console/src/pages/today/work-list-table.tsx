import { Anchor, Badge, Button, Card, Group, Stack, Table, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useState } from 'react';
import { Link } from 'react-router';
import { useSession } from '../../api/session';
import { countsOf } from '../../parts/counts';
import { Empty, Loaded } from '../../parts/loaded';
import { StatusBadge } from '../../parts/status-badge';
import { Moment } from '../../parts/times';
import { useWorkList, type WorkItem } from './work-list';

/** How many are shown at first, so that the rest of the page is in view. */
const FIRST = 8;

/** The work list: a table, or cards on a narrow screen. */
export function WorkListTable() {
  const session = useSession();
  const [isWhole, setWhole] = useState(false);
  const query = useWorkList(session);
  const isNarrow = useMediaQuery('(max-width: 48em)');
  return (
    <Card withBorder p={0}>
      <Loaded query={query}>
        {(items) => {
          if (items.length === 0) {
            return (
              <Empty title="Nothing needs you">
                No credential is rejected, unreadable, missing or about to expire.
              </Empty>
            );
          }
          const shown = isWhole ? items : items.slice(0, FIRST);
          return (
            <>
              <Counts items={items} />
              {isNarrow ? <Cards items={shown} /> : <Rows items={shown} />}
              {shown.length < items.length && (
                <Button variant="subtle" fullWidth onClick={() => setWhole(true)}>
                  Show all {items.length}
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}

/** What the list has, also below its first rows. */
function Counts({ items }: { items: readonly WorkItem[] }) {
  return (
    <Group component="ul" gap="sm" m={0} px="sm" py="xs" style={{ listStyle: 'none' }}>
      {[...countsOf(items.flatMap(({ status }) => status ?? []))].map(([status, count]) => (
        <Group component="li" key={status} gap={6} wrap="nowrap">
          <Text size="sm" fw={600}>
            {count}
          </Text>
          <StatusBadge status={status} />
        </Group>
      ))}
    </Group>
  );
}

function Rows({ items }: { items: readonly WorkItem[] }) {
  return (
    <Table.ScrollContainer minWidth={700}>
      <Table verticalSpacing="xs" highlightOnHover aria-label="What needs you">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={130}>Status</Table.Th>
            <Table.Th>Tenant</Table.Th>
            <Table.Th>What is wrong</Table.Th>
            <Table.Th w={130}>Since, or due</Table.Th>
            <Table.Th w={150} aria-label="What to do" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((item) => (
            <Table.Tr key={item.id}>
              <Table.Td>
                <ItemStatus item={item} />
              </Table.Td>
              <Table.Td>
                <ItemTenant item={item} />
              </Table.Td>
              <Table.Td>
                <Text size="sm">{item.detail}</Text>
              </Table.Td>
              <Table.Td>
                {item.time !== undefined && item.time !== '' && <Moment time={item.time} />}
              </Table.Td>
              <Table.Td>
                <ItemAction item={item} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Cards({ items }: { items: readonly WorkItem[] }) {
  return (
    <Stack gap="sm" p="sm">
      {items.map((item) => (
        <Card key={item.id} withBorder padding="sm">
          <Stack gap="xs">
            <Group justify="space-between">
              <ItemTenant item={item} />
              <ItemStatus item={item} />
            </Group>
            <Text size="sm">{item.detail}</Text>
            <Group justify="space-between">
              {item.time !== undefined && item.time !== '' ? <Moment time={item.time} /> : <span />}
              <ItemAction item={item} />
            </Group>
          </Stack>
        </Card>
      ))}
    </Stack>
  );
}

function ItemStatus({ item }: { item: WorkItem }) {
  if (item.status !== undefined) return <StatusBadge status={item.status} />;
  return (
    <Badge color="red" tt="none">
      {item.urgency === 0 ? 'all calls' : 'fails'}
    </Badge>
  );
}

function ItemTenant({ item: { tenant, provider, mask } }: { item: WorkItem }) {
  if (tenant === undefined) return <Text size="sm">All tenants</Text>;
  return (
    <Stack gap={0}>
      <Anchor component={Link} to={`/tenants/${tenant.id}`} size="sm" fw={600}>
        {tenant.name}
      </Anchor>
      <Text size="xs" c="dimmed">
        {provider} {mask}
      </Text>
    </Stack>
  );
}

function ItemAction({ item: { action } }: { item: WorkItem }) {
  if (action === undefined) return null;
  return (
    <Button component={Link} to={action.to} size="compact-sm" variant="light" miw={132}>
      {action.label}
    </Button>
  );
}
