import { InvalidTarget, type Provider, providers, serviceOf } from '#providers';
import { type Model, operationsOfKind, providerOfModel } from './model';
import { didYouMean, type Finding } from './catalogue-finding';
import { type CatalogueEntry } from './catalogue-entries';
import { sharedDeployments } from './shared-deployments';

const families = providers.flatMap((provider) => provider.families);

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
  return [...warnings, ...sharedDeployments(entries, file)].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
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
  if (!model.litellm_model_name) return warnings;
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
