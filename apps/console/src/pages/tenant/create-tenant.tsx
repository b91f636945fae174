import { Button, Modal, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../../api/client';
import { useRefresh, useSession } from '../../api/session';
import { fieldErrors, textOrNull } from '../../parts/forms/fields';
import { TenantForm } from './tenant-form';

/** The button and its dialog, for keys with tenants:write for all tenants. Leads to the page of the new tenant. */
export function CreateTenant() {
  const session = useSession();
  const [isOpen, { open, close }] = useDisclosure();
  if (!session.can('tenants:write') || session.tenant_ids !== null) return null;
  return (
    <>
      <Button onClick={open}>Create a tenant</Button>
      <Modal opened={isOpen} onClose={close} title="Create a tenant" size="lg">
        <NewTenant onCancel={close} />
      </Modal>
    </>
  );
}

function NewTenant({ onCancel }: { onCancel: () => void }) {
  const navigate = useNavigate();
  const refresh = useRefresh();
  const [id, setId] = useState('');
  const create = api.useMutation('post', '/api/v1/sysadmin/tenants', {
    onSuccess: async (tenant) => {
      await navigate(`/tenants/${tenant.id}`);
      await refresh();
    },
  });
  return (
    <TenantForm
      action="Create the tenant"
      request={create}
      onSubmit={({ name = '', ...fields }) =>
        create.mutate({ body: { name, ...fields, id: textOrNull(id) } })
      }
      onCancel={onCancel}
    >
      <TextInput
        label="Id"
        description="The UUID that the platform uses for the tenant. Leave it empty to get a new one. It cannot be changed later."
        value={id}
        onChange={(event) => setId(event.currentTarget.value)}
        error={fieldErrors(create.error).id}
        autoComplete="off"
        spellCheck={false}
      />
    </TenantForm>
  );
}
