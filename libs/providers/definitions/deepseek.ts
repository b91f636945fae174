import { apiKeyField, ApiKeyFields } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/**
 * https://api-docs.deepseek.com, guides "Responses API" and "Anthropic API" (which also accepts the key as a bearer token).
 * GET /models needs the key. Completions are not listed, because they are a beta for another purpose (fill in the middle).
 */
export const deepseek = openAiCompatible({
  id: 'deepseek',
  label: 'DeepSeek',
  families: [],
  ownModels: /^deepseek-/,
  defaultEndpoint: 'https://api.deepseek.com',
  credentialClass: ApiKeyFields,
  fields: [apiKeyField],
  example: { api_key: 'not-a-real-deepseek-key' },
  apiKeyVariable: 'DEEPSEEK_API_KEY',
  operations: ['chat/completions', 'responses', 'messages'],
  paths: { messages: 'anthropic/v1/messages' },
  differences: {
    // https://api-docs.deepseek.com/api/create-chat-completion has only max_tokens.
    'chat/completions': { renamed: { max_completion_tokens: 'max_tokens' } },
  },
  baseUrlVariables: ['DEEPSEEK_BASE_URL'],
});
