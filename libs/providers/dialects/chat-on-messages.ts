/**
 * Text chat, not streamed, between OpenAI's chat completions and https://docs.anthropic.com/en/api/messages.
 * What has no counterpart is refused by name: a parameter dropped in silence is an answer to another question.
 */

import { type Json, type Translation, UnexpectedAnswer, UnsupportedParameter } from './translation';

export const chatOnMessages: Translation = {
  encode: encodeChat,
  decode: (answer, { model }) => decodeChat(answer, model),
  stream: () => {
    throw new UnsupportedParameter('stream', 'This provider cannot stream here.');
  },
};

/** Anthropic demands a limit and OpenAI does not: this is what a request without one gets. */
const defaultMaxTokens = 4096;

/** Values that ask for what happens anyway. */
const harmless: Readonly<Record<string, (value: unknown) => boolean>> = {
  stream: (value) => value === false,
  n: (value) => value === 1,
  store: (value) => value === false,
  logprobs: (value) => value === false,
  frequency_penalty: (value) => value === 0,
  presence_penalty: (value) => value === 0,
  response_format: (value) => isObject(value) && value.type === 'text',
};

/** Parameters with a counterpart; `model` is replaced by the upstream model. */
const encoders: ReadonlyMap<string, (body: Json, value: unknown) => void> = new Map([
  ['model', () => {}],
  ['messages', encodeMessages],
  ['max_tokens', (body, value) => encodeMaxTokens(body, 'max_tokens', value)],
  ['max_completion_tokens', (body, value) => encodeMaxTokens(body, 'max_completion_tokens', value)],
  ['temperature', (body, value) => void (body.temperature = fraction('temperature', value))],
  ['top_p', (body, value) => void (body.top_p = fraction('top_p', value))],
  ['stop', (body, value) => void (body.stop_sequences = stopSequences(value))],
  ['user', (body, value) => void (body.metadata = { user_id: text('user', value) })],
]);

/** @throws UnsupportedParameter naming the first parameter that cannot be expressed */
export function encodeChat(request: Json, upstreamModel: string): { body: Json; dropped: string[] } {
  const body: Json = { model: upstreamModel };
  for (const [param, value] of Object.entries(request)) {
    if (value === null || value === undefined) continue;
    const encode = encoders.get(param);
    if (encode !== undefined) encode(body, value);
    else if (!(Object.hasOwn(harmless, param) && harmless[param]?.(value))) {
      throw new UnsupportedParameter(
        param.slice(0, 64),
        'This parameter or value is not supported by this provider.',
      );
    }
  }
  if (body.messages === undefined) encodeMessages(body, undefined);
  body.max_tokens ??= defaultMaxTokens;
  return { body, dropped: [] };
}

/**
 * @param model the name that the client asked for
 * @param createdSeconds Unix time; the message has none
 * @throws UnexpectedAnswer
 */
export function decodeChat(
  answer: unknown,
  model: string,
  createdSeconds = Math.floor(Date.now() / 1000),
): Record<string, unknown> {
  if (!isObject(answer) || !Array.isArray(answer.content)) throw new UnexpectedAnswer();
  const blocks = answer.content.filter(isObject);
  const texts = blocks.flatMap((block) => (block.type === 'text' ? [stringOr(block.text, '')] : []));
  const toolCalls = blocks
    .filter((block) => block.type === 'tool_use')
    .map((block) => ({
      id: block.id,
      type: 'function',
      function: { name: block.name, arguments: JSON.stringify(block.input ?? {}) },
    }));
  return {
    id: stringOr(answer.id, ''),
    object: 'chat.completion',
    created: createdSeconds,
    model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: texts.length > 0 ? texts.join('') : null,
          refusal: null,
          ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
        },
        logprobs: null,
        finish_reason: finishReasons.get(answer.stop_reason) ?? 'stop',
      },
    ],
    usage: decodeUsage(answer.usage),
  };
}

const finishReasons: ReadonlyMap<unknown, string> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['refusal', 'content_filter'],
  ['tool_use', 'tool_calls'],
]);

/** OpenAI counts cached tokens as part of the prompt; Anthropic's input_tokens leaves them out. */
function decodeUsage(usage: unknown): Json {
  const count = (name: string) => {
    const value = isObject(usage) ? usage[name] : undefined;
    return typeof value === 'number' ? value : 0;
  };
  const cached = count('cache_read_input_tokens');
  const prompt = count('input_tokens') + count('cache_creation_input_tokens') + cached;
  const completion = count('output_tokens');
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
  };
}

function encodeMessages(body: Json, value: unknown): void {
  if (!Array.isArray(value)) throw new UnsupportedParameter('messages', 'messages must be a list.');
  const system: string[] = [];
  const messages: Json[] = [];
  value.forEach((message: unknown, index) => {
    const path = `messages[${index}]`;
    if (!isObject(message)) throw new UnsupportedParameter(path, 'A message must be an object.');
    const { role, content, ...rest } = message;
    const other = Object.keys(rest).find((key) => rest[key] !== null && rest[key] !== undefined);
    if (other !== undefined) {
      throw new UnsupportedParameter(
        `${path}.${other.slice(0, 64)}`,
        'This provider has no such field of a message.',
      );
    }
    const parts = textParts(content, `${path}.content`);
    if (role === 'system' || role === 'developer')
      system.push(...(typeof parts === 'string' ? [parts] : parts));
    else if (role === 'user' || role === 'assistant') {
      messages.push({
        role,
        content: typeof parts === 'string' ? parts : parts.map((part) => ({ type: 'text', text: part })),
      });
    } else
      throw new UnsupportedParameter(
        `${path}.role`,
        'Only system, developer, user and assistant are supported.',
      );
  });
  if (messages.length === 0) {
    throw new UnsupportedParameter('messages', 'This provider needs at least one user message.');
  }
  if (system.length > 0) body.system = system.join('\n\n');
  body.messages = messages;
}

function textParts(content: unknown, path: string): string | string[] {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content))
    throw new UnsupportedParameter(path, 'Content must be text or a list of text parts.');
  return content.map((part: unknown, index) => {
    const known = isObject(part) && Object.keys(part).every((key) => key === 'type' || key === 'text');
    if (known && part.type === 'text' && typeof part.text === 'string') return part.text;
    throw new UnsupportedParameter(
      `${path}[${index}]`,
      'Only plain text parts are supported for this provider.',
    );
  });
}

function encodeMaxTokens(body: Json, param: string, value: unknown): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new UnsupportedParameter(param, `${param} must be a whole number from 1.`);
  }
  if (body.max_tokens !== undefined && body.max_tokens !== value) {
    throw new UnsupportedParameter(param, 'max_tokens and max_completion_tokens differ; send one of them.');
  }
  body.max_tokens = value;
}

function fraction(param: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new UnsupportedParameter(param, `${param} must be a number from 0 to 1 for this provider.`);
}

function stopSequences(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map((item: unknown) => text('stop', item));
}

function text(param: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new UnsupportedParameter(param, `${param} must be text.`);
}

function stringOr<T>(value: unknown, otherwise: T): string | T {
  return typeof value === 'string' ? value : otherwise;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
