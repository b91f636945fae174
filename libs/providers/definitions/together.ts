import { apiKeyField, ApiKeyFields } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/** https://docs.together.ai and https://github.com/togethercomputer/openapi; GET /models needs the key. */
export const together = openAiCompatible({
  id: 'together',
  label: 'Together AI',
  prefixes: ['together_ai'],
  families: [],
  defaultEndpoint: 'https://api.together.ai/v1',
  credentialClass: ApiKeyFields,
  fields: [apiKeyField],
  example: { api_key: 'not-a-real-together-key' },
  apiKeyVariable: 'TOGETHER_API_KEY',
  operations: [
    'chat/completions',
    'completions',
    'embeddings',
    'audio/transcriptions',
    'audio/translations',
    'audio/speech',
    'images/generations',
  ],
  differences: {
    'chat/completions': {
      // ChatCompletionRequest
      renamed: { max_completion_tokens: 'max_tokens' },
      // As Vercel's provider for Together sends it (packages/openai-compatible in https://github.com/vercel/ai).
      thinkingField: 'reasoning_content',
    },
  },
  // https://docs.together.ai/docs/error-codes: 403 means that the request is longer than the model's context.
  isCredentialRefusal: (status) => status === 401,
  baseUrlVariables: ['TOGETHER_BASE_URL'],
});
