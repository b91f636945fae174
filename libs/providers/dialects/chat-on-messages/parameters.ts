import { type Parameters } from '../parameters';
import { isEmptyList, isObject } from '../values';

const isEmptyObject = (value: unknown) => isObject(value) && Object.keys(value).length === 0;

/**
 * Every parameter of https://platform.openai.com/docs/api-reference/chat/create, followed by Anthropic's own parameters that
 * a client may add (https://platform.claude.com/docs/en/api/messages).
 */
export const chatParameters = {
  model: { becomes: 'translated', to: 'model' },
  messages: { becomes: 'translated', to: 'messages' },
  max_tokens: { becomes: 'translated', to: 'max_tokens' },
  max_completion_tokens: { becomes: 'translated', to: 'max_tokens' },
  temperature: { becomes: 'translated', to: 'temperature', harmless: (value) => value === 1 },
  top_p: { becomes: 'translated', to: 'top_p', harmless: (value) => value === 1 },
  stop: { becomes: 'translated', to: 'stop_sequences', harmless: isEmptyList },
  tools: { becomes: 'translated', to: 'tools', harmless: isEmptyList },
  tool_choice: { becomes: 'translated', to: 'tool_choice' },
  parallel_tool_calls: {
    becomes: 'translated',
    to: 'tool_choice.disable_parallel_tool_use',
    harmless: (value) => value === true,
  },
  response_format: {
    becomes: 'translated',
    to: 'output_config.format',
    harmless: (value) => isObject(value) && value.type === 'text',
  },
  reasoning_effort: { becomes: 'translated', to: 'thinking' },
  safety_identifier: { becomes: 'translated', to: 'metadata.user_id' },
  user: { becomes: 'translated', to: 'metadata.user_id' },
  metadata: { becomes: 'translated', to: 'metadata.user_id', harmless: isEmptyObject },
  service_tier: { becomes: 'translated', to: 'service_tier', harmless: (value) => value === 'auto' },
  stream: { becomes: 'translated', to: 'stream', harmless: (value) => value === false },
  stream_options: { becomes: 'left out' },
  n: { becomes: 'dropped', harmless: (value) => value === 1 },
  frequency_penalty: { becomes: 'dropped', harmless: (value) => value === 0 },
  presence_penalty: { becomes: 'dropped', harmless: (value) => value === 0 },
  logit_bias: { becomes: 'dropped', harmless: isEmptyObject },
  logprobs: { becomes: 'dropped', harmless: (value) => value === false },
  top_logprobs: { becomes: 'dropped', harmless: (value) => value === 0 },
  seed: { becomes: 'dropped' },
  store: { becomes: 'dropped', harmless: (value) => value === false },
  verbosity: { becomes: 'dropped', harmless: (value) => value === 'medium' },
  modalities: {
    becomes: 'dropped',
    harmless: (value) => Array.isArray(value) && value.every((item) => item === 'text'),
  },
  audio: { becomes: 'dropped' },
  prediction: { becomes: 'dropped' },
  moderation: { becomes: 'dropped' },
  web_search_options: { becomes: 'dropped' },
  prompt_cache_key: { becomes: 'dropped' },
  prompt_cache_options: { becomes: 'dropped' },
  prompt_cache_retention: { becomes: 'dropped' },
  functions: { becomes: 'refused', instead: 'Send tools instead.', harmless: isEmptyList },
  function_call: {
    becomes: 'refused',
    instead: 'Send tool_choice instead.',
    harmless: (value) => value === 'auto' || value === 'none',
  },
  top_k: { becomes: 'translated', to: 'top_k' },
  thinking: { becomes: 'translated', to: 'thinking' },
  output_config: { becomes: 'translated', to: 'output_config' },
  cache_control: { becomes: 'same' },
  inference_geo: { becomes: 'same' },
  speed: { becomes: 'same' },
} satisfies Parameters;
