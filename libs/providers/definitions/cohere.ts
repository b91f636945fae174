import { ApiKeyFields, apiKeyField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/**
 * Cohere's models in OpenAI's format: https://docs.cohere.com/docs/compatibility-api, whose lists of what is and is not
 * supported the differences are. The list of models is documented for the API of its own (/v1/models, with the key).
 * Of a transcription, `language` is required and the file must be the form's last field.
 */
export const cohere = openAiCompatible({
  id: 'cohere',
  label: 'Cohere',
  prefixes: ['cohere_chat'],
  families: [],
  defaultEndpoint: 'https://api.cohere.ai',
  basePath: 'compatibility/v1',
  credentialClass: ApiKeyFields,
  fields: [apiKeyField],
  example: { api_key: 'not-a-real-cohere-key' },
  apiKeyVariable: 'COHERE_API_KEY',
  operations: ['chat/completions', 'embeddings', 'audio/transcriptions'],
  differences: {
    'chat/completions': {
      renamed: { max_completion_tokens: 'max_tokens' },
      unsupported: [
        'store',
        'metadata',
        'logit_bias',
        'top_logprobs',
        'prediction',
        'service_tier',
        'parallel_tool_calls',
      ],
    },
    embeddings: { unsupported: ['user'] },
    'audio/transcriptions': {
      unsupported: [
        'prompt',
        'include',
        'chunking_strategy',
        'known_speaker_names',
        'known_speaker_references',
      ],
    },
  },
  probe: { basePath: 'v1', path: 'models' },
  baseUrlVariables: ['COHERE_BASE_URL'],
});
