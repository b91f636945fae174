import { ApiKeyAndEndpointFields, apiKeyField, optionalEndpointField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

export const berget = openAiCompatible({
  id: 'berget',
  label: 'Berget',
  families: ['berget'],
  defaultEndpoint: 'https://api.berget.ai/v1',
  credentialClass: ApiKeyAndEndpointFields,
  fields: [apiKeyField, optionalEndpointField],
  example: { api_key: 'not-a-real-berget-key', endpoint: 'https://api.berget.ai/v1' },
  apiKeyVariable: 'BERGET_API_KEY',
  operations: ['chat/completions', 'embeddings'],
  baseUrlVariables: ['BERGET_BASE_URL', 'BERGET_API_BASE'],
});
