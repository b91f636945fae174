import { Button, Checkbox, List, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { api, type Schemas } from '../../api/client';
import { useSession } from '../../api/session';
import { Confirm } from '../../parts/forms/confirm';

/** Deletes a tenant, after a dialog that says what goes with it and what remains. */
export function DeleteTenant({ tenant: { id, name } }: { tenant: Schemas['TenantResponse'] }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [isOpen, { open, close }] = useDisclosure();
  const [isErased, setErased] = useState(false);
  const remove = api.useMutation('delete', '/api/v1/sysadmin/tenants/{tenant_id}', {
    onSuccess: async () => {
      // Nothing is read again until the next page asks: for this one there is nothing to find any more.
      await queries.invalidateQueries({ refetchType: 'none' });
      await navigate('/tenants', { replace: true });
    },
  });
  return (
    <>
      <Button
        variant="subtle"
        color="gray"
        onClick={() => {
          remove.reset();
          setErased(false);
          open();
        }}
      >
        Delete
      </Button>
      <Confirm
        title={`Delete ${name}?`}
        name={name}
        action="Delete the tenant"
        color="red"
        isOpen={isOpen}
        request={remove}
        onClose={close}
        onSubmit={() =>
          remove.mutate({
            params: { path: { tenant_id: id }, query: isErased ? { erase: 'true' } : {} },
          })
        }
      >
        <WhatGoes tenantId={id} />
        <Checkbox
          label="Also erase its name, display name and contact from the audit"
          description="The audit stays complete, and can still be verified. It will no longer say whose events they were."
          checked={isErased}
          onChange={(event) => setErased(event.currentTarget.checked)}
        />
        <Text size="sm" fw={600}>
          This cannot be undone.
        </Text>
      </Confirm>
    </>
  );
}

function WhatGoes({ tenantId }: { tenantId: string }) {
  const session = useSession();
  const params = { path: { tenant_id: tenantId } };
  const { data: stored } = api.useQuery(
    'get',
    '/api/v1/sysadmin/tenants/{tenant_id}/credentials',
    { params },
    { enabled: session.can('credentials:read') },
  );
  const { data: keys } = api.useQuery(
    'get',
    '/api/v1/sysadmin/tenants/{tenant_id}/keys',
    { params },
    { enabled: session.can('keys:write') },
  );
  const providers = [...(stored?.credentials ?? []), ...(stored?.without_live ?? [])].map(
    ({ provider }) => provider,
  );
  return (
    <>
      <Text size="sm">Its calls are refused at once. With the tenant are deleted:</Text>
      <List size="sm">
        <List.Item>
          {stored === undefined
            ? 'all its credentials, also staged and previous ones'
            : providers.length === 0
              ? 'no credentials, since it has none'
              : `its credentials for ${providers.join(', ')}, also staged and previous ones`}
        </List.Item>
        <List.Item>
          {keys === undefined
            ? 'all its tenant keys'
            : keys.count === 0
              ? 'no tenant keys, since it has none'
              : keys.count === 1
                ? `its tenant key ${keys.items[0]?.name}`
                : `its ${keys.count} tenant keys`}
        </List.Item>
        <List.Item>the record of what it stored at providers; delete the objects themselves there</List.Item>
        <List.Item>its place in sysadmin keys that are limited to some tenants</List.Item>
      </List>
      <Text size="sm">
        Its usage records and sums remain, under its id. Its audit events remain, with the names of its keys.
      </Text>
    </>
  );
}
