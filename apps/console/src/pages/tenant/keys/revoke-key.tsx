import { Button, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { api, type Schemas } from '../../../api/client';
import { useRefresh } from '../../../api/session';
import { Confirm } from '../../../parts/forms/confirm';
import { Moment } from '../../../parts/times';

/** Revokes a tenant key, after its name was typed. */
export function RevokeKey({ of }: { of: Schemas['TenantKeyResponse'] }) {
  const { id, name, prefix, masked_key: mask, tenant_id: tenantId, last_used_at: lastUse } = of;
  const refresh = useRefresh();
  const [isOpen, { open, close }] = useDisclosure();
  const revoke = api.useMutation('delete', '/api/v1/sysadmin/tenants/{tenant_id}/keys/{key_id}', {
    onSuccess: async () => {
      close();
      await refresh();
    },
  });
  return (
    <>
      <Button
        variant="outline"
        color="red"
        size="compact-sm"
        aria-label={`Revoke ${name}`}
        onClick={() => {
          revoke.reset();
          open();
        }}
      >
        Revoke
      </Button>
      <Confirm
        title={`Revoke ${name}?`}
        name={name}
        action="Revoke the key"
        color="red"
        isOpen={isOpen}
        request={revoke}
        onClose={close}
        onSubmit={() => revoke.mutate({ params: { path: { tenant_id: tenantId, key_id: id } } })}
      >
        <Text size="sm">
          Every process refuses the key {prefix}
          {mask} at once, and applications that still use it fail. It was{' '}
          {lastUse === null ? (
            'never used.'
          ) : (
            <>
              last used <Moment time={lastUse} />.
            </>
          )}
        </Text>
        <Text size="sm" fw={600}>
          This cannot be undone. Another key can be issued.
        </Text>
      </Confirm>
    </>
  );
}
