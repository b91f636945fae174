import { apiKeyField, ApiKeyFields } from '../credential-fields';
import { defineProvider } from '../provider';
import { missingSegments, urlBelow } from '../target-url';

/** https://docs.anthropic.com/en/api: version and key have headers of their own. GET /v1/models needs the key. */
export const anthropic = defineProvider({
  id: 'anthropic',
  label: 'Anthropic',
  prefixes: [],
  families: ['claude'],
  ownModels: /^claude-/,
  isDefault: false,
  credentialClass: ApiKeyFields,
  fields: [apiKeyField],
  example: { api_key: 'not-a-real-anthropic-key' },
  globalVariables: { apiKey: 'ANTHROPIC_API_KEY', settings: {} },
  baseUrlVariables: ['ANTHROPIC_BASE_URL'],
  defaultEndpoint: 'https://api.anthropic.com',
  operations: ['messages', 'messages/count_tokens'],
  passedRequestHeaders: ['anthropic-version', 'anthropic-beta'],
  target: (_settings, { upstreamModel }) => ({ target: upstreamModel, from: null }),
  url: (endpoint, _settings, _upstreamModel, operation) =>
    urlBelow(endpoint, [...missingSegments(endpoint, 'v1'), ...operation.split('/')]),
  headers: (apiKey) => ({ 'x-api-key': apiKey.expose(), 'anthropic-version': '2023-06-01' }),
  probe: (endpoint) => ({
    method: 'GET',
    url: urlBelow(endpoint, [...missingSegments(endpoint, 'v1'), 'models']),
  }),
});
