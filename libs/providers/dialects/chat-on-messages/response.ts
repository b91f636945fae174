import { type Json, type TranslationContext, UnexpectedAnswer } from '../translation';
import { isObject, isTooDeep } from '../values';

/**
 * A chat completion of a message. Beside what OpenAI has, `reasoning_content` is the text of the thinking, and
 * `thinking_blocks` is the thinking as Anthropic demands it back before the results of tools: a client that returns the
 * message as it came loses no signature. Citations are left out, and so are blocks of tools that Anthropic runs itself.
 *
 * @throws UnexpectedAnswer
 */
export function decodeMessage(answer: unknown, { model }: TranslationContext): Json {
  if (!isObject(answer) || !Array.isArray(answer.content) || isTooDeep(answer)) throw new UnexpectedAnswer();
  const blocks = answer.content.filter(isObject);
  const textsOf = (type: string) =>
    blocks.flatMap((block) => (block.type === type && typeof block[type] === 'string' ? [block[type]] : []));
  const texts = textsOf('text');
  const reasoning = textsOf('thinking').join('');
  const thinking = blocks.flatMap(thinkingBlock);
  const calls = blocks.filter(({ type }) => type === 'tool_use').map(toolCall);
  return {
    id: typeof answer.id === 'string' ? answer.id : '',
    object: 'chat.completion',
    created: nowSeconds(),
    model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: texts.length > 0 ? texts.join('') : null,
          refusal: refusalOf(answer.stop_details),
          ...(reasoning !== '' && { reasoning_content: reasoning }),
          ...(thinking.length > 0 && { thinking_blocks: thinking }),
          ...(calls.length > 0 && { tool_calls: calls }),
        },
        logprobs: null,
        finish_reason: finishReason(answer.stop_reason),
      },
    ],
    usage: chatUsage(answer.usage),
    ...serviceTier(answer.usage),
  };
}

/** Unix time: a message has none. */
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

/** Anthropic may add reasons: one that is not known here is an ordinary end. */
export function finishReason(stopReason: unknown): string {
  return finishReasons.get(stopReason) ?? 'stop';
}

export function refusalOf(stopDetails: unknown): string | null {
  return isObject(stopDetails) && typeof stopDetails.explanation === 'string'
    ? stopDetails.explanation
    : null;
}

/** @returns a block of thinking as the client may send it back, or nothing for any other block */
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
  if (typeof id !== 'string' || typeof name !== 'string') throw new UnexpectedAnswer();
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input ?? {}) } };
}

/** OpenAI counts cached tokens as part of the prompt; Anthropic's input_tokens leaves them out. */
export function chatUsage(usage: unknown): Json {
  const counts = isObject(usage) ? usage : {};
  const count = (name: string) => (typeof counts[name] === 'number' ? counts[name] : 0);
  const read = count('cache_read_input_tokens');
  const written = count('cache_creation_input_tokens');
  const prompt = count('input_tokens') + written + read;
  const completion = count('output_tokens');
  const details = counts.output_tokens_details;
  const thought = isObject(details) ? details.thinking_tokens : undefined;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: read, cache_write_tokens: written },
    ...(typeof thought === 'number' && { completion_tokens_details: { reasoning_tokens: thought } }),
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
