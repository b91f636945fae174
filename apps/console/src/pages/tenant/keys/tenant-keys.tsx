import { Badge, Group, Stack, Table, Text } from '@mantine/core';
import { api, type Schemas } from '../../../api/client';
import { Empty, Loaded } from '../../../parts/loaded';
import { Moment } from '../../../parts/times';
import { ChangeKey } from './change-key';
import { IssueKey } from './issue-key';
import { RevokeKey } from './revoke-key';

type Key = Schemas['TenantKeyResponse'];

const number = new Intl.NumberFormat();

/** The keys with which the tenant's own applications call models. */
export function TenantKeys({ tenantId }: { tenantId: string }) {
  const query = api.useQuery('get', '/api/v1/sysadmin/tenants/{tenant_id}/keys', {
    params: { path: { tenant_id: tenantId } },
  });
  return (
    <Stack>
      <Group justify="space-between" align="flex-start">
        <Text size="sm" c="dimmed" maw={640}>
          With a tenant key, the tenant&apos;s own applications call models under /v1. It does not pay: the
          tenant&apos;s credentials do.
        </Text>
        <IssueKey tenantId={tenantId} />
      </Group>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No tenant keys">
              Only the platform, with the platform key, can call models for this tenant.
            </Empty>
          ) : (
            <KeyTable keys={items} />
          )
        }
      </Loaded>
    </Stack>
  );
}

function KeyTable({ keys }: { keys: readonly Key[] }) {
  return (
    <Table.ScrollContainer minWidth={960} type="native">
      <Table verticalSpacing="xs" highlightOnHover aria-label="Tenant keys">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Key</Table.Th>
            <Table.Th>Limits</Table.Th>
            <Table.Th>Models</Table.Th>
            <Table.Th>Expires</Table.Th>
            <Table.Th>Last used</Table.Th>
            <Table.Th ta="right">Actions</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {keys.map((key) => (
            <Table.Tr key={key.id}>
              <Table.Th scope="row">{key.name}</Table.Th>
              <Table.Td>
                <Text size="sm" ff="monospace" style={{ whiteSpace: 'nowrap' }}>
                  {key.prefix}
                  {key.masked_key}
                </Text>
              </Table.Td>
              <Table.Td>
                <Limits of={key} />
              </Table.Td>
              <Table.Td>{key.allowed_models === null ? 'all' : key.allowed_models.join(', ')}</Table.Td>
              <Table.Td>
                <Expiry of={key} />
              </Table.Td>
              <Table.Td>{key.last_used_at === null ? 'never' : <Moment time={key.last_used_at} />}</Table.Td>
              <Table.Td>
                <Group gap="xs" justify="flex-end" wrap="nowrap">
                  <ChangeKey before={key} />
                  <RevokeKey of={key} />
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Limits({ of: { requests_per_minute: requests, tokens_per_minute: tokens } }: { of: Key }) {
  if (requests === null && tokens === null) return 'none';
  return (
    <>
      {requests !== null && <div>{number.format(requests)} requests a minute</div>}
      {tokens !== null && <div>{number.format(tokens)} tokens a minute</div>}
    </>
  );
}

function Expiry({ of: { expires_at: expiry, status } }: { of: Key }) {
  if (expiry === null) return 'never';
  return (
    <Group gap="xs" wrap="nowrap">
      <Moment time={expiry} />
      {status === 'expired' && (
        <Badge color="orange" variant="light" tt="none">
          expired
        </Badge>
      )}
    </Group>
  );
}
