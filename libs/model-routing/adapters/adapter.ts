import { type Config } from '#config';
import { type Route, type RouteCredential } from '#egress';
import { credentialPath, Problem } from '#http';
import { InvalidTarget, type Operation, type Provider, serviceOf } from '#providers';
import { kindOf, type Model, operationsOfKind, providerOfModel } from '../catalogue/model';

/** How a model's route is found. */
export interface Adapter {
  readonly name: Route['adapter'];
  /**
   * The one decision of a request; nothing is opened or sent by it.
   * @param credentialOf the tenant's credentials where they were read already
   */
  route(
    tenantId: string,
    model: Model,
    operation: Operation,
    credentialOf?: (provider: Provider) => RouteCredential,
  ): Promise<Route>;
}

/** The operator's key of a provider as a credential for this tenant's call. */
export function globalCredential(config: Config, tenantId: string, provider: Provider): RouteCredential {
  const found = config.globalCredential(provider);
  if (!found) {
    const name = provider.globalVariables.apiKey;
    throw new Problem('credential_not_configured', {
      detail: `There is no global ${provider.label} key.`,
      hint: `Set ${name} in the environment of Tenkey and restart.`,
    });
  }
  const fault = found.faults.get('api_key');
  if (fault !== undefined) {
    throw new Problem('credential_not_configured', {
      detail: `The global ${provider.label} key is not valid: ${fault}`,
      hint: `Correct ${provider.globalVariables.apiKey} in the environment of Tenkey and restart.`,
    });
  }
  return {
    tenantId,
    provider,
    source: 'global',
    mask: found.apiKey.mask,
    version: null,
    settings: found.settings,
    open: () => found.apiKey,
  };
}

/** Where a model's call goes: its provider, its own name there, and what is asked of the provider. */
export interface Target {
  readonly provider: Provider;
  readonly upstreamModel: string;
  readonly operation: Operation;
  readonly upstreamOperation: Operation;
}

/** The target of a call, or the problem that the model or its provider cannot do this. */
export function targetOf(model: Model, operation: Operation): Target {
  const target = providerOfModel(model);
  if (!target) {
    throw new Problem('endpoint_not_supported', {
      detail: `${model.name} has no provider (family ${model.family ?? 'none'}). No call was made.`,
      hint: 'Add litellm_model_name to the model in ai_models.yml.',
      param: 'model',
    });
  }
  const { provider } = target;
  const served = operationsOfKind(model.kind).filter((each) => serviceOf(provider, each));
  if (model.kind !== kindOf[operation]) {
    throw new Problem('endpoint_not_supported', {
      detail: `${model.name} is not a model for /v1/${operation}; it is one for ${pathsOf(served)}. No call was made.`,
      param: 'model',
    });
  }
  const service = serviceOf(provider, operation);
  if (!service) {
    throw new Problem('endpoint_not_supported', {
      detail: `${provider.label} has no /v1/${operation}; for ${model.name} it has ${pathsOf(served)}. No call was made.`,
      param: 'model',
    });
  }
  return { ...target, operation, upstreamOperation: service.operation };
}

function pathsOf(list: readonly Operation[]): string {
  return list.length === 0 ? 'none' : list.map((operation) => `/v1/${operation}`).join(', ');
}

/** Puts the Route together: tenant's endpoint, else the operator's, else the provider's own. */
export function makeRoute(
  adapter: Route['adapter'],
  config: Config,
  model: Model,
  { upstreamModel, operation, upstreamOperation }: Target,
  credential: RouteCredential,
  modelAddress?: string,
): Route {
  const { provider, settings, tenantId } = credential;
  const own = typeof settings.endpoint === 'string' ? settings.endpoint : undefined;
  const endpoint = own ?? modelAddress ?? config.endpointOf(provider);
  if (endpoint === undefined) {
    throw new Problem('endpoint_not_configured', {
      detail: `There is no address for ${provider.label} of tenant ${tenantId}.`,
      hint: addressHint(credential),
    });
  }
  const base = aimed(credential, () => parsed(endpoint));
  return Object.freeze({
    tenantId,
    model: model.name,
    adapter,
    provider,
    upstreamModel,
    target: aimed(credential, () => provider.target(settings, upstreamModel)),
    operation,
    upstreamOperation,
    url: aimed(credential, () => provider.url(base, settings, upstreamModel, upstreamOperation)),
    host: base.host,
    version: credential.version,
    isOperatorAddress: own === undefined || credential.source === 'global',
    credential: Object.freeze(credential),
  });
}

function addressHint({ provider, tenantId, source }: RouteCredential): string {
  const own = provider.globalVariables.settings.endpoint;
  const variables = [
    ...provider.baseUrlVariables,
    ...(own !== undefined && source === 'global' ? [own] : []),
  ];
  const set = variables.length > 0 ? `set ${variables.join(' or ')}` : undefined;
  if (source === 'global') return `An operator must ${set ?? 'give it one'}.`;
  const put = `PUT ${credentialPath(tenantId, provider.id)} with an endpoint`;
  return set === undefined ? `${put}.` : `${put}, or ${set}.`;
}

function parsed(endpoint: string): URL {
  if (URL.canParse(endpoint)) return new URL(endpoint);
  throw new InvalidTarget('endpoint', 'The endpoint must be an http or https URL.');
}

/** Those of the environment are not checked at the start in strict mode; a wrong one is the operator's to mend. */
function aimed<T>(credential: RouteCredential, aim: () => T): T {
  try {
    return aim();
  } catch (error) {
    if (!(error instanceof InvalidTarget)) throw error;
    const { provider } = credential;
    throw new Problem('endpoint_not_configured', {
      detail: `The ${provider.label} setting ${error.setting} is missing or not valid.`,
      hint: `Correct ${provider.globalVariables.settings[error.setting] ?? error.setting}.`,
      cause: error,
    });
  }
}
