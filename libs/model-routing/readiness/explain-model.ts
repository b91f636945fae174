import { type InactiveCredentials, type ListedCredential, type TenantCredentials } from '#credentials';
import {
  type AdapterName,
  type AddressPolicy,
  type CredentialSource,
  findAddressProblem,
  type Route,
  type RouteCredential,
} from '#egress';
import { credentialPath, Problem, type ProblemCode } from '#http';
import { operations, type Operation, type Provider, serviceOf } from '#providers';
import { type Tenant } from '#tenants';
import { type Adapter } from '../adapters/adapter';
import { listOf } from '../catalogue/catalogue-finding';
import { type Model, operationsOfKind, providerOfModel } from '../catalogue/model';
import { sharing } from '../catalogue/shared-deployments';

/** The problem that a call would meet. The hint is the exact fix. */
export interface ExpectedProblem {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly hint?: string;
}

export function expectedProblem({ code, message, details }: Problem): ExpectedProblem {
  return { code, detail: message, hint: details.hint };
}

/** The credential that would pay for a call. */
export interface ExplainedCredential {
  readonly source: CredentialSource;
  readonly mask: string;
  readonly version: string | null;
  /** Absent for a global key. */
  readonly stored?: ListedCredential;
}

/** What would happen to a tenant's calls of one model, as far as that can be determined without a call. */
export interface ModelExplanation {
  readonly model: Model;
  readonly adapter: AdapterName;
  readonly provider?: Provider;
  readonly upstreamModel?: string;
  /** Absent when a call would fail before anything is sent. */
  readonly route?: Route;
  /** The operations that the model serves. */
  readonly endpoints: readonly Operation[];
  readonly credential?: ExplainedCredential;
  /** The tenant's staged and previous credentials; `ExplainService` adds them where a call uses the tenant's credential. */
  readonly inactiveSlots?: InactiveCredentials;
  /** Absent when the model is ready. */
  readonly problem?: ExpectedProblem;
  /** Warnings, which stop no call. */
  readonly warnings: readonly string[];
}

/**
 * Makes the route that a call would have and explains the result. It opens no credential, sends nothing and resolves no host
 * name, so it cannot notice that a name leads to a refused address.
 */
export async function explainModel(
  tenant: Tenant,
  model: Model,
  adapter: Adapter,
  credentials: TenantCredentials,
  policy: AddressPolicy,
): Promise<ModelExplanation> {
  const { provider, upstreamModel } = providerOfModel(model) ?? {};
  const endpoints = provider ? servedBy(provider, model) : [];
  const operation = endpoints[0] ?? operationsOfKind(model.kind)[0] ?? operations[0];
  const base = { model, adapter: adapter.name, provider, upstreamModel, endpoints, warnings: [] };
  let routeCredential: RouteCredential | undefined;
  try {
    const route = await adapter.route(tenant, model, operation, (each) => {
      routeCredential = credentials.usable(each);
      return routeCredential;
    });
    const addressProblem = findAddressProblem(policy, route);
    if (addressProblem) throw addressProblem;
    const credential = explained(route.credential, credentials);
    return { ...base, route, credential, problem: rejectionOf(route, credential) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const problem = expectedProblem(error);
    // Name the tenant's credential even when it cannot be used, unless the adapter does not use tenant credentials.
    const isCredentialProblem = error.code.startsWith('credential_') && adapter.name === 'litellm';
    const stored = isCredentialProblem && provider ? credentials.listed(provider.id) : undefined;
    const credential = routeCredential
      ? explained(routeCredential, credentials)
      : stored && { source: 'tenant' as const, mask: stored.mask, version: stored.version, stored };
    return { ...base, credential, problem };
  }
}

/** A warning for each group of models that reach one deployment with the credential that pays. */
export function sharedDeploymentWarnings(
  explanations: readonly ModelExplanation[],
): { readonly models: readonly Model[]; readonly warning: string }[] {
  const groups = sharing(explanations, ({ route }) =>
    route && route.targetFrom !== null
      ? [route.provider.id, route.credential.source, route.url.origin, route.target].join(' ')
      : undefined,
  );
  return groups.map((group) => {
    const { provider, credential, target } = group[0]!.route!;
    const models = group.map(({ model }) => model);
    const variable =
      credential.source === 'global' ? provider.globalVariables.settings.deployments : undefined;
    const map = variable ?? "the credential's `deployments`";
    const warning = `${listOf(models.map(({ name }) => name))} reach the same deployment ${target}, so one model answers for all of them. Name a deployment for each in ${map}, or as deployment_name in ai_models.yml.`;
    return { models, warning };
  });
}

/** The operations that a model serves. */
export function servedBy(provider: Provider, model: Model): Operation[] {
  return operationsOfKind(model.kind).filter((operation) => serviceOf(provider, operation));
}

function explained(
  { source, mask, version, provider }: RouteCredential,
  credentials: TenantCredentials,
): ExplainedCredential {
  const stored = source === 'tenant' ? credentials.listed(provider.id) : undefined;
  return { source, mask, version, stored };
}

/** The problem of a credential that the provider refused last; calls are still sent with it. */
function rejectionOf(route: Route, { stored, mask }: ExplainedCredential): ExpectedProblem | undefined {
  if (!stored?.rejection) return undefined;
  const { at, count } = stored.rejection;
  const { provider, tenantId } = route;
  const path = credentialPath(tenantId, provider.id);
  return {
    code: 'credential_rejected',
    detail: `${provider.label} (${provider.id}) refused credential ${mask} of tenant ${tenantId}, last at ${at.toISOString()}, ${count} ${count === 1 ? 'time' : 'times'}. Calls are still sent.`,
    hint: `PUT ${path} with a valid key, or POST ${path}/verify to verify the key again.`,
  };
}
