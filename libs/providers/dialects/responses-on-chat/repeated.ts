import { type Json } from '../translation';
import { isAbsent } from '../values';

/** The parameters of a request that its response repeats, and what the response has for those that it cannot repeat. */
const defaults = {
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  prompt_cache_key: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  service_tier: 'auto',
  temperature: null,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  top_p: null,
  user: null,
} as const;

/** A longer value is not repeated, because it would take memory until the response is complete. */
const mostCharacters = 16 * 1024;

/** The values to remember for the response. */
export function repeatedOf(request: Json): Json {
  const names = Object.keys(defaults).filter((name) => {
    const value = Object.hasOwn(request, name) ? request[name] : undefined;
    if (isAbsent(value)) return false;
    return (typeof value === 'string' ? value : JSON.stringify(value)).length <= mostCharacters;
  });
  return Object.fromEntries(names.map((name) => [name, request[name]]));
}

/** The fields of a response that repeat the request. */
export function withDefaults(repeated: unknown): Json {
  return { ...defaults, ...(repeated as Json | undefined) };
}
