import { type Config } from '#config';
import { type Provider } from '#providers';

/** Where a provider is for a credential without an endpoint of its own; undefined: nowhere. */
export function operatorEndpoint(config: Config, provider: Provider): string | undefined {
  return config.baseUrls.get(provider.id) ?? provider.defaultEndpoint;
}
