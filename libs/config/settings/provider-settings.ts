import { fixedProviders, type Provider } from '#providers';
import { otherNames } from './other-names';
import { settings } from './settings';

/** A variable of one provider, as documented. */
export interface ProviderSetting {
  readonly name: string;
  readonly provider: Provider;
  /** What it is for, if it does not replace an address of the provider. */
  readonly note?: string;
}

/** The variables of the operator's base URLs, by provider; the first that is set wins. */
export const baseUrlSettings: readonly ProviderSetting[] = fixedProviders.flatMap((provider) =>
  provider.baseUrlVariables.map((name, index) => ({ name, provider, note: noteOf(provider, index) })),
);

/** True for a field whose value is an object of texts. */
export function isMap({ fields }: Provider, field: string): boolean {
  return fields.some((each) => each.name === field && each.isMap === true);
}

const mapNote = 'Entries `model=name`, comma-separated.';

/** The variables of a provider's global credential: the key, then its settings. */
export function globalSettingsOf(
  provider: Provider,
): readonly (ProviderSetting & { readonly field: string })[] {
  const { globalVariables } = provider;
  return [
    { name: globalVariables.apiKey, provider, field: 'api_key' },
    ...Object.entries(globalVariables.settings).map(([field, name]) => {
      return { name, provider, field, ...(isMap(provider, field) && { note: mapNote }) };
    }),
  ];
}

export const globalSettings = fixedProviders.flatMap(globalSettingsOf);

const fixedVariables = new Set([
  ...Object.values(settings).map(({ name }) => name),
  ...Object.keys(otherNames),
  ...[...globalSettings, ...baseUrlSettings].map(({ name }) => name),
]);

/**
 * The first variable of a declared provider that has another meaning already, such as PLATFORM_API_KEY for the id `platform`.
 * @param taken the variables of the providers that the catalogue declares before it
 * @returns undefined if all its variables are free
 */
export function takenVariableOf(declared: Provider, taken: ReadonlySet<string>): string | undefined {
  return variablesOf(declared).find((name) => fixedVariables.has(name) || taken.has(name));
}

/** The variables of a provider: those of its global credential and of its base URL. */
export function variablesOf(provider: Provider): string[] {
  return [...globalSettingsOf(provider).map(({ name }) => name), ...provider.baseUrlVariables];
}

function noteOf(provider: Provider, index: number): string | undefined {
  if (index > 0) return `An older name of \`${provider.baseUrlVariables[0]}\`.`;
  if (provider.defaultEndpoint !== undefined) return undefined;
  const isRequired = provider.fields.some(({ name, required }) => name === 'endpoint' && required);
  return isRequired
    ? `The server that \`${provider.globalVariables.apiKey}\` is for. Tenants always set their own endpoint.`
    : 'The server for tenants whose credential has no endpoint.';
}
