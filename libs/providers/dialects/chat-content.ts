import { textsOf } from './corrections/content-parts';
import { type Json, UnexpectedResponse } from './translation';
import { isAbsent, isObject, isTooDeep, textOrEmpty } from './values';

/** @throws UnexpectedResponse when it is not a chat completion with a message */
export function readCompletion(value: unknown): { completion: Json; choice: Json; message: Json } {
  const completion = isObject(value) && !isTooDeep(value) ? value : {};
  const choice: unknown = Array.isArray(completion.choices) ? completion.choices[0] : undefined;
  const message = isObject(choice) ? choice.message : undefined;
  if (!isObject(choice) || !isObject(message)) throw new UnexpectedResponse();
  return { completion, choice, message };
}

/** The content of a message, or of a fragment of one, without its tool calls. Absent texts are empty strings. */
interface MessageContent {
  readonly reasoning: string;
  readonly thinking: Json[];
  readonly text: string;
  readonly refusal: string;
}

export function contentOf(message: Json): MessageContent {
  const { text, thinking: thoughts, refusal } = textsOf(message.content);
  const { reasoning_content: reasoningContent, thinking_blocks: thinking } = message;
  const reasoning = isAbsent(reasoningContent) ? message.reasoning : reasoningContent;
  return {
    reasoning: textOrEmpty(reasoning) + thoughts,
    thinking: Array.isArray(thinking) ? thinking.filter(isObject).flatMap(signedThinking) : [],
    text,
    refusal: textOrEmpty(message.refusal) + refusal,
  };
}

function signedThinking(block: Json): Json[] {
  if (block.type === 'redacted_thinking')
    return [{ type: 'redacted_thinking', data: textOrEmpty(block.data) }];
  const { thinking, signature } = block;
  return block.type === 'thinking'
    ? [{ type: 'thinking', thinking: textOrEmpty(thinking), signature: textOrEmpty(signature) }]
    : [];
}

/**
 * @param reason the `finish_reason` of a choice
 * @returns OpenAI's name for it, or what the server sent
 * @throws UnexpectedResponse when the response broke off, for which Mistral and OpenRouter have the reason `error`
 */
export function finishReasonOf(reason: unknown): unknown {
  if (reason === 'error') throw new UnexpectedResponse();
  // Mistral: the end of the model's context.
  if (reason === 'model_length') return 'length';
  // Gemini adds its own reason, as in `content_filter: RECITATION`.
  return typeof reason === 'string' && reason.startsWith('content_filter') ? 'content_filter' : reason;
}
