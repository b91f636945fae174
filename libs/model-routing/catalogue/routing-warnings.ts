import { cutEndpoint, fixedProviders, InvalidTarget, type Provider, serviceOf } from '#providers';
import { type Model, operationsOfKind, providerOfModel, type ServedModel } from './model';
import { didYouMean, type Finding, listOf } from './catalogue-finding';
import { type CatalogueEntry } from './catalogue-entries';
import { sharedDeployments } from './shared-deployments';

const families = fixedProviders.flatMap((provider) => provider.families);

/**
 * Warnings about models that no provider serves, or whose calls may reach an unexpected deployment. They do not keep Tenkey
 * from starting.
 */
export function routingWarnings(entries: readonly CatalogueEntry[], file: string): Finding[] {
  const warnings = entries.flatMap(({ model, lineOf }) =>
    modelWarnings(model).map(({ field, reason }): Finding => {
      return { severity: 'warning', file, line: lineOf(field), reason: `${model.name}: ${reason}` };
    }),
  );
  return [...warnings, ...sharedDeployments(entries, file), ...sharedCredentials(entries, file)].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0),
  );
}

function modelWarnings(model: Model): { field: string; reason: string }[] {
  const target = providerOfModel(model);
  if (!target) {
    const hint = didYouMean(model.family ?? '', families);
    const reason = `no provider serves this family, so calls are refused; add litellm_model_name${hint}`;
    return [{ field: 'family', reason }];
  }
  const { provider } = target;
  const warnings: { field: string; reason: string }[] = [];
  const field = model.litellm_model_name ? 'litellm_model_name' : 'family';
  if (!operationsOfKind(model.kind).some((operation) => serviceOf(provider, operation))) {
    warnings.push({
      field,
      reason: `${provider.label} serves no ${model.kind} models, so calls are refused`,
    });
  }
  if (model.deployment_name && !isDeployment(provider, model)) {
    const reason = `deployment_name is not a valid name of a deployment, so calls are refused`;
    warnings.push({ field: 'deployment_name', reason });
  }
  if (!model.litellm_model_name) {
    if (model.base_url && cutEndpoint(model.base_url, provider)) {
      const reason = 'base_url is the URL of a request; only its base URL is used';
      warnings.push({ field: 'base_url', reason });
    }
    return warnings;
  }
  warnings.push(...nameWarnings(model, target));
  const hosted = `hosted_${provider.id}`;
  if (provider.prefixes.includes(hosted) && model.litellm_model_name.startsWith(`${provider.id}/`)) {
    // In LiteLLM the short prefix means a deprecated in-process SDK: https://docs.litellm.ai/docs/providers/vllm
    warnings.push({
      field,
      reason: `LiteLLM has deprecated the prefix ${provider.id}/ for servers; write ${hosted}/`,
    });
  }
  if (model.base_url) {
    const reason = `base_url is ignored when there is a litellm_model_name; the tenant's credential has the endpoint`;
    warnings.push({ field: 'base_url', reason });
  }
  return warnings;
}

/** Switches of LiteLLM that stand before the name of a model: https://docs.litellm.ai/docs/providers/azure */
const litellmSwitch = /^(?:responses|o_series|gpt5_series)\//;

/** Warns of names that LiteLLM reads in another way, or that are probably models of another provider. */
function nameWarnings(
  model: Model,
  { provider, upstreamModel }: ServedModel,
): { field: string; reason: string }[] {
  const field = 'litellm_model_name';
  const warn = (reason: string) => [{ field, reason: `${field} ${reason}` }];
  if (upstreamModel.includes('*')) {
    return warn(
      `has a *, which is no wildcard here: calls ask ${provider.label} for a model with exactly this name; add an entry for each model`,
    );
  }
  const litellmName = litellmSwitch.exec(upstreamModel)?.[0];
  if (litellmName !== undefined) {
    return warn(
      `has ${litellmName}, which switches LiteLLM to another API and is part of the model's name here; leave it out, since each model serves /v1/responses and /v1/chat/completions`,
    );
  }
  if (model.litellm_model_name?.includes('/') === true) return [];
  const other =
    fixedProviders.find(({ ownModels }) => ownModels?.test(upstreamModel)) ??
    fixedProviders.find((each) => each.families.includes(model.family ?? ''));
  if (other === undefined || other === provider) return [];
  return warn(
    `has no prefix, so calls go to ${provider.label}; for ${other.label}, write ${other.prefixes.find((each) => each.startsWith('hosted_')) ?? other.id}/ before it`,
  );
}

/**
 * Warns of prefixes that look like different providers but mean the same one, so that their servers would have to share one key
 * and one endpoint.
 */
function sharedCredentials(entries: readonly CatalogueEntry[], file: string): Finding[] {
  const lines = new Map<Provider, Map<string, number>>();
  for (const { model, lineOf } of entries) {
    const provider = providerOfModel(model)?.provider;
    const prefix = /^([^/]*)\//.exec(model.litellm_model_name ?? '')?.[1];
    if (provider?.declarablePrefixes === undefined || prefix === undefined) continue;
    const ofProvider = lines.get(provider) ?? new Map<string, number>();
    if (!ofProvider.has(prefix)) ofProvider.set(prefix, lineOf('litellm_model_name'));
    lines.set(provider, ofProvider);
  }
  return [...lines].flatMap(([{ label, declarablePrefixes = [] }, ofProvider]): Finding[] => {
    const prefixes = [...ofProvider.keys()];
    if (prefixes.length < 2 || !prefixes.some((prefix) => declarablePrefixes.includes(prefix))) return [];
    const names = listOf(prefixes.map((prefix) => `${prefix}/`));
    const reason = `${names} share the ${label} credential, with one key and one endpoint; declare them under \`providers\` to give each its own`;
    return [{ severity: 'warning', file, line: [...ofProvider.values()][1]!, reason }];
  });
}

/** Whether the provider accepts the deployment of the catalogue, which a credential does not change. */
function isDeployment(provider: Provider, { name, deployment_name: deploymentName }: Model): boolean {
  try {
    provider.target({}, { name, upstreamModel: name, deploymentName });
    return true;
  } catch (error) {
    if (error instanceof InvalidTarget) return false;
    throw error;
  }
}
