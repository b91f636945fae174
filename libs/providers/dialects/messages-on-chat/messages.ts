import { type ThinkingField } from '../../provider';
import { signatureField } from '../call-signature';
import { jsonText } from '../json/json-numbers';
import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, requireList, requireObject, requireText } from '../values';
import { blocksOf, encodeBlock, plainOr } from './content';

/**
 * @param thinkingField where an assistant's message returns its thinking; undefined when the provider has no such field
 * @throws UnsupportedParameter
 */
export function encodeMessages(
  system: unknown,
  value: unknown,
  dropped: Set<string>,
  thinkingField: ThinkingField | undefined,
): Json[] {
  const messages = requireList('messages', value).flatMap((item, index) => {
    const path = `messages[${index}]`;
    const message = requireObject(path, item);
    switch (message.role) {
      case 'user':
        return encodeUser(path, message.content, dropped);
      case 'assistant':
        return encodeAssistant(`${path}.content`, message.content, thinkingField);
      case 'system':
        return encodeSystem(`${path}.content`, message.content);
      default:
        throw new UnsupportedParameter(`${path}.role`, `${path}.role must be user, assistant or system.`);
    }
  });
  if (messages.length === 0)
    throw new UnsupportedParameter('messages', 'messages must contain at least one message.');
  return isAbsent(system) ? messages : [...encodeSystem('system', system), ...messages];
}

function encodeSystem(path: string, content: unknown): Json[] {
  const parts = textParts(path, content);
  return parts.length === 0 ? [] : [{ role: 'system', content: plainOr(parts) }];
}

function textParts(path: string, content: unknown): Json[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return requireList(path, content).flatMap((item, index) => {
    const block = requireObject(`${path}[${index}]`, item);
    if (block.type !== 'text')
      throw new UnsupportedParameter(
        `${path}[${index}]`,
        'This provider accepts only text in a system message.',
      );
    const text = requireText(`${path}[${index}].text`, block.text);
    return text === '' ? [] : [{ type: 'text', text }];
  });
}

/** Results of tools become messages that must follow the calls directly, so the user's other content comes after them. */
function encodeUser(path: string, content: unknown, dropped: Set<string>): Json[] {
  if (typeof content === 'string') return [{ role: 'user', content }];
  const results: Json[] = [];
  const parts: Json[] = [];
  requireList(`${path}.content`, content).forEach((item, index) => {
    const blockPath = `${path}.content[${index}]`;
    const block = requireObject(blockPath, item);
    if (block.type !== 'tool_result') parts.push(...encodeBlock(blockPath, block, dropped));
    else {
      const { message, attachments } = encodeResult(blockPath, block, dropped);
      results.push(message);
      parts.push(...attachments);
    }
  });
  if (results.length === 0 && parts.length === 0) {
    throw new UnsupportedParameter(`${path}.content`, 'A user message must not be empty.');
  }
  return [...results, ...(parts.length > 0 ? [{ role: 'user', content: plainOr(parts) }] : [])];
}

/**
 * OpenAI's result of a tool is only text. Images and files follow in the user's message, after a text that names the call.
 * The text also says that a call failed, because there is no other place for it.
 */
function encodeResult(
  path: string,
  block: Json,
  dropped: Set<string>,
): { message: Json; attachments: Json[] } {
  const id = requireText(`${path}.tool_use_id`, block.tool_use_id);
  const { content } = block;
  const parts: Json[] =
    isAbsent(content) || typeof content === 'string'
      ? [{ type: 'text', text: content ?? '' }]
      : blocksOf(`${path}.content`, content, dropped);
  const texts = parts.filter(({ type }) => type === 'text').map(({ text }) => text);
  const others = parts.filter(({ type }) => type !== 'text');
  if (block.is_error === true) texts.unshift('The tool failed:');
  return {
    // Many servers accept no list here.
    message: { role: 'tool', tool_call_id: id, content: texts.filter((text) => text !== '').join('\n') },
    attachments:
      others.length === 0 ? [] : [{ type: 'text', text: `From the result of tool call ${id}:` }, ...others],
  };
}

/** OpenAI's format has no place for the thinking of an earlier turn, but some providers have one. */
function encodeAssistant(path: string, content: unknown, thinkingField: ThinkingField | undefined): Json[] {
  if (typeof content === 'string') return content === '' ? [] : [{ role: 'assistant', content }];
  const texts: string[] = [];
  const calls: Json[] = [];
  const thoughts: string[] = [];
  let fieldsOfNextCall: Json = {};
  requireList(path, content).forEach((item, index) => {
    const blockPath = `${path}[${index}]`;
    const block = requireObject(blockPath, item);
    switch (block.type) {
      case 'text':
        texts.push(requireText(`${blockPath}.text`, block.text));
        break;
      case 'tool_use':
        calls.push({ ...encodeCall(blockPath, block), ...fieldsOfNextCall });
        fieldsOfNextCall = {};
        break;
      case 'thinking':
        if (typeof block.thinking === 'string') thoughts.push(block.thinking);
        break;
      case 'redacted_thinking':
        if (thinkingField === 'extra_content' && typeof block.data === 'string') {
          fieldsOfNextCall = signatureField(block.data);
        }
        break;
      default:
        throw new UnsupportedParameter(blockPath, 'This provider has no counterpart for this block here.');
    }
  });
  const text = texts.join('');
  const thinking = thoughts.join('');
  if (text === '' && calls.length === 0) return [];
  const isText = thinkingField === 'reasoning_content' || thinkingField === 'reasoning';
  return [
    {
      role: 'assistant',
      content: text === '' ? null : text,
      ...(isText && thinking !== '' && { [thinkingField]: thinking }),
      ...(calls.length > 0 && { tool_calls: calls }),
    },
  ];
}

function encodeCall(path: string, block: Json): Json {
  return {
    id: requireText(`${path}.id`, block.id),
    type: 'function',
    function: {
      name: requireText(`${path}.name`, block.name),
      arguments: jsonText(requireObject(`${path}.input`, block.input)),
    },
  };
}
