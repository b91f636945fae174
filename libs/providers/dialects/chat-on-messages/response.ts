import { jsonText } from '../json/json-numbers';
import { type Json, type TranslationContext, UnexpectedResponse } from '../translation';
import { isObject, isTooDeep } from '../values';

/**
 * Translates a message into a chat completion. In addition to OpenAI's fields, `reasoning_content` is the text of the
 * thinking, and `thinking_blocks` contains the blocks that Anthropic requires again with the results of tools, so a client
 * that returns the message unchanged loses no signature. Citations and blocks of tools that Anthropic executes are left
 * out.
 *
 * @throws UnexpectedResponse
 */
export function decodeMessage(message: unknown, { model }: TranslationContext): Json {
  if (!isObject(message) || !Array.isArray(message.content) || isTooDeep(message))
    throw new UnexpectedResponse();
  const blocks = message.content.filter(isObject);
  const textsOf = (type: string) =>
    blocks.flatMap((block) => (block.type === type && typeof block[type] === 'string' ? [block[type]] : []));
  const texts = textsOf('text');
  const reasoning = textsOf('thinking').join('');
  const thinking = blocks.flatMap(thinkingBlock);
  const toolCalls = blocks.filter(({ type }) => type === 'tool_use').map(toolCall);
  return {
    id: typeof message.id === 'string' ? message.id : '',
    object: 'chat.completion',
    created: nowSeconds(),
    model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: texts.length > 0 ? texts.join('') : null,
          refusal: refusalOf(message.stop_details),
          ...(reasoning !== '' && { reasoning_content: reasoning }),
          ...(thinking.length > 0 && { thinking_blocks: thinking }),
          ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
        },
        logprobs: null,
        finish_reason: finishReason(message.stop_reason),
      },
    ],
    usage: chatUsage(message.usage),
    ...serviceTier(message.usage),
  };
}

/** Unix time in seconds. Anthropic's messages have no time. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

const finishReasons: ReadonlyMap<unknown, string> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['pause_turn', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['refusal', 'content_filter'],
  ['tool_use', 'tool_calls'],
]);

/** Anthropic may add reasons. An unknown one becomes `stop`. */
export function finishReason(stopReason: unknown): string {
  return finishReasons.get(stopReason) ?? 'stop';
}

export function refusalOf(stopDetails: unknown): string | null {
  return isObject(stopDetails) && typeof stopDetails.explanation === 'string'
    ? stopDetails.explanation
    : null;
}

/** @returns a thinking block that the client can send back, or an empty list for any other block */
export function thinkingBlock(block: Json): Json[] {
  if (block.type === 'redacted_thinking' && typeof block.data === 'string') {
    return [{ type: 'redacted_thinking', data: block.data }];
  }
  if (block.type !== 'thinking' || typeof block.signature !== 'string' || block.signature === '') return [];
  const { thinking, signature } = block;
  return [{ type: 'thinking', thinking: typeof thinking === 'string' ? thinking : '', signature }];
}

function toolCall(block: Json): Json {
  const { id, name, input } = block;
  if (typeof id !== 'string' || typeof name !== 'string') throw new UnexpectedResponse();
  return { id, type: 'function', function: { name, arguments: jsonText(input ?? {}) } };
}

/** OpenAI's `prompt_tokens` includes cached tokens; Anthropic's `input_tokens` does not. */
export function chatUsage(usage: unknown): Json {
  const counts = isObject(usage) ? usage : {};
  const count = (name: string) => (typeof counts[name] === 'number' ? counts[name] : 0);
  const read = count('cache_read_input_tokens');
  const written = count('cache_creation_input_tokens');
  const prompt = count('input_tokens') + written + read;
  const completion = count('output_tokens');
  const details = counts.output_tokens_details;
  const thinking = isObject(details) ? details.thinking_tokens : undefined;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: read, cache_write_tokens: written },
    ...(typeof thinking === 'number' && { completion_tokens_details: { reasoning_tokens: thinking } }),
  };
}

const serviceTiers: ReadonlyMap<unknown, string> = new Map([
  ['standard', 'default'],
  ['priority', 'priority'],
]);

/** The tier that served the call, where OpenAI has a name for it. */
export function serviceTier(usage: unknown): { service_tier?: string } {
  const tier = isObject(usage) ? serviceTiers.get(usage.service_tier) : undefined;
  return tier === undefined ? {} : { service_tier: tier };
}
