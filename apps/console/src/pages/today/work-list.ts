import { useQuery } from '@tanstack/react-query';
import { allPages } from '../../api/all-pages';
import { client, type Schemas } from '../../api/client';
import { type Session } from '../../api/session';
import { type CredentialStatus, type statusLooks } from '../../parts/status-badge';

/** Something that needs the sysadmin. */
export interface WorkItem {
  readonly id: string;
  /** 0: all calls fail. 1: calls of a tenant fail. 2: they soon will. */
  readonly urgency: 0 | 1 | 2;
  readonly status?: keyof typeof statusLooks;
  readonly tenant?: { readonly id: string; readonly name: string };
  readonly provider?: string;
  readonly mask?: string;
  /** When it began, or when it will. */
  readonly time?: string;
  readonly detail: string;
  readonly contact?: string;
  readonly action?: { readonly label: string; readonly to: string };
}

type Readiness = Schemas['ReadinessPageResponse'];
type Cell = Schemas['ReadinessCellResponse'];
type Tenant = Pick<Schemas['TenantReadinessResponse'], 'tenant_id' | 'name'>;

/** What fails and what expires, the worst and newest first. */
export function useWorkList(session: Session) {
  const can = (scope: Schemas['Scope']) => session.scopes.includes(scope);
  // The page of the encryption keys needs the same scope, and a key for all tenants.
  const seesEncryption = session.tenant_ids === null;
  return useQuery({
    queryKey: ['work list'],
    refetchInterval: 60_000,
    queryFn: async (): Promise<WorkItem[]> => {
      const readiness = (only: 'failing' | 'warning') =>
        allPages((cursor) =>
          client.GET('/api/v1/sysadmin/readiness', { params: { query: { only, limit: 200, cursor } } }),
        );
      const [failing, warning, rejectedAt] = await Promise.all([
        readiness('failing'),
        readiness('warning'),
        can('credentials:read') ? rejectionTimes() : new Map<string, string>(),
      ]);
      const failures = failing.flatMap(({ items: rows }) =>
        rows.flatMap((tenant) =>
          tenant.providers.map((cell) => failureOf(tenant, cell, { rejectedAt, seesEncryption })),
        ),
      );
      const failed = new Set(failures.map(({ id }) => id));
      const expiries = warning
        .flatMap(({ warnings }) => warnings.map(expiryOf))
        // A key that fails must be replaced anyway.
        .filter(({ id }) => !failed.has(id));
      const items = [...blockersOf(failing), ...failures, ...expiries];
      return items.sort(byUrgency);
    },
  });
}

/** What fails: rows that somebody changed, keys that stopped working, keys that are not there yet, each the newest first. What expires: the next one first. */
function byUrgency(a: WorkItem, b: WorkItem): number {
  if (a.urgency !== b.urgency) return a.urgency - b.urgency;
  const [first = '', second = ''] = [a.time, b.time];
  if (a.urgency === 2) return first.localeCompare(second);
  return (
    rankOf(a) - rankOf(b) || second.localeCompare(first) || (a.status ?? '').localeCompare(b.status ?? '')
  );
}

function rankOf({ status }: WorkItem): number {
  return status === 'tampered' ? 0 : status === 'missing' ? 2 : 1;
}

function blockersOf([page]: readonly Readiness[]): WorkItem[] {
  return (page?.blockers ?? []).map((detail) => ({
    id: detail,
    urgency: 0,
    detail: `All calls fail. ${detail}`,
  }));
}

function failureOf(
  tenant: Tenant,
  cell: Cell,
  { rejectedAt, seesEncryption }: { rejectedAt: ReadonlyMap<string, string>; seesEncryption: boolean },
): WorkItem {
  const { provider, credential, breaking_models: models } = cell;
  const { tenant_id: id, name } = tenant;
  const action =
    credential === null
      ? { label: 'Add the key', to: `/tenants/${id}/add/${provider}` }
      : credential.status === 'unreadable' && seesEncryption
        ? { label: 'Find that key', to: '/encryption' }
        : { label: 'Replace the key', to: `/tenants/${id}/replace/${provider}` };
  return {
    id: `${id} ${provider}`,
    urgency: 1,
    status: credential === null ? 'missing' : (credential.status ?? undefined),
    tenant: { id, name },
    provider,
    mask: credential?.masked_key,
    time: rejectedAt.get(`${id} ${provider}`),
    detail: `${reasonOf(cell)} Calls of ${models.length === 1 ? (models[0] ?? '') : `${models.length} models`} fail.`,
    action,
  };
}

/** What the API would say about these, without the tenant and the provider, which the row names. */
const reasons: Readonly<Partial<Record<CredentialStatus, string>>> = {
  rejected: 'The provider refused the key.',
  unreadable:
    'Tenkey was started without the encryption key that seals it. Add that one, or enter the key again.',
  tampered:
    'Somebody changed the row in the database, so it is not used. Find out who did, and enter the key again.',
  plaintext: 'The key is stored in clear text, so it is not used: enter it again.',
};

function reasonOf({ credential, problem }: Cell): string {
  if (credential === null) return 'There is no key, and no other key is used in its place.';
  const { status } = credential;
  return (status === null ? undefined : reasons[status]) ?? problem?.detail ?? '';
}

function expiryOf(warning: Schemas['ExpiryWarningResponse']): WorkItem {
  const { tenant_id: id, name, provider, masked_key: mask, expires_at: time, within_days: days } = warning;
  return {
    id: `${id} ${provider}`,
    urgency: 2,
    status: days === 0 ? 'expired' : 'expiring',
    tenant: { id, name },
    provider,
    mask,
    time,
    detail:
      days === 0
        ? 'Calls still use it. The provider may refuse it at any time.'
        : 'Stage the next key now, and promote it when it is verified.',
    contact: warning.contact_email ?? undefined,
    action: { label: 'Replace the key', to: `/tenants/${id}/replace/${provider}` },
  };
}

/** When each rejected credential was last rejected, by tenant and provider. */
async function rejectionTimes(): Promise<Map<string, string>> {
  const pages = await allPages((cursor) =>
    client.GET('/api/v1/sysadmin/credentials', {
      params: { query: { status: 'rejected', staged: false, limit: 500, cursor } },
    }),
  );
  return new Map(
    pages.flatMap(({ items }) =>
      items.map((row) => [`${row.tenant_id} ${row.provider}`, row.rejection?.at ?? '']),
    ),
  );
}
