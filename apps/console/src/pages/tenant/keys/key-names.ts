import { api } from '../../../api/client';
import { useSession } from '../../../api/session';

/** Names what a call came with, by the id of the tenant key; null: the platform key. Without keys:write, and for revoked keys, the id is all there is. */
export function useKeyNames(tenantId: string): (keyId: string | null) => string {
  const session = useSession();
  const { data } = api.useQuery(
    'get',
    '/api/v1/sysadmin/tenants/{tenant_id}/keys',
    { params: { path: { tenant_id: tenantId } } },
    { enabled: session.can('keys:write') },
  );
  const names = new Map(data?.items.map(({ id, name }) => [id, name]));
  return (keyId) => (keyId === null ? 'platform key' : (names.get(keyId) ?? `tenant key ${keyId}`));
}
