import { ApiKeyAndEndpointFields, apiKeyField, optionalEndpointField } from '../credential-fields';
import { openAiCompatible, unknownModelProbe } from '../openai-compatible';

/** https://api.berget.ai and https://berget.ai/llms.txt. The probe is not GET /v1/models, because that is public. */
export const berget = openAiCompatible({
  id: 'berget',
  label: 'Berget',
  families: ['berget'],
  defaultEndpoint: 'https://api.berget.ai/v1',
  credentialClass: ApiKeyAndEndpointFields,
  fields: [apiKeyField, optionalEndpointField],
  example: { api_key: 'not-a-real-berget-key', endpoint: 'https://api.berget.ai/v1' },
  apiKeyVariable: 'BERGET_API_KEY',
  operations: ['chat/completions', 'embeddings', 'audio/transcriptions'],
  differences: {
    'chat/completions': {
      // The API reference has only max_tokens.
      renamed: { max_completion_tokens: 'max_tokens' },
      // The field of the open models that it serves, such as GLM and Kimi.
      thinkingField: 'reasoning_content',
    },
  },
  probe: unknownModelProbe,
  baseUrlVariables: ['BERGET_BASE_URL', 'BERGET_API_BASE'],
});
