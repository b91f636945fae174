import { type ListedCredential, type TenantCredentials } from '#credentials';
import {
  type AddressPolicy,
  type CredentialSource,
  findAddressProblem,
  type Route,
  type RouteCredential,
} from '#egress';
import { credentialPath, Problem, type ProblemCode } from '#http';
import { operations, type Operation, type Provider, serviceOf } from '#providers';
import { type Adapter } from '../adapters/adapter';
import { type Model, operationsOfKind, providerOfModel } from '../catalogue/model';

/** Why a call would fail, and the exact fix. */
export interface Obstacle {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly hint?: string;
}

/** Whose key would pay. */
export interface ExplainedCredential {
  readonly source: CredentialSource;
  readonly mask: string;
  readonly version: string | null;
  /** Of a tenant's own. */
  readonly stored?: ListedCredential;
}

/** What would become of a tenant's call of one model, as far as that can be told without calling. */
export interface Explanation {
  readonly model: Model;
  readonly adapter: Route['adapter'];
  readonly provider?: Provider;
  readonly upstreamModel?: string;
  /** The deployment or model addressed, and where: known when there is a route. */
  readonly route?: Route;
  readonly endpoints: readonly Operation[];
  readonly credential?: ExplainedCredential;
  /** Absent: ready. */
  readonly obstacle?: Obstacle;
}

/**
 * Makes the route that a call would take and tells what it found; nothing is opened or sent, and no name resolved: that a
 * name leads to a refused address shows at the call.
 */
export async function explain(
  tenantId: string,
  model: Model,
  adapter: Adapter,
  credentials: TenantCredentials,
  policy: AddressPolicy,
): Promise<Explanation> {
  const { provider, upstreamModel } = providerOfModel(model) ?? {};
  const endpoints = provider ? servedBy(provider, model) : [];
  const operation = endpoints[0] ?? operationsOfKind(model.kind)[0] ?? operations[0];
  const about = { model, adapter: adapter.name, provider, upstreamModel, endpoints };
  let used: RouteCredential | undefined;
  try {
    const route = await adapter.route(tenantId, model, operation, (each) => {
      used = credentials.usable(each);
      return used;
    });
    const refused = findAddressProblem(policy, route);
    if (refused) throw refused;
    const credential = explained(route.credential, credentials);
    return { ...about, route, credential, obstacle: rejectionOf(route, credential) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const obstacle = { code: error.code, detail: error.message, hint: error.details.hint };
    // Of a credential that cannot be used, still which one it is; not where the route does not ask for one.
    const isOfCredential = error.code.startsWith('credential_') && adapter.name === 'litellm';
    const stored = isOfCredential && provider ? credentials.listed(provider.id) : undefined;
    const credential = used
      ? explained(used, credentials)
      : stored && { source: 'tenant' as const, mask: stored.mask, version: stored.version, stored };
    return { ...about, credential, obstacle };
  }
}

function servedBy(provider: Provider, model: Model): Operation[] {
  return operationsOfKind(model.kind).filter((operation) => serviceOf(provider, operation));
}

function explained(
  { source, mask, version, provider }: RouteCredential,
  credentials: TenantCredentials,
): ExplainedCredential {
  const stored = source === 'tenant' ? credentials.listed(provider.id) : undefined;
  return { source, mask, version, stored };
}

/** A call would be sent and, as things are, refused. */
function rejectionOf(route: Route, { stored, mask }: ExplainedCredential): Obstacle | undefined {
  if (!stored?.rejection) return undefined;
  const { at, count } = stored.rejection;
  const { provider, tenantId } = route;
  const path = credentialPath(tenantId, provider.id);
  return {
    code: 'credential_rejected',
    detail: `${provider.label} (${provider.id}) refused the credential of tenant ${tenantId}, ${mask}, last at ${at.toISOString()}, ${count} ${count === 1 ? 'time' : 'times'}. Calls are still sent.`,
    hint: `PUT ${path} with a valid key; POST ${path}/verify asks ${provider.label} again.`,
  };
}
