import { maskOf } from '#crypto';
import { type Outcome, type Services } from './service-processes';

/** What decides how a call of the tenant ends. */
export interface State {
  readonly exists: boolean;
  readonly isActive: boolean;
  /** The provider's key in the live credential. */
  readonly apiKey: string | undefined;
  readonly tenantKeys: readonly string[];
}

/** Whether each fact that the outcome shows was true in one of the states. */
export function isExplained(
  outcome: Outcome,
  presented: string | undefined,
  states: readonly State[],
): boolean {
  const { status, code, usedKey } = outcome;
  const isOpen = ({ tenantKeys }: State) => presented === undefined || tenantKeys.includes(presented);
  if (status === 200) {
    const isLive = ({ apiKey }: State) => apiKey !== undefined && apiKey === usedKey;
    return states.some(isLive) && states.some(({ isActive }) => isActive) && states.some(isOpen);
  }
  // Nothing may be sent for a call that is refused.
  if (usedKey !== undefined) return false;
  if (code === 'unauthenticated') return !states.every(isOpen);
  if (!states.some(isOpen)) return false;
  if (code === 'tenant_not_found') return states.some(({ exists }) => !exists);
  if (code === 'tenant_suspended') return states.some(({ exists, isActive }) => exists && !isActive);
  return code === 'credential_not_configured' && states.some(({ apiKey }) => apiKey === undefined);
}

/** Whether the database holds the state of a tenant. A key may be stored twice, if it was not known whether the first one was. */
export async function isStored(services: Services, tenantId: string, state: State): Promise<boolean> {
  const [stored] = await services.query<{ state: string; mask: string | null; keys: number }>(
    `select state, (select key_hint from tenant_credentials where tenant_id = $1) as mask,
       (select count(*)::int from tenant_keys where tenant_id = $1) as keys from tenants where id = $1`,
    [tenantId],
  );
  if (!state.exists || stored === undefined) return !state.exists && stored === undefined;
  return (
    (stored.state === 'active') === state.isActive &&
    (stored.mask ?? undefined) === (state.apiKey && maskOf(state.apiKey)) &&
    stored.keys >= state.tenantKeys.length
  );
}
