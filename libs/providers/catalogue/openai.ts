import { ApiKeyAndEndpointFields, apiKeyField, optionalEndpointField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

export const openai = openAiCompatible({
  id: 'openai',
  label: 'OpenAI',
  families: ['openai'],
  isDefault: true,
  defaultEndpoint: 'https://api.openai.com/v1',
  credentialClass: ApiKeyAndEndpointFields,
  fields: [apiKeyField, optionalEndpointField],
  example: { api_key: 'not-a-real-openai-key', endpoint: 'https://api.openai.com/v1' },
  apiKeyVariable: 'OPENAI_API_KEY',
  operations: ['chat/completions', 'embeddings'],
  baseUrlVariables: ['OPENAI_BASE_URL'],
});
