import { type Provider, providers } from '#providers';

/** A variable of one provider, as documented. */
export interface ProviderSetting {
  readonly name: string;
  readonly provider: Provider;
  /** What it is for, if it does not replace an address of the provider. */
  readonly note?: string;
}

/** The variables of the operator's base URLs, by provider; the first that is set wins. */
export const baseUrlSettings: readonly ProviderSetting[] = providers.flatMap((provider) =>
  provider.baseUrlVariables.map((name, index) => ({ name, provider, note: noteOf(provider, index) })),
);

const mapNote = 'Entries `model=name`, comma-separated.';

/** The variables of the global credentials: the key, then its settings. */
export const globalSettings: readonly (ProviderSetting & { readonly field: string })[] = providers.flatMap(
  (provider) => [
    { name: provider.globalVariables.apiKey, provider, field: 'api_key' },
    ...Object.entries(provider.globalVariables.settings).map(([field, name]) => {
      const isMap = provider.fields.some((each) => each.name === field && each.isMap === true);
      return { name, provider, field, ...(isMap && { note: mapNote }) };
    }),
  ],
);

function noteOf(provider: Provider, index: number): string | undefined {
  if (index > 0) return `An older name of \`${provider.baseUrlVariables[0]}\`.`;
  if (provider.defaultEndpoint !== undefined) return undefined;
  const isRequired = provider.fields.some(({ name, required }) => name === 'endpoint' && required);
  return isRequired
    ? `The server that \`${provider.globalVariables.apiKey}\` is for; tenants always set their own endpoint.`
    : 'The server of tenants that set no endpoint.';
}
