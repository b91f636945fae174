import { textsOf } from '../chat-content';
import { jsonText, parseExactly } from '../json/json-numbers';
import { type Json } from '../translation';
import { isObject, isTooDeep, textOrEmpty } from '../values';
import { type Correction } from './correction';

const list = /"content"\s*:\s*\[/;

/**
 * Gives the messages of a chat completion, or of one chunk of its stream, the content of OpenAI's format: a string instead of a
 * list of parts. Thinking becomes `reasoning_content`, as clients know it from other providers.
 */
export const plainContent: Correction = {
  concerns: (bytes) => list.test(bytes.toString('latin1')),
  apply: (json) => {
    const completion = parsed(json);
    const choices: unknown[] = Array.isArray(completion?.choices) ? completion.choices : [];
    const messages = choices
      .filter(isObject)
      .flatMap(({ message, delta }) => [message, delta])
      .filter(isObject)
      .filter(({ content }) => Array.isArray(content));
    messages.forEach(flatten);
    return messages.length === 0 ? json : Buffer.from(jsonText(completion));
  },
};

function parsed(json: Buffer): Json | undefined {
  try {
    const value = parseExactly(json.toString('utf8'));
    return isObject(value) && !isTooDeep(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function flatten(message: Json): void {
  const { text, thinking, refusal } = textsOf(message.content);
  message.content = text === '' ? null : text;
  if (thinking !== '') message.reasoning_content = textOrEmpty(message.reasoning_content) + thinking;
  if (refusal !== '') message.refusal = textOrEmpty(message.refusal) + refusal;
}
