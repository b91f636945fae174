import { Badge, Box, Card, Group, Stack, Table, Text, Title } from '@mantine/core';
import { api, type Schemas } from '../../api/client';
import { useSession } from '../../api/session';
import { Empty, Loaded } from '../../parts/loaded';
import { Moment } from '../../parts/times';

type Process = Schemas['ProcessResponse'];

/** The processes on this database. Nothing for a key that is limited to tenants or may not read it. */
export function Processes() {
  const session = useSession();
  return session.can('readiness:read') && session.tenant_ids === null ? <ProcessList /> : null;
}

function ProcessList() {
  const query = api.useQuery('get', '/api/v1/sysadmin/processes', {}, { refetchInterval: 15_000 });
  return (
    <Card withBorder component="section" aria-labelledby="processes-title">
      <Title order={2} size="h4" mb="sm" id="processes-title">
        Processes
      </Title>
      <Loaded query={query}>
        {({ items }) => {
          if (items.length === 0) {
            return (
              <Empty title="No process is registered">
                The process that responds registers again within seconds. Look at its log if this stays so.
              </Empty>
            );
          }
          const newestForm = Math.max(...items.map(({ seal_form: form }) => form));
          return (
            <Stack gap="sm">
              <Summary items={items} />
              <Box style={{ overflowX: 'auto' }} tabIndex={0} role="region" aria-labelledby="processes-title">
                <Table miw={620} verticalSpacing="xs" aria-labelledby="processes-title">
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>Process</Table.Th>
                      <Table.Th>State</Table.Th>
                      <Table.Th>Lease</Table.Th>
                      <Table.Th>Key that seals</Table.Th>
                      <Table.Th>Changes</Table.Th>
                      <Table.Th>Registered</Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {items.map((process) => (
                      <Row key={process.id} process={process} isOlder={process.seal_form < newestForm} />
                    ))}
                  </Table.Tbody>
                </Table>
              </Box>
            </Stack>
          );
        }}
      </Loaded>
    </Card>
  );
}

/** What is wrong in words; nothing if all is well. */
function Summary({ items }: { items: readonly Process[] }) {
  const silent = items.filter(({ is_silent: isSilent }) => isSilent === true).length;
  const without = items.filter(({ has_sealing_key: has }) => has === false).length;
  return (
    <>
      {silent > 0 && (
        <Text size="sm">
          {silent === 1 ? 'One process does' : `${silent} processes do`} not renew the registration: it was
          killed, hangs, or cannot reach the database. The next change removes it. If it stays, look at that
          machine.
        </Text>
      )}
      {without > 0 && (
        <Text size="sm">
          {without === 1 ? 'One process does' : `${without} processes do`} not have the key that seals, so
          calls that reach it fail. Set ENCRYPTION_KEY there and start it again.
        </Text>
      )}
    </>
  );
}

function Row({ process, isOlder }: { process: Process; isOlder: boolean }) {
  const { id, is_this: isThis, changes_behind: behind, has_sealing_key: hasKey } = process;
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={400}>
        <Group gap="xs">
          <Text size="sm" ff="monospace" title={id}>
            {id.slice(0, 8)}
          </Text>
          {isThis && (
            <Text size="xs" c="dimmed">
              responds here
            </Text>
          )}
          {isOlder && (
            <Badge
              color="yellow"
              variant="light"
              tt="none"
              title="It cannot verify the newest form of seals."
            >
              earlier version
            </Badge>
          )}
        </Group>
      </Table.Th>
      <Table.Td>
        <State of={process} />
      </Table.Td>
      <Table.Td>
        <Text size="sm">{leaseOf(process)}</Text>
      </Table.Td>
      <Table.Td>
        {hasKey === false ? (
          <Badge color="red" variant="light" tt="none">
            missing
          </Badge>
        ) : (
          <Text size="sm">{hasKey === null ? 'nothing sealed yet' : 'has it'}</Text>
        )}
      </Table.Td>
      <Table.Td>
        <Text size="sm">
          {behind === null ? 'caches nothing' : behind === 0 ? 'knows all' : `${behind} behind`}
        </Text>
      </Table.Td>
      <Table.Td>
        <Moment time={process.registered_at} />
      </Table.Td>
    </Table.Tr>
  );
}

function State({ of: { is_silent: isSilent } }: { of: Process }) {
  const [color, text, meaning] =
    isSilent === null
      ? ['gray', 'unknown', 'It runs an earlier version, which does not note its renewals.']
      : isSilent
        ? ['red', 'silent', 'It has not renewed its registration in time.']
        : ['teal', 'working', 'It renews its registration.'];
  return (
    <Badge color={color} variant="light" tt="none" title={meaning}>
      {text}
    </Badge>
  );
}

function leaseOf({ lease_seconds: lease, renewed_at: renewedAt }: Process): string {
  const length = lease === 0 ? 'none' : `${lease} s`;
  if (renewedAt === null) return length;
  const ago = Math.max(0, Math.round((Date.now() - Date.parse(renewedAt)) / 1000));
  return `${length}, renewed ${ago} s ago`;
}
