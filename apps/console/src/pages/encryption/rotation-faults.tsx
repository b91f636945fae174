import { Alert, Anchor, List, Text } from '@mantine/core';
import { Link } from 'react-router';
import { type Schemas } from '../../api/client';
import { StatusBadge } from '../../parts/status-badge';
import { useTenantNames } from '../../parts/audit/tenant-names';

const SHOWN = 100;

/** The credentials that a rotation could not seal again, with their tenants. */
export function RotationFaults({ rotation: { faults, failed } }: { rotation: Schemas['RotationResponse'] }) {
  const names = useTenantNames();
  const shown = faults.slice(0, SHOWN);
  return (
    <Alert
      color="red"
      title={failed === 1 ? 'One row could not be sealed again' : `${failed} rows could not be sealed again`}
    >
      <Text size="sm" mb="xs">
        They stay as they are. A row is tampered when it was changed outside Tenkey, and unreadable when it is
        sealed under a key that is not loaded. Replace the credential, and start the rotation again.
      </Text>
      <List size="sm" spacing={4}>
        {shown.map(({ tenant_id: id, provider, slot, status }) => (
          <List.Item key={`${id} ${provider} ${slot}`}>
            <Anchor component={Link} underline="always" to={`/tenants/${id}?provider=${provider}`} size="sm">
              {names.get(id) ?? id}
            </Anchor>
            , {provider}, {slot} <StatusBadge status={status} />
          </List.Item>
        ))}
      </List>
      {failed > shown.length && (
        <Text size="sm" mt="xs">
          and {failed - shown.length} more
        </Text>
      )}
    </Alert>
  );
}
