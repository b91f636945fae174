import { ApiKeyFields, apiKeyField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

export const mistral = openAiCompatible({
  id: 'mistral',
  label: 'Mistral',
  families: ['mistral'],
  defaultEndpoint: 'https://api.mistral.ai/v1',
  credentialClass: ApiKeyFields,
  fields: [apiKeyField],
  example: { api_key: 'not-a-real-mistral-key' },
  apiKeyVariable: 'MISTRAL_API_KEY',
  operations: ['chat/completions', 'embeddings'],
  baseUrlVariables: ['MISTRAL_BASE_URL'],
});
