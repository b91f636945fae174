import { randomUUID } from 'node:crypto';
import { contentOf, finishReasonOf, readCompletion } from '../chat-content';
import { countIn, reasoningOutsideOutput } from '../openai-usage';
import { callFragment } from '../tool-calls';
import { type Json, type TranslationContext, UnexpectedResponse } from '../translation';
import { isObject, parsedArguments, textOrEmpty } from '../values';

/**
 * Translates a chat completion into a message. Reasoning is read from `reasoning_content` (DeepSeek, vLLM), `reasoning`
 * (vLLM, OpenRouter) and parts of the content (Mistral). Only `thinking_blocks` can give it a signature.
 *
 * @throws UnexpectedResponse
 */
export function decodeChatCompletion(value: unknown, { model, request }: TranslationContext): Json {
  const { completion, choice, message } = readCompletion(value);
  const content = contentOf(message);
  const id = messageId(completion.id);
  const toolCalls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  const isCutOff = finishReasonOf(choice.finish_reason) === 'length';
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [
      ...(content.thinking.length > 0 ? content.thinking : unsignedThinking(content.reasoning)),
      ...(content.text === '' ? [] : [{ type: 'text', text: content.text }]),
      ...toolCalls.flatMap((call: unknown, index) => toolUse(call, fallbackToolCallId(id, index), isCutOff)),
    ],
    ...stopFields(choice, { hasToolCalls: toolCalls.length > 0, refusal: content.refusal, request }),
    usage: messageUsage(completion.usage, completion.service_tier),
  };
}

function unsignedThinking(reasoning: string): Json[] {
  return reasoning === '' ? [] : [{ type: 'thinking', thinking: reasoning, signature: '' }];
}

/** An id that starts like Anthropic's. It is random if the server sends none, because clients identify messages by it. */
export function messageId(id: unknown): string {
  const serverId = textOrEmpty(id);
  if (serverId === '') return `msg_${randomUUID().replaceAll('-', '')}`;
  return serverId.startsWith('msg_') ? serverId : `msg_${serverId.replace(/^chatcmpl-/, '')}`;
}

/** The id of a tool call without one, because the result must name its call. */
export function fallbackToolCallId(id: string, index: number): string {
  return `${id.replace(/^msg_/, 'toolu_')}_${index}`;
}

/** A call's signature, which clients return like the thinking that Anthropic has encrypted. */
export function signatureBlock(signature: string | undefined): Json[] {
  return signature === undefined ? [] : [{ type: 'redacted_thinking', data: signature }];
}

/** Arguments that the limit cut off become `{}`, and the stop reason shows the client that they are incomplete. */
function toolUse(call: unknown, fallbackId: string, isCutOff: boolean): Json[] {
  if (!isObject(call)) throw new UnexpectedResponse();
  const { id, name, arguments: text, signature } = callFragment(call);
  const input = text.trim() === '' ? {} : parsedArguments(text);
  if (name === '' || (input === undefined && !isCutOff)) throw new UnexpectedResponse();
  return [...signatureBlock(signature), { type: 'tool_use', id: id || fallbackId, name, input: input ?? {} }];
}

const stopReasons: ReadonlyMap<unknown, string> = new Map([
  ['stop', 'end_turn'],
  ['length', 'max_tokens'],
  ['tool_calls', 'tool_use'],
  ['function_call', 'tool_use'],
  ['content_filter', 'refusal'],
]);

/**
 * Tool calls take precedence over the finish reason `stop`, which OpenAI sends after a forced tool. Only vLLM says which
 * stop sequence occurred; other providers do not even say whether one did.
 * @throws UnexpectedResponse when the response broke off
 */
export function stopFields(
  { finish_reason: given, stop_reason: stopSequence }: Json,
  { hasToolCalls, refusal, request }: { hasToolCalls: boolean; refusal: string; request: Json },
): Json {
  const finish = finishReasonOf(given);
  const stops: unknown = request.stop_sequences;
  const details = refusal === '' ? null : { type: 'refusal', category: null, explanation: refusal };
  const isSequence =
    finish === 'stop' &&
    typeof stopSequence === 'string' &&
    Array.isArray(stops) &&
    stops.includes(stopSequence);
  const reason = stopReasons.get(finish) ?? 'end_turn';
  if (details !== null) return { stop_reason: 'refusal', stop_sequence: null, stop_details: details };
  if (reason === 'end_turn' && hasToolCalls) return { stop_reason: 'tool_use', stop_sequence: null };
  if (isSequence) return { stop_reason: 'stop_sequence', stop_sequence: stopSequence };
  return { stop_reason: reason, stop_sequence: null };
}

const serviceTiers: ReadonlyMap<unknown, string> = new Map([
  ['default', 'standard'],
  ['priority', 'priority'],
]);

/**
 * Anthropic's `input_tokens` excludes tokens that were read from the cache or written to it. Its `output_tokens` includes
 * thinking. Without a usage, all counts are 0.
 */
export function messageUsage(usage: unknown, serviceTier: unknown): Json {
  const counts = isObject(usage) ? usage : {};
  const prompt = countIn(counts, 'prompt_tokens');
  const read = Math.min(prompt, countIn(counts.prompt_tokens_details, 'cached_tokens'));
  const written = Math.min(prompt - read, countIn(counts.prompt_tokens_details, 'cache_write_tokens'));
  const thinking = countIn(counts.completion_tokens_details, 'reasoning_tokens');
  const tier = serviceTiers.get(serviceTier);
  return {
    input_tokens: prompt - read - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    output_tokens: countIn(counts, 'completion_tokens') + reasoningOutsideOutput(counts),
    ...(thinking > 0 && { output_tokens_details: { thinking_tokens: thinking } }),
    ...(tier !== undefined && { service_tier: tier }),
  };
}
