import { apiKeyField, ApiKeyFields } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/**
 * Cohere's API in OpenAI's format: https://docs.cohere.com/docs/compatibility-api, which lists the differences. The list of
 * models is documented only for Cohere's own API (/v1/models, which needs the key). A transcription requires `language`,
 * and its file must be the last field of the form. The compatibility API has no rerank, so that one is Cohere's own:
 * https://docs.cohere.com/reference/rerank.
 */
export const cohere = openAiCompatible({
  id: 'cohere',
  label: 'Cohere',
  prefixes: ['cohere_chat'],
  families: [],
  ownModels: /^(?:command|embed|rerank)-/,
  defaultEndpoint: 'https://api.cohere.ai',
  basePath: 'compatibility/v1',
  credentialClass: ApiKeyFields,
  fields: [apiKeyField],
  example: { api_key: 'not-a-real-cohere-key' },
  apiKeyVariable: 'COHERE_API_KEY',
  operations: ['chat/completions', 'embeddings', 'audio/transcriptions', 'rerank'],
  paths: { rerank: { basePath: 'v2', path: 'rerank' } },
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
