import { apiKeyField, ApiKeyFields } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/**
 * Google's Gemini API in OpenAI's format: https://ai.google.dev/gemini-api/docs/openai. GET models needs the key. Audio
 * input is part of chat/completions. An error body is a list with one error.
 */
export const gemini = openAiCompatible({
  id: 'gemini',
  label: 'Gemini',
  families: ['gemini'],
  ownModels: /^gemini-/,
  defaultEndpoint: 'https://generativelanguage.googleapis.com/v1beta/openai',
  credentialClass: ApiKeyFields,
  fields: [apiKeyField],
  example: { api_key: 'not-a-real-gemini-key' },
  apiKeyVariable: 'GEMINI_API_KEY',
  operations: ['chat/completions', 'embeddings', 'images/generations'],
  differences: {
    // Gemini refuses each of them with 400, such as `Unknown name "store": Cannot find field.`
    'chat/completions': {
      unsupported: [
        'store',
        'metadata',
        'seed',
        'frequency_penalty',
        'prompt_cache_key',
        'parallel_tool_calls',
      ],
      thinkingField: 'extra_content',
    },
  },
  // A 400 with "API key not valid. Please pass a valid API key." (or expired, or not found). Other 400s concern the request.
  isCredentialRefusal: (status, message) =>
    status === 401 ||
    status === 403 ||
    (status === 400 && /\bAPI key (not valid|not found|expired)/i.test(message)),
  isNetworkRuleRefusal: (message) => /API key has an IP address restriction/i.test(message),
  baseUrlVariables: ['GEMINI_BASE_URL'],
});
