import { type Config } from '#config';
import { type Route, type RouteCredential } from '#egress';
import { credentialPath, Problem } from '#http';
import { InvalidTarget, type Operation, type Provider, serviceOf } from '#providers';
import { type Tenant } from '#tenants';
import { kindOf, type Model, operationsOfKind, providerOfModel } from '../catalogue/model';
import { hostingOf, refuseByPolicy } from './tenant-policy';

/** Finds the route of a call. Each model has one adapter. */
export interface Adapter {
  readonly name: Route['adapter'];
  /**
   * Makes the Route of a call, if the policy of the tenant allows it. Opens no credential and sends nothing.
   * @param credentialOf finds the tenant's credential among those that the caller has already read
   * @throws Problem
   */
  route(
    tenant: Tenant,
    model: Model,
    operation: Operation,
    credentialOf?: (provider: Provider) => RouteCredential,
  ): Promise<Route>;
}

/**
 * The operator's key for a provider, as the credential of a call for this tenant.
 * @throws Problem credential_not_configured
 */
export function globalCredential(config: Config, tenantId: string, provider: Provider): RouteCredential {
  const credential = config.globalCredential(provider);
  if (!credential) {
    const name = provider.globalVariables.apiKey;
    throw new Problem('credential_not_configured', {
      detail: `There is no global ${provider.label} key.`,
      hint: `Set ${name} in Tenkey's environment and restart.`,
    });
  }
  const fault = credential.faults.get('api_key');
  if (fault !== undefined) {
    throw new Problem('credential_not_configured', {
      detail: `The global ${provider.label} key is not valid: ${fault}`,
      hint: `Correct ${provider.globalVariables.apiKey} in Tenkey's environment and restart.`,
    });
  }
  // A start in strict mode did not check these variables. A wrong one must not send a call to another address or account.
  for (const setting of credential.faults.keys()) {
    throw invalidSetting({ provider, source: 'global', tenantId }, setting);
  }
  return {
    tenantId,
    provider,
    source: 'global',
    mask: credential.apiKey.mask,
    version: null,
    settings: credential.settings,
    open: () => credential.apiKey,
  };
}

/** Where a call goes: the provider, its name of the model, and its operation that serves the call. */
export interface Target {
  readonly provider: Provider;
  readonly upstreamModel: string;
  readonly operation: Operation;
  readonly upstreamOperation: Operation;
}

/**
 * @throws Problem endpoint_not_supported when the model or its provider does not have the operation, and model_not_allowed when the
 *   policy of the tenant does not allow it
 */
export function targetOf(tenant: Tenant, model: Model, operation: Operation): Target {
  const target = providerOfModel(model);
  if (!target) {
    throw new Problem('endpoint_not_supported', {
      detail: `${model.name} has no provider (family ${model.family ?? 'none'}). No call was made.`,
      hint: 'Add litellm_model_name to the model in ai_models.yml.',
      param: 'model',
    });
  }
  const { provider, upstreamModel } = target;
  refuseByPolicy(tenant, model);
  if (model.kind !== kindOf[operation]) {
    throw new Problem('endpoint_not_supported', {
      detail: `${model.name} is not a model for /v1/${operation}; it serves ${servedPaths(model, provider)}. No call was made.`,
      param: 'model',
    });
  }
  const service = serviceOf(provider, operation);
  if (!service) {
    throw new Problem('endpoint_not_supported', {
      detail: `${provider.label} does not serve /v1/${operation}; for ${model.name} it serves ${servedPaths(model, provider)}. No call was made.`,
      param: 'model',
    });
  }
  return { provider, upstreamModel, operation, upstreamOperation: service.operation };
}

function servedPaths({ kind }: Model, provider: Provider): string {
  const served = operationsOfKind(kind).filter((each) => serviceOf(provider, each));
  return served.length === 0 ? 'none' : served.map((operation) => `/v1/${operation}`).join(', ');
}

/**
 * Makes the Route. It leads to the endpoint in the credential, else to the model's base URL, else to the operator's base URL
 * or the provider's own.
 * @throws Problem endpoint_not_configured
 */
export function makeRoute(
  adapter: Route['adapter'],
  config: Config,
  model: Model,
  { upstreamModel, operation, upstreamOperation }: Target,
  credential: RouteCredential,
  modelBaseUrl?: string,
): Route {
  const { provider, settings, tenantId } = credential;
  const endpoint = typeof settings.endpoint === 'string' ? settings.endpoint : undefined;
  const address = endpoint ?? modelBaseUrl ?? config.endpointOf(provider);
  if (address === undefined) {
    throw new Problem('endpoint_not_configured', {
      detail: `Tenant ${tenantId} has no endpoint for ${provider.label}.`,
      hint: endpointHint(credential),
    });
  }
  const base = validTarget(credential, () => parsed(address));
  const { target, from } = validTarget(credential, () =>
    provider.target(settings, {
      name: model.name,
      upstreamModel,
      deploymentName: model.deployment_name || undefined,
    }),
  );
  return Object.freeze({
    tenantId,
    model: model.name,
    hosting: hostingOf(model),
    adapter,
    provider,
    upstreamModel,
    target,
    targetFrom: from,
    operation,
    upstreamOperation,
    url: validTarget(credential, () => provider.url(base, settings, target, upstreamOperation)),
    host: base.host,
    version: credential.version,
    isOperatorAddress: endpoint === undefined || credential.source === 'global',
    credential: Object.freeze(credential),
  });
}

function endpointHint({ provider, tenantId, source }: RouteCredential): string {
  const endpointVariable = provider.globalVariables.settings.endpoint;
  const variables = [
    ...provider.baseUrlVariables,
    ...(endpointVariable !== undefined && source === 'global' ? [endpointVariable] : []),
  ];
  const set = variables.length > 0 ? `set ${variables.join(' or ')}` : undefined;
  if (source === 'global') return `An operator must ${set ?? 'configure one'}.`;
  const put = `PUT ${credentialPath(tenantId, provider.id)} with an endpoint`;
  return set === undefined ? `${put}.` : `${put}, or ${set}.`;
}

function parsed(endpoint: string): URL {
  if (URL.canParse(endpoint)) return new URL(endpoint);
  throw new InvalidTarget('endpoint', 'The endpoint must be an http or https URL.');
}

/**
 * Turns a faulty setting into a problem. In strict mode the settings in the environment are not checked when Tenkey starts, so
 * their faults appear here.
 */
function validTarget<T>(credential: RouteCredential, makeTarget: () => T): T {
  try {
    return makeTarget();
  } catch (error) {
    if (!(error instanceof InvalidTarget)) throw error;
    throw invalidSetting(credential, error.setting, error);
  }
}

function invalidSetting(
  { provider, source, tenantId }: Pick<RouteCredential, 'provider' | 'source' | 'tenantId'>,
  setting: string,
  cause?: unknown,
): Problem {
  const isOfTenant = source === 'tenant' && provider.fields.some(({ name }) => name === setting);
  return new Problem('endpoint_not_configured', {
    detail: `The ${provider.label} setting ${setting} is missing or not valid.`,
    hint: isOfTenant
      ? `PUT ${credentialPath(tenantId, provider.id)} with a valid ${setting}.`
      : `Correct ${provider.globalVariables.settings[setting] ?? setting}.`,
    cause,
  });
}
