import { type Json } from './translation';
import { isObject } from './values';

/**
 * The reasoning tokens of an OpenAI usage object that its count of the output leaves out; 0: none, or they are in it.
 *
 * OpenAI's are in `completion_tokens`. xAI: "reasoning token consumption will be counted separately from completion_tokens,
 * but will be counted in the total_tokens" (https://docs.x.ai/docs/key-information/consumption-and-rate-limits). The total
 * tells, also where xAI answers behind a gateway.
 */
export function reasoningBeside(usage: Json): number {
  const details = usage.completion_tokens_details ?? usage.output_tokens_details;
  const reasoning = isObject(details) ? countOf(details.reasoning_tokens) : 0;
  const input = countOf(usage.prompt_tokens ?? usage.input_tokens);
  const output = countOf(usage.completion_tokens ?? usage.output_tokens);
  return usage.total_tokens === input + output + reasoning ? reasoning : 0;
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
