import { type Provider, providers, serviceOf } from '#providers';
import { type Model, operationsOfKind, providerOfModel } from './model';
import { didYouMean, type Finding, listOf } from './catalogue-finding';
import { type CatalogueEntry } from './catalogue-entries';

const families = providers.flatMap((provider) => provider.families);

/** What stops no start and will surprise at a call: models that nobody serves, or that reach another than is meant. */
export function serviceWarnings(entries: readonly CatalogueEntry[], file: string): Finding[] {
  const found = entries.flatMap(({ model, lineOf }) =>
    warningsOf(model).map(({ field, reason }): Finding => {
      return { severity: 'warning', file, line: lineOf(field), reason: `${model.name}: ${reason}` };
    }),
  );
  return [...found, ...sharedDeployments(entries, file)].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function warningsOf(model: Model): { field: string; reason: string }[] {
  const target = providerOfModel(model);
  if (!target) {
    const hint = didYouMean(model.family ?? '', families);
    const reason = `no provider serves this family, so calls are refused; add litellm_model_name${hint}`;
    return [{ field: 'family', reason }];
  }
  const { provider } = target;
  const found: { field: string; reason: string }[] = [];
  const field = model.litellm_model_name ? 'litellm_model_name' : 'family';
  if (!operationsOfKind(model.kind).some((operation) => serviceOf(provider, operation))) {
    found.push({ field, reason: `${provider.label} serves no ${model.kind} models, so calls are refused` });
  }
  if (!model.litellm_model_name) return found;
  const hosted = `hosted_${provider.id}`;
  if (provider.prefixes.includes(hosted) && model.litellm_model_name.startsWith(`${provider.id}/`)) {
    // https://docs.litellm.ai/docs/providers/vllm: the short prefix is LiteLLM's deprecated in-process SDK.
    found.push({
      field,
      reason: `LiteLLM deprecates the prefix ${provider.id}/ for servers; write ${hosted}/`,
    });
  }
  if (model.base_url) {
    const reason = `base_url is used without litellm_model_name only; here the tenant's credential has the endpoint`;
    found.push({ field: 'base_url', reason });
  }
  return found;
}

/**
 * Where the credential and not the request names the deployment, models of one provider reach the same one unless
 * something tells them apart: `deployments` in a tenant's credential, `deployment_name` of a legacy model.
 */
function sharedDeployments(entries: readonly CatalogueEntry[], file: string): Finding[] {
  return providers.filter(namesDeployments).flatMap((provider) => {
    const served = entries.flatMap(({ model, lineOf }) => {
      const target = providerOfModel(model);
      return target?.provider === provider ? [{ model, lineOf, upstreamModel: target.upstreamModel }] : [];
    });
    const own = served.filter(({ model }) => model.litellm_model_name);
    const legacy = served.filter(({ model }) => !model.litellm_model_name && !model.deployment_name);
    return [
      {
        group: own,
        fix: (upstream: string) => `give the tenants' credentials \`deployments\` for ${upstream}`,
      },
      { group: legacy, fix: () => 'give each a deployment_name' },
    ].flatMap(({ group, fix }): Finding[] => {
      const upstreamModels = [...new Set(group.map(({ upstreamModel }) => upstreamModel))];
      if (upstreamModels.length < 2) return [];
      const names = listOf(group.map(({ model }) => model.name));
      const reason = `${names} all go to the one deployment_name of the ${provider.label} credential; ${fix(listOf(upstreamModels))}`;
      // The second one is where sharing begins.
      return [{ severity: 'warning', file, line: group[1]!.lineOf(), reason }];
    });
  });
}

function namesDeployments(provider: Provider): boolean {
  return provider.fields.some(({ name }) => name === 'deployments');
}
