import { membersOf, withMembers } from './json-members';
import { type Json } from './translation';
import { isObject } from './values';

/**
 * The data of one event of a stream that was asked for its usage, as it is when nobody asks: without the null that each
 * event then has in place of the usage, and nothing of the one event that has the usage and no choices.
 * https://platform.openai.com/docs/api-reference/chat-streaming
 *
 * @returns the same bytes when they have neither; undefined for that one event
 */
export function unaskedData(data: Buffer): Buffer | undefined {
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
    const isUsageAlone =
      Array.isArray(choices) && choices.length === 0 && typeof usage === 'object' && error === null;
    return isUsageAlone ? undefined : data;
  } catch {
    // No event of this format.
    return data;
  }
}

function withoutMember(data: Buffer, name: string): Buffer {
  const members = membersOf(data);
  const others = members.filter((member) => member.name !== name);
  return withMembers(
    data,
    members,
    others.map(({ start, end }) => data.subarray(start, end)),
  );
}

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
