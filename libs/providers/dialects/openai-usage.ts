import { scanObject, withMembers } from './json/json-members';
import { type Json } from './translation';
import { isObject } from './values';

/**
 * Removes what `stream_options.include_usage` adds to the data of a stream's event: the null `usage` of most events, and
 * the event with the usage and no choices. https://platform.openai.com/docs/api-reference/chat-streaming
 *
 * @returns the same bytes if nothing was added; undefined for the event that only reports the usage
 */
export function eventDataWithoutUsage(data: Buffer): Buffer | undefined {
  if (!data.includes('"usage"')) return data;
  try {
    const event = JSON.parse(data.toString('utf8')) as {
      choices?: unknown;
      usage?: unknown;
      error?: unknown;
    } | null;
    if (typeof event !== 'object' || event === null) return data;
    const { choices, usage, error = null } = event;
    if (usage === null) return withoutMember(data, 'usage');
    const isOnlyUsage =
      Array.isArray(choices) && choices.length === 0 && typeof usage === 'object' && error === null;
    return isOnlyUsage ? undefined : data;
  } catch {
    // The event is not in this format.
    return data;
  }
}

function withoutMember(data: Buffer, name: string): Buffer {
  const { members } = scanObject(data);
  const others = members.filter((member) => member.name !== name);
  const kept = others.map(({ start, end }) => [data.subarray(start, end)]);
  return Buffer.concat(withMembers(data, members, kept));
}

/** The name `usage`, to search bytes for. Without its first quote, which is too frequent for a fast search. */
export const usageName = Buffer.from('usage"');

/**
 * The reasoning tokens that the output tokens of an OpenAI usage object do not include.
 *
 * OpenAI includes them in `completion_tokens`. xAI does not: "reasoning token consumption will be counted separately from
 * completion_tokens, but will be counted in the total_tokens"
 * (https://docs.x.ai/docs/key-information/consumption-and-rate-limits). The total shows which is the case, even when a
 * gateway in front of xAI sends the response.
 */
export function reasoningOutsideOutput(usage: Json): number {
  const details = usage.completion_tokens_details ?? usage.output_tokens_details;
  const reasoning = countIn(details, 'reasoning_tokens');
  const input = countOf(usage.prompt_tokens ?? usage.input_tokens);
  const output = countOf(usage.completion_tokens ?? usage.output_tokens);
  return usage.total_tokens === input + output + reasoning ? reasoning : 0;
}

/** A count of tokens; 0 when there is none. */
export function countIn(counts: unknown, name: string): number {
  return isObject(counts) ? countOf(counts[name]) : 0;
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
