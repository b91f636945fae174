import { Button, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { api, type Schemas } from '../../../api/client';
import { useRefresh } from '../../../api/session';
import { KeyForm } from './key-form';

/** Changes the name, expiry and limits of a tenant key. The key itself stays the same. */
export function ChangeKey({ before }: { before: Schemas['TenantKeyResponse'] }) {
  const { id, name, tenant_id: tenantId } = before;
  const refresh = useRefresh();
  const [isOpen, { open, close }] = useDisclosure();
  const change = api.useMutation('put', '/api/v1/sysadmin/tenants/{tenant_id}/keys/{key_id}', {
    onSuccess: async () => {
      close();
      await refresh();
    },
  });
  return (
    <>
      <Button
        variant="default"
        size="compact-sm"
        aria-label={`Change ${name}`}
        onClick={() => {
          change.reset();
          open();
        }}
      >
        Change
      </Button>
      <Modal opened={isOpen} onClose={close} title={`Change ${name}`} size="lg">
        <KeyForm
          tenantId={tenantId}
          before={before}
          action="Save"
          request={change}
          onSubmit={(body) => change.mutate({ params: { path: { tenant_id: tenantId, key_id: id } }, body })}
          onCancel={close}
        />
      </Modal>
    </>
  );
}
