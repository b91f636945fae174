import { Button, List, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { api, type Schemas } from '../../api/client';
import { useRefresh } from '../../api/session';
import { Confirm } from '../../parts/forms/confirm';

/** Suspends or reactivates a tenant, after a dialog that says what happens to its calls. */
export function ChangeState({ tenant: { id, name, state } }: { tenant: Schemas['TenantResponse'] }) {
  const refresh = useRefresh();
  const [isOpen, { open, close }] = useDisclosure();
  const update = api.useMutation('patch', '/api/v1/sysadmin/tenants/{tenant_id}', {
    onSuccess: async () => {
      close();
      await refresh();
    },
  });
  const isActive = state === 'active';
  const verb = isActive ? 'Suspend' : 'Reactivate';
  return (
    <>
      <Button
        variant="default"
        onClick={() => {
          update.reset();
          open();
        }}
      >
        {verb}
      </Button>
      <Confirm
        title={`${verb} ${name}?`}
        action={`${verb} the tenant`}
        color={isActive ? 'red' : undefined}
        isOpen={isOpen}
        request={update}
        onSubmit={() =>
          update.mutate({
            params: { path: { tenant_id: id } },
            body: { state: isActive ? 'suspended' : 'active' },
          })
        }
        onClose={close}
      >
        {isActive ? (
          <List size="sm" spacing="xs">
            <List.Item>
              From then on, every call for it is refused with 403 <code>tenant_suspended</code>, with the
              platform key and with its tenant keys.
            </List.Item>
            <List.Item>Calls that have reached a provider run to their end, and are not retried.</List.Item>
            <List.Item>
              Its credentials, keys and records stay, and you can still manage its credentials.
            </List.Item>
            <List.Item>You can reactivate it at any time.</List.Item>
          </List>
        ) : (
          <Text size="sm">
            Calls for it are accepted again at once, with the credentials and tenant keys that it has now.
          </Text>
        )}
      </Confirm>
    </>
  );
}
