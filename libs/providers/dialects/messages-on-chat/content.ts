import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, isObject, requireList, requireObject, requireText } from '../values';

/** Translates a block of a user's message, or of a tool's result, into parts. */
export function encodeBlock(path: string, value: unknown, dropped: Set<string>): Json[] {
  const block = requireObject(path, value);
  switch (block.type) {
    case 'text': {
      const text = requireText(`${path}.text`, block.text);
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
      throw new UnsupportedParameter(path, 'This provider has no counterpart for this block here.');
  }
}

function encodeImage(path: string, value: unknown): Json {
  const source = requireObject(path, value);
  if (source.type === 'url') {
    return { type: 'image_url', image_url: { url: requireText(`${path}.url`, source.url) } };
  }
  if (source.type === 'base64') {
    const mediaType = requireText(`${path}.media_type`, source.media_type);
    return {
      type: 'image_url',
      image_url: { url: dataUrl(mediaType, requireText(`${path}.data`, source.data)) },
    };
  }
  throw new UnsupportedParameter(
    path,
    'An image must be sent as base64 or url, because this provider has no access to files uploaded to Anthropic.',
  );
}

/** A PDF becomes a file part. A text document becomes text parts with its title, context and text. */
function encodeDocument(path: string, block: Json, dropped: Set<string>): Json[] {
  const source = requireObject(`${path}.source`, block.source);
  const textField = (name: string) =>
    isAbsent(block[name]) ? [] : [requireText(`${path}.${name}`, block[name])];
  const textPart = (text: string): Json => ({ type: 'text', text });
  switch (source.type) {
    case 'base64': {
      const data = requireText(`${path}.source.data`, source.data);
      const [filename = 'document.pdf'] = textField('title');
      const file = { filename, file_data: dataUrl('application/pdf', data) };
      return [...textField('context').map(textPart), { type: 'file', file }];
    }
    case 'text': {
      const data = requireText(`${path}.source.data`, source.data);
      return [...textField('title'), ...textField('context'), data]
        .filter((text) => text !== '')
        .map(textPart);
    }
    case 'content': {
      const { content } = source;
      const parts =
        typeof content === 'string'
          ? [textPart(content)]
          : blocksOf(`${path}.source.content`, content, dropped, 'no documents');
      return [...[...textField('title'), ...textField('context')].map(textPart), ...parts];
    }
    default:
      throw new UnsupportedParameter(
        `${path}.source`,
        'For this provider, a document must be sent as base64, text or content.',
      );
  }
}

/** @param nested refuses documents in a document, which limits the recursion */
export function blocksOf(
  path: string,
  content: unknown,
  dropped: Set<string>,
  nested?: 'no documents',
): Json[] {
  return requireList(path, content).flatMap((block, index) => {
    const blockPath = `${path}[${index}]`;
    if (nested && isObject(block) && block.type === 'document') {
      throw new UnsupportedParameter(blockPath, 'A document must not contain a document.');
    }
    return encodeBlock(blockPath, block, dropped);
  });
}

/** A single text part becomes a string, because every server accepts that. */
export function plainOr(parts: Json[]): unknown {
  const [only] = parts;
  return parts.length === 1 && only?.type === 'text' ? only.text : parts;
}

function dataUrl(mediaType: string, base64: string): string {
  return `data:${mediaType};base64,${base64}`;
}
