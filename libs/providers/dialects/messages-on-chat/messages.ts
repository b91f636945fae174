import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, listAt, objectAt, textAt } from '../values';
import { blocksOf, encodeBlock, plainOr } from './content';

/** @throws UnsupportedParameter */
export function encodeMessages(system: unknown, value: unknown, dropped: Set<string>): Json[] {
  const messages = listAt('messages', value).flatMap((item, index) => {
    const path = `messages[${index}]`;
    const message = objectAt(path, item);
    switch (message.role) {
      case 'user':
        return encodeUser(path, message.content, dropped);
      case 'assistant':
        return encodeAssistant(`${path}.content`, message.content);
      case 'system':
        return encodeSystem(`${path}.content`, message.content);
      default:
        throw new UnsupportedParameter(`${path}.role`, `${path}.role must be user, assistant or system.`);
    }
  });
  if (messages.length === 0) throw new UnsupportedParameter('messages', 'messages must hold a message.');
  return isAbsent(system) ? messages : [...encodeSystem('system', system), ...messages];
}

function encodeSystem(path: string, content: unknown): Json[] {
  const parts = textParts(path, content);
  return parts.length === 0 ? [] : [{ role: 'system', content: plainOr(parts) }];
}

function textParts(path: string, content: unknown): Json[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return listAt(path, content).flatMap((item, index) => {
    const block = objectAt(`${path}[${index}]`, item);
    if (block.type !== 'text')
      throw new UnsupportedParameter(`${path}[${index}]`, 'A system can only be text.');
    const text = textAt(`${path}[${index}].text`, block.text);
    return text === '' ? [] : [{ type: 'text', text }];
  });
}

/** Results of tools are messages of their own, which must stand right behind the calls; what else was said comes after. */
function encodeUser(path: string, content: unknown, dropped: Set<string>): Json[] {
  if (typeof content === 'string') return [{ role: 'user', content }];
  const results: Json[] = [];
  const parts: Json[] = [];
  listAt(`${path}.content`, content).forEach((item, index) => {
    const blockPath = `${path}.content[${index}]`;
    const block = objectAt(blockPath, item);
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
 * A chat's result of a tool is text alone. Images and files follow in the user's message, behind a line that says whose
 * they are. That a call failed is said in the text: there is no other place for it.
 */
function encodeResult(
  path: string,
  block: Json,
  dropped: Set<string>,
): { message: Json; attachments: Json[] } {
  const id = textAt(`${path}.tool_use_id`, block.tool_use_id);
  const { content } = block;
  const parts: Json[] =
    isAbsent(content) || typeof content === 'string'
      ? [{ type: 'text', text: content ?? '' }]
      : blocksOf(`${path}.content`, content, dropped);
  const texts = parts.filter(({ type }) => type === 'text');
  const others = parts.filter(({ type }) => type !== 'text');
  if (block.is_error === true) texts.unshift({ type: 'text', text: 'The tool failed:' });
  const said = texts.length === 0 ? '' : plainOr(texts);
  return {
    message: { role: 'tool', tool_call_id: id, content: said },
    attachments:
      others.length === 0 ? [] : [{ type: 'text', text: `From the result of tool call ${id}:` }, ...others],
  };
}

/** Thinking is left out: the format has no place for it in a request, and models need none of an earlier turn. */
function encodeAssistant(path: string, content: unknown): Json[] {
  if (typeof content === 'string') return content === '' ? [] : [{ role: 'assistant', content }];
  const texts: string[] = [];
  const calls: Json[] = [];
  listAt(path, content).forEach((item, index) => {
    const blockPath = `${path}[${index}]`;
    const block = objectAt(blockPath, item);
    switch (block.type) {
      case 'text':
        texts.push(textAt(`${blockPath}.text`, block.text));
        break;
      case 'tool_use':
        calls.push(encodeCall(blockPath, block));
        break;
      case 'thinking':
      case 'redacted_thinking':
        break;
      default:
        throw new UnsupportedParameter(
          blockPath,
          'This kind of block cannot be expressed for this provider here.',
        );
    }
  });
  const text = texts.join('');
  if (text === '' && calls.length === 0) return [];
  return [
    {
      role: 'assistant',
      content: text === '' ? null : text,
      ...(calls.length > 0 && { tool_calls: calls }),
    },
  ];
}

function encodeCall(path: string, block: Json): Json {
  return {
    id: textAt(`${path}.id`, block.id),
    type: 'function',
    function: {
      name: textAt(`${path}.name`, block.name),
      arguments: JSON.stringify(objectAt(`${path}.input`, block.input)),
    },
  };
}
