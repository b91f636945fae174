import { apiKeyField, ApiKeyFields } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/** https://console.groq.com/docs/openai and .../api-reference; GET models needs the key. */
export const groq = openAiCompatible({
  id: 'groq',
  label: 'Groq',
  families: [],
  defaultEndpoint: 'https://api.groq.com/openai/v1',
  credentialClass: ApiKeyFields,
  fields: [apiKeyField],
  example: { api_key: 'not-a-real-groq-key' },
  apiKeyVariable: 'GROQ_API_KEY',
  operations: ['chat/completions', 'responses', 'audio/transcriptions', 'audio/translations', 'audio/speech'],
  differences: {
    // Groq refuses the first three with 400; the last two are "not currently supported" (request types of groq-python).
    'chat/completions': {
      unsupported: ['logit_bias', 'logprobs', 'top_logprobs', 'store', 'metadata'],
      // ChatCompletionAssistantMessageParam. "property 'annotations' is unsupported"
      messageFields: { assistant: ['role', 'content', 'name', 'tool_calls', 'reasoning'] },
    },
  },
  // A 403 may also say that an administrator has blocked this model.
  isCredentialRefusal: (status, message) =>
    status === 401 || (status === 403 && !/\bblocked at the (organization|project) level/i.test(message)),
  baseUrlVariables: ['GROQ_BASE_URL'],
});
