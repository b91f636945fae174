import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, isObject, listAt, objectAt, textAt } from '../values';

/** A block of a user's message, or of a tool's result, as parts. */
export function encodeBlock(path: string, value: unknown, dropped: Set<string>): Json[] {
  const block = objectAt(path, value);
  switch (block.type) {
    case 'text': {
      const text = textAt(`${path}.text`, block.text);
      return text === '' ? [] : [{ type: 'text', text }];
    }
    case 'image':
      return [encodeImage(`${path}.source`, block.source)];
    case 'document':
      if (isObject(block.citations) && block.citations.enabled === true) {
        dropped.add('messages[].content[].citations');
      }
      return encodeDocument(path, block, dropped);
    default:
      throw new UnsupportedParameter(path, 'This kind of block cannot be expressed for this provider here.');
  }
}

function encodeImage(path: string, value: unknown): Json {
  const source = objectAt(path, value);
  if (source.type === 'url') {
    return { type: 'image_url', image_url: { url: textAt(`${path}.url`, source.url) } };
  }
  if (source.type === 'base64') {
    const mediaType = textAt(`${path}.media_type`, source.media_type);
    return { type: 'image_url', image_url: { url: dataUrl(mediaType, textAt(`${path}.data`, source.data)) } };
  }
  throw new UnsupportedParameter(
    path,
    'An image must come as base64 or url; Anthropic has what a file means.',
  );
}

/** A PDF is a file; a document of text is the text, behind its title and context. */
function encodeDocument(path: string, block: Json, dropped: Set<string>): Json[] {
  const source = objectAt(`${path}.source`, block.source);
  const said = (name: string) => (isAbsent(block[name]) ? [] : [textAt(`${path}.${name}`, block[name])]);
  const textPart = (text: string): Json => ({ type: 'text', text });
  switch (source.type) {
    case 'base64': {
      const data = textAt(`${path}.source.data`, source.data);
      const [filename = 'document.pdf'] = said('title');
      const file = { filename, file_data: dataUrl('application/pdf', data) };
      return [...said('context').map(textPart), { type: 'file', file }];
    }
    case 'text': {
      const data = textAt(`${path}.source.data`, source.data);
      return [...said('title'), ...said('context'), data].filter((text) => text !== '').map(textPart);
    }
    case 'content': {
      const { content } = source;
      const parts =
        typeof content === 'string'
          ? [textPart(content)]
          : blocksOf(`${path}.source.content`, content, dropped, 'no documents');
      return [...[...said('title'), ...said('context')].map(textPart), ...parts];
    }
    default:
      throw new UnsupportedParameter(
        `${path}.source`,
        'A document must come as base64, text or content for this provider.',
      );
  }
}

/** @param nested a document holds no documents, so that there is an end to it */
export function blocksOf(
  path: string,
  content: unknown,
  dropped: Set<string>,
  nested?: 'no documents',
): Json[] {
  return listAt(path, content).flatMap((block, index) => {
    const blockPath = `${path}[${index}]`;
    if (nested && isObject(block) && block.type === 'document') {
      throw new UnsupportedParameter(blockPath, 'A document cannot hold a document.');
    }
    return encodeBlock(blockPath, block, dropped);
  });
}

/** One text alone is plain text: every server takes it. */
export function plainOr(parts: Json[]): unknown {
  const [only] = parts;
  return parts.length === 1 && only?.type === 'text' ? only.text : parts;
}

function dataUrl(mediaType: string, base64: string): string {
  return `data:${mediaType};base64,${base64}`;
}
