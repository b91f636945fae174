import { ApiKeyFields, apiKeyField } from '../credential-fields';
import { defineProvider } from '../provider';
import { urlBelow, versionSegments } from '../target-url';

/** https://docs.anthropic.com/en/api: the version is a header, the key is not a bearer token. */
export const anthropic = defineProvider({
  id: 'anthropic',
  label: 'Anthropic',
  prefixes: [],
  families: ['claude'],
  isDefault: false,
  credentialClass: ApiKeyFields,
  fields: [apiKeyField],
  example: { api_key: 'not-a-real-anthropic-key' },
  globalVariables: { apiKey: 'ANTHROPIC_API_KEY', settings: {} },
  baseUrlVariables: ['ANTHROPIC_BASE_URL'],
  defaultEndpoint: 'https://api.anthropic.com',
  dialect: 'anthropic',
  operations: ['chat/completions'],
  target: (_settings, upstreamModel) => upstreamModel,
  url: (endpoint) => urlBelow(endpoint, [...versionSegments(endpoint, 'v1'), 'messages']),
  headers: (apiKey) => ({ 'x-api-key': apiKey.expose(), 'anthropic-version': '2023-06-01' }),
  probe: (endpoint) => ({
    method: 'GET',
    url: urlBelow(endpoint, [...versionSegments(endpoint, 'v1'), 'models']),
  }),
});
