import { Button, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { api, type Schemas } from '../../api/client';
import { useRefresh } from '../../api/session';
import { TenantForm } from './tenant-form';

/** The button and its dialog. Only what was changed is sent, so that it undoes nothing that somebody else changes meanwhile. */
export function EditTenant({ tenant }: { tenant: Schemas['TenantResponse'] }) {
  const [isOpen, { open, close }] = useDisclosure();
  return (
    <>
      <Button variant="default" onClick={open}>
        Edit
      </Button>
      <Modal opened={isOpen} onClose={close} title={`Edit ${tenant.name}`} size="lg">
        <Changes tenant={tenant} onClose={close} />
      </Modal>
    </>
  );
}

function Changes({ tenant, onClose }: { tenant: Schemas['TenantResponse']; onClose: () => void }) {
  const refresh = useRefresh();
  const update = api.useMutation('patch', '/api/v1/sysadmin/tenants/{tenant_id}', {
    onSuccess: async () => {
      onClose();
      await refresh();
    },
  });
  const { name, display_name, contact_email } = tenant;
  const { expected_providers, allowed_providers, allowed_hosting, egress_allow } = tenant;
  return (
    <TenantForm
      before={{
        name,
        display_name,
        contact_email,
        expected_providers,
        allowed_providers,
        allowed_hosting,
        egress_allow,
      }}
      action="Save"
      request={update}
      onSubmit={(body) => update.mutate({ params: { path: { tenant_id: tenant.id } }, body })}
      onCancel={onClose}
    />
  );
}
