import { Badge, Button, Card, Group, Stack, Table, Text, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Moment } from '../../parts/times';
import { isUnused, type SysadminKey } from './key-facts';
import { inWords } from './scope-words';

interface Props {
  readonly keys: readonly SysadminKey[];
  readonly tenantNames: ReadonlyMap<string, string>;
  readonly onChange: (key: SysadminKey) => void;
  readonly onRevoke: (key: SysadminKey) => void;
}

/** The sysadmin keys: a table, or cards on a narrow screen. */
export function KeyList(props: Props) {
  const isNarrow = useMediaQuery('(max-width: 62em)');
  return isNarrow ? <Cards {...props} /> : <Rows {...props} />;
}

function Rows({ keys, tenantNames, ...actions }: Props) {
  return (
    <Card withBorder p={0}>
      <Table verticalSpacing="xs" horizontalSpacing="md" aria-label="Sysadmin keys">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={200}>Key</Table.Th>
            <Table.Th>May</Table.Th>
            <Table.Th>Tenants</Table.Th>
            <Table.Th w={125}>Expires</Table.Th>
            <Table.Th w={135}>Last used</Table.Th>
            <Table.Th w={170}>
              <VisuallyHidden>What to do</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {keys.map((key) => (
            <Table.Tr key={key.id}>
              <Table.Td>
                <Name of={key} />
              </Table.Td>
              <Table.Td>
                <Text size="sm">{inWords(key.scopes)}</Text>
              </Table.Td>
              <Table.Td>
                <Text size="sm">{tenantsOf(key, tenantNames)}</Text>
              </Table.Td>
              <Table.Td style={{ whiteSpace: 'nowrap' }}>
                <Expiry of={key} />
              </Table.Td>
              <Table.Td style={{ whiteSpace: 'nowrap' }}>
                <LastUse of={key} />
              </Table.Td>
              <Table.Td>
                <Actions of={key} {...actions} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Card>
  );
}

function Cards({ keys, tenantNames, ...actions }: Props) {
  return (
    <Stack gap="sm">
      {keys.map((key) => (
        <Card key={key.id} withBorder padding="sm">
          <Stack gap={6}>
            <Name of={key} />
            <Text size="sm">May {inWords(key.scopes)}</Text>
            <Text size="sm">For {tenantsOf(key, tenantNames)}</Text>
            <Group gap="xs">
              <Text size="sm">Expires:</Text>
              <Expiry of={key} />
            </Group>
            <Group gap="xs">
              <Text size="sm">Last used:</Text>
              <LastUse of={key} />
            </Group>
            <Actions of={key} {...actions} />
          </Stack>
        </Card>
      ))}
    </Stack>
  );
}

function Name({ of: { name, prefix, masked_key: mask } }: { of: SysadminKey }) {
  return (
    <Stack gap={0}>
      <Text size="sm" fw={600}>
        {name}
      </Text>
      <Text size="xs" c="dimmed" ff="monospace">
        {prefix}
        {mask}
      </Text>
    </Stack>
  );
}

function Expiry({ of: { expires_at: expiresAt, status } }: { of: SysadminKey }) {
  if (expiresAt === null) return <Text size="sm">never</Text>;
  if (status === 'active') return <Moment time={expiresAt} />;
  return (
    <Stack gap={2} align="flex-start">
      <Badge color="orange" variant="light" tt="none">
        expired
      </Badge>
      <Moment time={expiresAt} />
    </Stack>
  );
}

function LastUse({ of: key }: { of: SysadminKey }) {
  const { last_used_at: usedAt } = key;
  return (
    <Stack gap={2} align="flex-start">
      {usedAt === null ? <Text size="sm">never</Text> : <Moment time={usedAt} />}
      {isUnused(key) && (
        <Badge color="yellow" variant="light" tt="none">
          unused
        </Badge>
      )}
    </Stack>
  );
}

function Actions({
  of: key,
  onChange,
  onRevoke,
}: { of: SysadminKey } & Pick<Props, 'onChange' | 'onRevoke'>) {
  return (
    <Group gap="xs" wrap="nowrap">
      <Button
        size="compact-sm"
        variant="default"
        aria-label={`Change the key ${key.name}`}
        onClick={() => onChange(key)}
      >
        Change
      </Button>
      <Button
        size="compact-sm"
        variant="light"
        color="red"
        aria-label={`Revoke the key ${key.name}`}
        onClick={() => onRevoke(key)}
      >
        Revoke
      </Button>
    </Group>
  );
}

function tenantsOf({ tenant_ids: ids }: SysadminKey, names: ReadonlyMap<string, string>): string {
  if (ids === null) return 'all tenants';
  if (ids.length === 0) return 'no tenant any more: all of its tenants were deleted';
  const shown = ids.slice(0, 3).map((id) => names.get(id) ?? id);
  return ids.length > 3 ? `${shown.join(', ')} and ${ids.length - 3} more` : shown.join(', ');
}
