import { type Provider } from '#providers';
import { type CatalogueEntry } from './catalogue-entries';
import { type Finding, listOf } from './catalogue-finding';
import { type Model, providerOfModel } from './model';

/**
 * The groups of models of one kind that share something although they are different upstream models, so that one model would
 * answer for all of them. Models with the same upstream model are other names of one model, and share on purpose.
 * @param sharedOf what a model must not share; undefined for a model that shares nothing
 */
export function sharing<T extends { readonly model: Model }>(
  models: readonly T[],
  sharedOf: (each: T) => string | undefined,
): T[][] {
  const groups = new Map<string, T[]>();
  for (const each of models) {
    const shared = sharedOf(each);
    if (shared === undefined) continue;
    const name = `${each.model.kind} ${shared}`;
    groups.set(name, [...(groups.get(name) ?? []), each]);
  }
  return [...groups.values()].filter(
    (group) => new Set(group.map(({ model }) => providerOfModel(model)?.upstreamModel)).size > 1,
  );
}

/**
 * Warns of models that reach the same deployment as far as the catalogue decides. A tenant's credential may still separate
 * them; explain and readiness know it.
 */
export function sharedDeployments(entries: readonly CatalogueEntry[], file: string): Finding[] {
  const finding = (group: readonly CatalogueEntry[], reason: (names: string) => string): Finding => ({
    severity: 'warning',
    file,
    // The second model is the first that shares.
    line: group[1]!.lineOf(),
    reason: reason(listOf(group.map(({ model }) => model.name))),
  });
  const ofProvider = (model: Model, suffix: string | undefined) => {
    const provider = providerOfModel(model)?.provider;
    return provider && suffix !== undefined && hasDeployments(provider)
      ? `${provider.id} ${suffix}`
      : undefined;
  };
  const label = ({ model }: CatalogueEntry) => providerOfModel(model)?.provider.label;
  return [
    ...sharing(entries, ({ model }) => ofProvider(model, model.deployment_name ? undefined : '')).map(
      (group) =>
        finding(
          group,
          (names) =>
            `${names} share the deployment_name of the ${label(group[0]!)} credential, unless its \`deployments\` names another one for them; give each a deployment_name`,
        ),
    ),
    ...sharing(entries, ({ model }) => ofProvider(model, model.deployment_name || undefined)).map((group) =>
      finding(
        group,
        (names) => `${names} have the same deployment_name, so one model answers for all of them`,
      ),
    ),
  ];
}

function hasDeployments(provider: Provider): boolean {
  return provider.fields.some(({ name }) => name === 'deployments');
}
