import { apiKeyField, ApiKeyFields } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/**
 * https://docs.mistral.ai/api, with the request types in https://github.com/mistralai/client-python (docs/models). Mistral
 * refuses any other field with 422.
 *
 * Two operations are not listed. The response of /moderations has no `flagged`, so a client of OpenAI's format would
 * consider every input harmless. The response of /audio/speech is JSON where OpenAI's is the audio itself.
 */
export const mistral = openAiCompatible({
  id: 'mistral',
  label: 'Mistral',
  families: ['mistral'],
  ownModels: /^(?:mistral|ministral|magistral|codestral|devstral|pixtral|voxtral)-/,
  defaultEndpoint: 'https://api.mistral.ai/v1',
  credentialClass: ApiKeyFields,
  fields: [apiKeyField],
  example: { api_key: 'not-a-real-mistral-key' },
  apiKeyVariable: 'MISTRAL_API_KEY',
  operations: ['chat/completions', 'embeddings', 'audio/transcriptions'],
  // ContentChunk: text, thinking, reference
  hasContentParts: true,
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
        // Mistral always reports the usage in the last event.
        'stream_options',
        'verbosity',
        'prompt_cache_retention',
      ],
      // SystemMessage, UserMessage, AssistantMessage, ToolMessage
      messageFields: {
        system: ['role', 'content'],
        user: ['role', 'content'],
        assistant: ['role', 'content', 'tool_calls', 'prefix'],
        tool: ['role', 'content', 'tool_call_id', 'name'],
      },
      // "Tool call id was ... but must be a-z, A-Z, 0-9, with a length of 9."
      toolCallIdLength: 9,
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
