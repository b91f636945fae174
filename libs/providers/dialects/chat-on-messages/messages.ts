import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, listAt, objectAt, parsedObject, spelled, textAt } from '../values';
import { encodeContent } from './content';

/** Fields of an answer's message that clients send back as they came. They say nothing to the model. */
const needlessFields = new Set(['annotations', 'reasoning_content', 'reasoning', 'provider_specific_fields']);
/** Fields that hold content, and have no counterpart. */
const refusedFields = new Set(['audio', 'function_call']);

/**
 * `system` and `messages` of Anthropic's request. System and developer messages are moved to the front, wherever they
 * stand, as https://platform.claude.com/docs/en/api/openai-sdk has it too. Results of tools and the user message behind
 * them become one user message: Anthropic wants all results of a turn in one.
 *
 * @throws UnsupportedParameter
 */
export function encodeMessages(
  value: unknown,
  dropped: Set<string>,
): { system?: string | Json[]; messages: Json[] } {
  const system: { text?: string; blocks: Json[] }[] = [];
  const messages: Json[] = [];
  let results: Json[] | undefined;
  listAt('messages', value).forEach((item, index) => {
    const path = `messages[${index}]`;
    const message = objectAt(path, item);
    reportFields(path, message, dropped);
    const content = () => encodeContent(`${path}.content`, message.content, dropped);
    switch (message.role) {
      case 'system':
      case 'developer':
        system.push({
          ...(typeof message.content === 'string' && { text: message.content }),
          blocks: textOnly(`${path}.content`, content()),
        });
        return;
      case 'tool':
        if (results === undefined) messages.push({ role: 'user', content: (results = []) });
        results.push(encodeResult(path, message, content()));
        return;
      case 'user': {
        const blocks = content();
        if (results !== undefined) results.push(...blocks);
        else messages.push({ role: 'user', content: plainOr(message.content, notEmpty(path, blocks)) });
        results = undefined;
        return;
      }
      case 'assistant': {
        const blocks = encodeAssistant(path, message, dropped);
        if (blocks.length > 0)
          messages.push({ role: 'assistant', content: plainOr(message.content, blocks) });
        results = undefined;
        return;
      }
      default:
        throw new UnsupportedParameter(
          `${path}.role`,
          'Only system, developer, user, assistant and tool can be expressed for this provider.',
        );
    }
  });
  if (messages.length === 0) {
    throw new UnsupportedParameter('messages', 'This provider needs at least one user message.');
  }
  return { ...encodeSystem(system), messages };
}

/** One plain text stays one; otherwise each message keeps its own block. */
function encodeSystem(system: { text?: string; blocks: Json[] }[]): { system?: string | Json[] } {
  const blocks = system.flatMap((message) => message.blocks);
  const [first] = system;
  if (blocks.length === 0) return {};
  return { system: system.length === 1 && first?.text !== undefined ? first.text : blocks };
}

/** Text that came as text and is all there is stays as short as it came. */
function plainOr(content: unknown, blocks: Json[]): string | Json[] {
  return typeof content === 'string' && blocks.length === 1 && blocks[0]?.text === content ? content : blocks;
}

function notEmpty(path: string, blocks: Json[]): Json[] {
  if (blocks.length > 0) return blocks;
  throw new UnsupportedParameter(`${path}.content`, 'A user message must not be empty for this provider.');
}

function textOnly(path: string, blocks: Json[]): Json[] {
  if (blocks.every(({ type }) => type === 'text')) return blocks;
  throw new UnsupportedParameter(path, 'A system message can only be text for this provider.');
}

function encodeResult(path: string, message: Json, blocks: Json[]): Json {
  return {
    type: 'tool_result',
    tool_use_id: anthropicToolId(textAt(`${path}.tool_call_id`, message.tool_call_id)),
    ...(blocks.length > 0 && { content: plainOr(message.content, blocks) }),
  };
}

/** Thinking comes first: Anthropic checks its signature, and that nothing stands before it. */
function encodeAssistant(path: string, message: Json, dropped: Set<string>): Json[] {
  const { content, refusal, tool_calls: calls, thinking_blocks: thinking } = message;
  const texts = isAbsent(content) ? [] : encodeContent(`${path}.content`, content, dropped);
  return [
    ...(isAbsent(thinking) ? [] : encodeThinking(`${path}.thinking_blocks`, thinking)),
    ...texts,
    ...(isAbsent(refusal)
      ? []
      : encodeContent(`${path}.refusal`, textAt(`${path}.refusal`, refusal), dropped)),
    ...(isAbsent(calls) ? [] : listAt(`${path}.tool_calls`, calls)).map((call, index) =>
      encodeCall(`${path}.tool_calls[${index}]`, call),
    ),
  ];
}

/** As an answer had them (answer.ts). Without a signature it is not Anthropic's thinking, which is refused there. */
function encodeThinking(path: string, value: unknown): Json[] {
  return listAt(path, value).flatMap((item, index): Json[] => {
    const block = objectAt(`${path}[${index}]`, item);
    const field = (name: string) => textAt(`${path}[${index}].${name}`, block[name]);
    if (block.type === 'redacted_thinking') return [{ type: 'redacted_thinking', data: field('data') }];
    if (block.type === 'thinking') {
      if (isAbsent(block.signature) || block.signature === '') return [];
      return [{ type: 'thinking', thinking: field('thinking'), signature: field('signature') }];
    }
    throw new UnsupportedParameter(
      `${path}[${index}].type`,
      'A thinking block must be of type thinking or redacted_thinking.',
    );
  });
}

function encodeCall(path: string, value: unknown): Json {
  const call = objectAt(path, value);
  if (call.type !== 'function' && !isAbsent(call.type)) {
    throw new UnsupportedParameter(
      `${path}.type`,
      'Only calls of functions can be expressed for this provider.',
    );
  }
  const { name, arguments: text } = objectAt(`${path}.function`, call.function);
  const written = isAbsent(text) ? '' : textAt(`${path}.function.arguments`, text);
  const input = written.trim() === '' ? {} : parsedObject(written);
  if (input === undefined) {
    throw new UnsupportedParameter(
      `${path}.function.arguments`,
      'The arguments of a call must be the text of a JSON object for this provider.',
    );
  }
  return {
    type: 'tool_use',
    id: anthropicToolId(textAt(`${path}.id`, call.id)),
    name: textAt(`${path}.function.name`, name),
    input,
  };
}

/**
 * Anthropic takes ^[a-zA-Z0-9_-]+$ as the id of a tool call, others also make `functions.weather:0`. Other characters
 * are spelled by their code, so that different ids stay different and a call and its result still agree.
 */
function anthropicToolId(id: string): string {
  return id.replaceAll(/[^\w-]/g, (character) => `_${character.charCodeAt(0).toString(16)}_`);
}

const knownFields: ReadonlyMap<unknown, ReadonlySet<string>> = new Map([
  ['assistant', new Set(['role', 'content', 'refusal', 'tool_calls', 'thinking_blocks'])],
  ['tool', new Set(['role', 'content', 'tool_call_id'])],
]);
const fieldsOfOthers: ReadonlySet<string> = new Set(['role', 'content']);

function reportFields(path: string, message: Json, dropped: Set<string>): void {
  const known = knownFields.get(message.role) ?? fieldsOfOthers;
  for (const [field, value] of Object.entries(message)) {
    if (isAbsent(value) || known.has(field) || needlessFields.has(field)) continue;
    if (refusedFields.has(field)) {
      throw new UnsupportedParameter(`${path}.${field}`, 'This provider has no such content.');
    }
    dropped.add(`messages[].${spelled(field)}`);
  }
}
