import { type Parameters } from '../parameters';
import { isEmptyList, isObject } from '../values';

/**
 * Every parameter of https://platform.claude.com/docs/en/api/messages, followed by OpenAI's own parameters that a client
 * may add (https://platform.openai.com/docs/api-reference/chat/create).
 */
export const messagesParameters: Parameters = {
  model: { becomes: 'translated', to: 'model' },
  messages: { becomes: 'translated', to: 'messages' },
  system: { becomes: 'translated', to: 'messages' },
  max_tokens: { becomes: 'translated', to: 'max_completion_tokens' },
  temperature: { becomes: 'translated', to: 'temperature' },
  top_p: { becomes: 'translated', to: 'top_p' },
  top_k: { becomes: 'dropped' },
  stop_sequences: { becomes: 'translated', to: 'stop', harmless: isEmptyList },
  stream: { becomes: 'translated', to: 'stream', harmless: (value) => value === false },
  tools: { becomes: 'translated', to: 'tools', harmless: isEmptyList },
  tool_choice: { becomes: 'translated', to: 'tool_choice', alsoTo: 'parallel_tool_calls' },
  thinking: {
    becomes: 'translated',
    to: 'reasoning_effort',
    harmless: (value) => isObject(value) && value.type === 'disabled',
  },
  output_config: { becomes: 'translated', to: 'response_format' },
  output_format: { becomes: 'translated', to: 'response_format' },
  metadata: { becomes: 'translated', to: 'user' },
  service_tier: { becomes: 'translated', to: 'service_tier', harmless: (value) => value === 'auto' },
  cache_control: { becomes: 'left out' },
  diagnostics: { becomes: 'dropped' },
  inference_geo: { becomes: 'dropped' },
  speed: { becomes: 'dropped', harmless: (value) => value === 'standard' },
  context_management: { becomes: 'dropped' },
  container: { becomes: 'refused', instead: 'Only Anthropic has containers; leave it out.' },
  mcp_servers: {
    becomes: 'refused',
    instead: 'The provider does not call MCP servers; send their tools in tools.',
    harmless: isEmptyList,
  },
  seed: { becomes: 'same' },
  frequency_penalty: { becomes: 'same' },
  presence_penalty: { becomes: 'same' },
  logit_bias: { becomes: 'same' },
  verbosity: { becomes: 'same' },
  prompt_cache_key: { becomes: 'same' },
};
