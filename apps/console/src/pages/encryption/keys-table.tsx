import { Badge, Box, Card, Group, Table, Text, Title } from '@mantine/core';
import { type Encryption, type EncryptionKey, rowsOf } from './findings';

const number = new Intl.NumberFormat('en');

/** The encryption keys by fingerprint, with what is sealed under each. */
export function KeysTable({ encryption: { keys, processes } }: { encryption: Encryption }) {
  return (
    <Card withBorder p={0} component="section" aria-labelledby="keys-title">
      <Title order={2} size="h4" p="md" pb="xs" id="keys-title">
        Encryption keys
      </Title>
      <Text size="sm" c="dimmed" px="md" pb="xs">
        How many stored keys each of them seals: live ones, which calls use, and those that are staged or kept
        for a rollback. The keys that sign receipts and the audit are sealed too.
      </Text>
      <Box style={{ overflowX: 'auto' }} tabIndex={0} role="region" aria-labelledby="keys-title">
        <Table miw={640} verticalSpacing="xs" horizontalSpacing="md" aria-labelledby="keys-title">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Fingerprint</Table.Th>
              <Table.Th ta="right">Live</Table.Th>
              <Table.Th ta="right">Staged</Table.Th>
              <Table.Th ta="right">Previous</Table.Th>
              <Table.Th ta="right" title="Former encryption keys whose signing keys are kept under this key">
                Signing keys
              </Table.Th>
              <Table.Th ta="right">Processes that have it</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {keys.map((key) => (
              <Table.Tr key={key.key_id}>
                <Table.Th scope="row" fw={400}>
                  <Fingerprint of={key} />
                </Table.Th>
                {[key.rows.live, key.rows.staged, key.rows.previous, key.rows.signing_keys].map(
                  (count, index) => (
                    // The columns are always the same.
                    <Table.Td key={index} ta="right">
                      {number.format(count)}
                    </Table.Td>
                  ),
                )}
                <Table.Td ta="right">
                  {key.processes} of {processes}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Box>
    </Card>
  );
}

function Fingerprint({ of: key }: { of: EncryptionKey }) {
  const { key_id: id, seals, retired, loaded } = key;
  return (
    <Group gap="xs">
      <Text size="sm" ff="monospace">
        {id}
      </Text>
      {seals && (
        <Badge
          color="teal"
          variant="light"
          tt="none"
          title="Credentials that are set now are sealed under it."
        >
          in use
        </Badge>
      )}
      {retired && (
        <Badge color="gray" variant="light" tt="none" title="It never seals again.">
          retired
        </Badge>
      )}
      {!loaded && <NotLoaded of={key} />}
    </Group>
  );
}

/** The process that responded does not have the key. It is missing if something needs it and no process has it. */
function NotLoaded({ of: key }: { of: EncryptionKey }) {
  const isAbsent = key.processes === 0;
  const isMissing = isAbsent && (key.seals || rowsOf(key) > 0);
  return (
    <Badge
      color={isMissing ? 'red' : isAbsent ? 'gray' : 'orange'}
      variant="light"
      tt="none"
      title={isAbsent ? 'No process has it.' : 'The process that responded does not have it.'}
    >
      {isMissing ? 'missing' : isAbsent ? 'not loaded' : 'not in every process'}
    </Badge>
  );
}
