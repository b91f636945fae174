import { randomUUID } from 'node:crypto';
import { reasoningBeside } from '../openai-usage';
import { type Json, type TranslationContext, UnexpectedAnswer } from '../translation';
import { isAbsent, isObject, isTooDeep, parsedObject } from '../values';

/**
 * A message of a chat completion. Reasoning is read from `reasoning_content` (DeepSeek, vLLM), `reasoning` (vLLM,
 * OpenRouter) and Mistral's parts of content; it has no signature unless `thinking_blocks` brings one.
 *
 * @throws UnexpectedAnswer
 */
export function decodeChatCompletion(answer: unknown, { model, request }: TranslationContext): Json {
  const choice: unknown = isObject(answer) && Array.isArray(answer.choices) ? answer.choices[0] : undefined;
  if (!isObject(answer) || !isObject(choice) || !isObject(choice.message) || isTooDeep(answer)) {
    throw new UnexpectedAnswer();
  }
  const { message } = choice;
  const said = saidIn(message);
  const id = messageId(answer.id);
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  const isCut = choice.finish_reason === 'length';
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [
      ...(said.thinking.length > 0 ? said.thinking : thoughtOf(said.reasoning)),
      ...(said.text === '' ? [] : [{ type: 'text', text: said.text }]),
      ...calls.map((call: unknown, index) => toolUse(call, fallbackCallId(id, index), isCut)),
    ],
    ...stopFields(choice, { hasCalls: calls.length > 0, refusal: said.refusal, request }),
    usage: messageUsage(answer.usage, answer.service_tier),
  };
}

/** What a message, or a fragment of one, says beside its calls. Empty texts are what is not there. */
export interface Said {
  readonly reasoning: string;
  readonly thinking: Json[];
  readonly text: string;
  readonly refusal: string;
}

export function saidIn(message: Json): Said {
  const parts: unknown[] = Array.isArray(message.content) ? message.content : [message.content];
  const { reasoning_content: content, thinking_blocks: thinking } = message;
  const reasoning = isAbsent(content) ? message.reasoning : content;
  return {
    reasoning:
      (isAbsent(reasoning) ? textOf(message.reasoning) : textOf(reasoning)) + textsOf(parts, 'thinking'),
    thinking: Array.isArray(thinking) ? thinking.filter(isObject).flatMap(signedThinking) : [],
    text: parts.map(textOf).join('') + textsOf(parts, 'text'),
    refusal: textOf(message.refusal) + textsOf(parts, 'refusal'),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textsOf(parts: unknown[], type: 'text' | 'thinking' | 'refusal'): string {
  return parts
    .filter(isObject)
    .filter((part) => part.type === type)
    .flatMap((part) => partsOfMistral(part[type]))
    .map(textOf)
    .join('');
}

/** Mistral's thinking is again a list of parts of text. */
function partsOfMistral(value: unknown): unknown[] {
  return Array.isArray(value) ? value.map((part) => (isObject(part) ? part.text : undefined)) : [value];
}

function signedThinking(block: Json): Json[] {
  if (block.type === 'redacted_thinking') return [{ type: 'redacted_thinking', data: textOf(block.data) }];
  const { thinking, signature } = block;
  return block.type === 'thinking'
    ? [{ type: 'thinking', thinking: textOf(thinking), signature: textOf(signature) }]
    : [];
}

function thoughtOf(reasoning: string): Json[] {
  return reasoning === '' ? [] : [{ type: 'thinking', thinking: reasoning, signature: '' }];
}

/** An id that begins as Anthropic's do. A server that gives none gets a random one: clients tell messages apart by it. */
export function messageId(id: unknown): string {
  const own = textOf(id);
  if (own === '') return `msg_${randomUUID().replaceAll('-', '')}`;
  return own.startsWith('msg_') ? own : `msg_${own.replace(/^chatcmpl-/, '')}`;
}

/** For servers that give their calls no ids: the result must be able to name its call. */
export function fallbackCallId(id: string, index: number): string {
  return `${id.replace(/^msg_/, 'toolu_')}_${index}`;
}

/** OpenAI's are text; some servers send the object itself. */
export function argumentsText(value: unknown): string {
  return isObject(value) ? JSON.stringify(value) : textOf(value);
}

/** Arguments that were cut off by the limit are no JSON; the stop reason tells the client not to use them. */
function toolUse(call: unknown, fallbackId: string, isCut: boolean): Json {
  if (!isObject(call) || !isObject(call.function)) throw new UnexpectedAnswer();
  const { name } = call.function;
  const text = argumentsText(call.function.arguments);
  const input = text.trim() === '' ? {} : parsedObject(text);
  if (typeof name !== 'string' || name === '' || (input === undefined && !isCut))
    throw new UnexpectedAnswer();
  const id = textOf(call.id) || fallbackId;
  return { type: 'tool_use', id, name, input: input ?? {} };
}

const stopReasons: ReadonlyMap<unknown, string> = new Map([
  ['stop', 'end_turn'],
  ['length', 'max_tokens'],
  ['tool_calls', 'tool_use'],
  ['function_call', 'tool_use'],
  ['content_filter', 'refusal'],
]);

/**
 * A forced call ends with OpenAI's `stop`: calls tell more than the reason does. vLLM says which stop sequence it met;
 * of others, that one ended the text cannot be known.
 */
export function stopFields(
  { finish_reason: finish, stop_reason: met }: Json,
  { hasCalls, refusal, request }: { hasCalls: boolean; refusal: string; request: Json },
): Json {
  const stops: unknown = request.stop_sequences;
  const details = refusal === '' ? null : { type: 'refusal', category: null, explanation: refusal };
  const isSequence =
    finish === 'stop' && typeof met === 'string' && Array.isArray(stops) && stops.includes(met);
  const reason = stopReasons.get(finish) ?? 'end_turn';
  if (details !== null) return { stop_reason: 'refusal', stop_sequence: null, stop_details: details };
  if (reason === 'end_turn' && hasCalls) return { stop_reason: 'tool_use', stop_sequence: null };
  if (isSequence) return { stop_reason: 'stop_sequence', stop_sequence: met };
  return { stop_reason: reason, stop_sequence: null };
}

const serviceTiers: ReadonlyMap<unknown, string> = new Map([
  ['default', 'standard'],
  ['priority', 'priority'],
]);

/**
 * Anthropic's input_tokens are what neither came from the cache nor went into it; thinking is in its output_tokens. Without a
 * usage all counts are 0.
 */
export function messageUsage(usage: unknown, serviceTier: unknown): Json {
  const countIn = (counts: unknown, name: string) => {
    const value = isObject(counts) ? counts[name] : undefined;
    return typeof value === 'number' && value > 0 ? value : 0;
  };
  const counts = isObject(usage) ? usage : {};
  const prompt = countIn(counts, 'prompt_tokens');
  const read = Math.min(prompt, countIn(counts.prompt_tokens_details, 'cached_tokens'));
  const written = Math.min(prompt - read, countIn(counts.prompt_tokens_details, 'cache_write_tokens'));
  const thought = countIn(counts.completion_tokens_details, 'reasoning_tokens');
  const tier = serviceTiers.get(serviceTier);
  return {
    input_tokens: prompt - read - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    output_tokens: countIn(counts, 'completion_tokens') + reasoningBeside(counts),
    ...(thought > 0 && { output_tokens_details: { thinking_tokens: thought } }),
    ...(tier !== undefined && { service_tier: tier }),
  };
}
