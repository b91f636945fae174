import { ApiKeyFields, apiKeyField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/**
 * https://docs.mistral.ai/api, its request types in https://github.com/mistralai/client-python (docs/models); a field that
 * is not among them is refused with 422.
 *
 * Not listed: /moderations answers without `flagged`, which a client of OpenAI's format would take for harmless, and
 * /audio/speech answers with JSON where that format has the sound itself.
 */
export const mistral = openAiCompatible({
  id: 'mistral',
  label: 'Mistral',
  families: ['mistral'],
  defaultEndpoint: 'https://api.mistral.ai/v1',
  credentialClass: ApiKeyFields,
  fields: [apiKeyField],
  example: { api_key: 'not-a-real-mistral-key' },
  apiKeyVariable: 'MISTRAL_API_KEY',
  operations: ['chat/completions', 'embeddings', 'audio/transcriptions'],
  differences: {
    // ChatCompletionRequest
    'chat/completions': {
      renamed: { max_completion_tokens: 'max_tokens', seed: 'random_seed' },
      unsupported: [
        'logit_bias',
        'logprobs',
        'top_logprobs',
        'user',
        'safety_identifier',
        'store',
        'service_tier',
        // The usage comes with the last event anyway.
        'stream_options',
        'verbosity',
        'prompt_cache_retention',
      ],
    },
    // EmbeddingRequest
    embeddings: { renamed: { dimensions: 'output_dimension' }, unsupported: ['user'] },
    // AudioTranscriptionRequest
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
  baseUrlVariables: ['MISTRAL_BASE_URL'],
});
