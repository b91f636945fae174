import { type Route } from '#egress';
import { Problem, tenantPath } from '#http';
import { type Provider } from '#providers';
import { type Tenant } from '#tenants';
import { type Model, providerOfModel } from '../catalogue/model';

/** Whether the tenant has a policy that depends on the model of a call. */
export function isBoundToModels({ allowedHosting, allowedProviders }: Tenant): boolean {
  return allowedHosting !== null || allowedProviders !== null;
}

/**
 * Residency: where the tenant's data may go. The catalogue says where a model runs; one about which it says nothing is refused.
 * @throws Problem model_not_allowed
 */
export function refuseByPolicy(tenant: Tenant, model: Model): void {
  const fault = faultByPolicy(tenant, destinationOf(model));
  if (fault === undefined) return;
  throw new Problem('model_not_allowed', {
    detail: `${fault} No call was made.`,
    hint: `Use a model that the policy allows (GET /v1/models lists them), or change the policy: PATCH ${tenantPath(tenant.id)}.`,
    param: 'model',
  });
}

/** Whether the policy of the tenant allows the model. */
export function isAllowed(tenant: Tenant, model: Model): boolean {
  return faultByPolicy(tenant, destinationOf(model)) === undefined;
}

/** The route for this tenant: its own exceptions of the address policy belong to it. */
export function routeOf(tenant: Tenant, route: Route): Route {
  if (tenant.egressAllow === null || route.isOperatorAddress) return route;
  return Object.freeze({ ...route, egressAllow: tenant.egressAllow });
}

/** Whether a call that starts now may still take the route. */
export function isStillAllowed(tenant: Tenant, route: Route): boolean {
  const isSame = route.isOperatorAddress || route.egressAllow?.join() === tenant.egressAllow?.join();
  return isSame && faultByPolicy(tenant, route) === undefined;
}

/** The catalogue only warns of a value that is no text, and then nobody knows what it means. */
export function hostingOf({ hosting }: Model): string | undefined {
  return typeof hosting === 'string' && hosting !== '' ? hosting : undefined;
}

/** What a policy is about; a route has it too. */
type Destination = Pick<Route, 'model' | 'hosting'> & { readonly provider: Provider | undefined };

function destinationOf(model: Model): Destination {
  return { model: model.name, hosting: hostingOf(model), provider: providerOfModel(model)?.provider };
}

function faultByPolicy(
  { allowedHosting, allowedProviders }: Tenant,
  { model, hosting, provider }: Destination,
): string | undefined {
  if (allowedHosting !== null && (hosting === undefined || !allowedHosting.includes(hosting))) {
    const where = hosting === undefined ? 'has no hosting in ai_models.yml' : `runs in ${hosting}`;
    return `${model} ${where}, and the policy of the tenant allows ${listOf('hosting', allowedHosting)}.`;
  }
  if (allowedProviders !== null && (provider === undefined || !allowedProviders.includes(provider.id))) {
    return `${model} is served by ${provider?.id ?? 'no provider'}, and the policy of the tenant allows ${listOf('provider', allowedProviders)}.`;
  }
  return undefined;
}

function listOf(what: string, allowed: readonly string[]): string {
  return allowed.length === 0 ? `no ${what}` : `only the ${what} ${allowed.join(', ')}`;
}
