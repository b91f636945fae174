import { type Provider, providers, serviceOf } from '#providers';
import { type Model, operationsOfKind, providerOfModel } from './model';
import { didYouMean, type Finding, listOf } from './catalogue-finding';
import { type CatalogueEntry } from './catalogue-entries';

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

/**
 * Warns of models that share a deployment. At some providers the credential names the deployment, not the request, so all
 * models reach the same one unless `deployments` of a tenant's credential or `deployment_name` of a legacy model separates
 * them.
 */
function sharedDeployments(entries: readonly CatalogueEntry[], file: string): Finding[] {
  return providers.filter(namesDeployments).flatMap((provider) => {
    const served = entries.flatMap(({ model, lineOf }) => {
      const target = providerOfModel(model);
      return target?.provider === provider ? [{ model, lineOf, upstreamModel: target.upstreamModel }] : [];
    });
    const litellm = served.filter(({ model }) => model.litellm_model_name);
    const legacy = served.filter(({ model }) => !model.litellm_model_name && !model.deployment_name);
    return [
      {
        group: litellm,
        fix: (upstream: string) => `give the tenants' credentials \`deployments\` for ${upstream}`,
      },
      { group: legacy, fix: () => 'give each a deployment_name' },
    ].flatMap(({ group, fix }): Finding[] => {
      const upstreamModels = [...new Set(group.map(({ upstreamModel }) => upstreamModel))];
      if (upstreamModels.length < 2) return [];
      const names = listOf(group.map(({ model }) => model.name));
      const reason = `${names} all use the one deployment_name of the ${provider.label} credential; ${fix(listOf(upstreamModels))}`;
      // Report the second model: it is the first that shares.
      return [{ severity: 'warning', file, line: group[1]!.lineOf(), reason }];
    });
  });
}

function namesDeployments(provider: Provider): boolean {
  return provider.fields.some(({ name }) => name === 'deployments');
}
