import { type Parameters } from '../parameters';
import { isEmptyList } from '../values';

const isFalse = (value: unknown) => value === false;

/** Every parameter of https://platform.openai.com/docs/api-reference/responses/create. */
export const responsesParameters = {
  model: { becomes: 'translated', to: 'model' },
  input: { becomes: 'translated', to: 'messages' },
  instructions: { becomes: 'translated', to: 'messages' },
  max_output_tokens: { becomes: 'translated', to: 'max_completion_tokens' },
  max_tool_calls: { becomes: 'left out' },
  temperature: { becomes: 'same' },
  top_p: { becomes: 'same' },
  tools: { becomes: 'translated', to: 'tools', harmless: isEmptyList },
  tool_choice: { becomes: 'translated', to: 'tool_choice' },
  parallel_tool_calls: {
    becomes: 'translated',
    to: 'parallel_tool_calls',
    harmless: (value) => value === true,
  },
  text: { becomes: 'translated', to: 'response_format', alsoTo: 'verbosity' },
  reasoning: { becomes: 'translated', to: 'reasoning_effort' },
  include: { becomes: 'translated', to: 'logprobs', harmless: isEmptyList },
  top_logprobs: { becomes: 'translated', to: 'top_logprobs', harmless: (value) => value === 0 },
  stream: { becomes: 'translated', to: 'stream', harmless: isFalse },
  stream_options: { becomes: 'left out' },
  store: { becomes: 'dropped', harmless: isFalse },
  metadata: { becomes: 'left out' },
  user: { becomes: 'same' },
  safety_identifier: { becomes: 'same' },
  prompt_cache_key: { becomes: 'same' },
  prompt_cache_retention: { becomes: 'same' },
  prompt_cache_options: { becomes: 'same' },
  service_tier: { becomes: 'same', harmless: (value) => value === 'auto' },
  truncation: { becomes: 'dropped', harmless: (value) => value === 'disabled' },
  context_management: { becomes: 'dropped', harmless: isEmptyList },
  moderation: { becomes: 'dropped' },
  background: {
    becomes: 'refused',
    instead: 'Leave it out, and wait for the response.',
    harmless: isFalse,
  },
  previous_response_id: { becomes: 'refused', instead: 'Send the earlier items in input instead.' },
  conversation: { becomes: 'refused', instead: 'Send the earlier items in input instead.' },
  prompt: { becomes: 'refused', instead: 'Send its text in instructions and input instead.' },
} satisfies Parameters;
