import { api, type Schemas } from '../../api/client';
import { useSession } from '../../api/session';

export type StoredCredential = Schemas['StoredCredentialResponse'];
export type PreviousCredential = Schemas['PreviousCredentialResponse'];
export type Provider = Schemas['ProviderResponse'];
export type Outcome = Schemas['VerificationOutcome'];

/** What a tenant has for one provider. */
export interface Slots {
  readonly provider: string;
  /** The catalogue no longer declares the provider. */
  readonly isUnknown: boolean;
  readonly live: StoredCredential | null;
  readonly staged: StoredCredential | null;
  readonly previous: PreviousCredential | null;
}

export function emptySlots(provider: string): Slots {
  return { provider, isUnknown: false, live: null, staged: null, previous: null };
}

export function useCredentials(tenantId: string) {
  const params = { path: { tenant_id: tenantId } };
  return api.useQuery(
    'get',
    '/api/v1/sysadmin/tenants/{tenant_id}/credentials',
    { params },
    { select: slotsOf },
  );
}

/** Not asked for if the session may not read credentials, which opens the list. */
export function useProviders() {
  return useProviderList(({ providers }) => providers);
}

function useProviderList<Part>(select: (list: Schemas['ProviderListResponse']) => Part) {
  const session = useSession();
  return api.useQuery(
    'get',
    '/api/v1/sysadmin/providers',
    {},
    // It changes only with the model catalogue, or with a restart.
    { select, staleTime: 300_000, enabled: session.can('credentials:read') },
  );
}

/** For how many hours a replaced credential can be rolled back to; 0: not at all; undefined: it is not known yet. */
export function useRollbackHours(): number | undefined {
  return useProviderList(({ rollback_hours: hours }) => hours).data;
}

/** Not asked for if the session may not read tenants; the pages then show the tenant's id. */
export function useTenant(tenantId: string) {
  return api.useQuery(
    'get',
    '/api/v1/sysadmin/tenants/{tenant_id}',
    { params: { path: { tenant_id: tenantId } } },
    { enabled: useSession().can('tenants:read') },
  );
}

/** The provider refused the key in the last call or verification, so that it cannot be promoted. */
export function isRefused({ rejection, status }: StoredCredential): boolean {
  return rejection !== null || status === 'rejected';
}

/** Calls cannot use it, whatever the provider says. */
export function isUnusable({ status }: StoredCredential): boolean {
  return status === 'unreadable' || status === 'tampered' || status === 'plaintext';
}

function slotsOf({ credentials, without_live: others = [] }: Schemas['ListCredentialsResponse']): Slots[] {
  return [
    ...credentials.map((live) => ({ ...inactiveOf(live), live })),
    ...others.map((each) => ({ ...inactiveOf(each), live: null })),
  ].sort((a, b) => a.provider.localeCompare(b.provider));
}

function inactiveOf({ provider, unknown_provider, staged, previous }: Schemas['WithoutLiveResponse']) {
  return { provider, isUnknown: unknown_provider === true, staged, previous };
}
