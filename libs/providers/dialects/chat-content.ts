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

/** What the content of an assistant's message says. Absent texts are empty strings. */
interface ContentTexts {
  readonly text: string;
  readonly thinking: string;
  readonly refusal: string;
}

/**
 * Reads content that is a string or a list of parts. Mistral answers with lists (https://docs.mistral.ai/capabilities/reasoning
 * and /capabilities/citations), whose thinking is again a list, and whose references have no text. Databricks names the
 * thinking `reasoning` and lists its texts in `summary`
 * (https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference).
 */
export function textsOf(content: unknown): ContentTexts {
  if (!Array.isArray(content)) return { text: textIn(content), thinking: '', refusal: '' };
  let text = '';
  let thinking = '';
  let refusal = '';
  for (const part of content as unknown[]) {
    if (!isObject(part)) text += textIn(part);
    else if (part.type === 'thinking') thinking += textIn(part.thinking);
    else if (part.type === 'reasoning') thinking += textIn(part.summary) + textIn(part.text);
    else if (part.type === 'refusal') refusal += textIn(part.refusal);
    else text += textIn(part.text);
  }
  return { text, thinking, refusal };
}

/** The text of a string, of a part, or of a list of them. */
function textIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map((item) => (Array.isArray(item) ? '' : textIn(item))).join('');
  return isObject(value) && typeof value.text === 'string' ? value.text : '';
}
