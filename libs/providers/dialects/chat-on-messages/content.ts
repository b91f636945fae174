import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, isObject, listAt, objectAt, textAt } from '../values';

/** https://platform.claude.com/docs/en/build-with-claude/vision */
const imageTypes = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

/**
 * The content of a message of any role, as blocks. Anthropic refuses an empty text, which says nothing: it is left out.
 *
 * @param content text or a list of parts
 * @throws UnsupportedParameter for a part that has no counterpart
 */
export function encodeContent(path: string, content: unknown, dropped: Set<string>): Json[] {
  if (typeof content === 'string') return textBlock(content);
  if (!Array.isArray(content)) {
    throw new UnsupportedParameter(path, `${path} must be text or a list of parts.`);
  }
  return listAt(path, content).flatMap((part, index) => encodePart(`${path}[${index}]`, part, dropped));
}

function textBlock(text: string, cacheControl?: Json): Json[] {
  return text === '' ? [] : [{ type: 'text', text, ...cacheControl }];
}

function encodePart(path: string, value: unknown, dropped: Set<string>): Json[] {
  const part = objectAt(path, value);
  const cacheControl = cacheControlOf(part);
  switch (part.type) {
    case 'text':
      return textBlock(textAt(`${path}.text`, part.text), cacheControl);
    case 'refusal':
      return textBlock(textAt(`${path}.refusal`, part.refusal), cacheControl);
    case 'image_url':
      return [{ ...encodeImage(`${path}.image_url`, part.image_url, dropped), ...cacheControl }];
    case 'file':
      return [{ ...encodeFile(`${path}.file`, part.file), ...cacheControl }];
    default:
      throw new UnsupportedParameter(
        path,
        'Only text, refusal, image_url and file parts can be expressed for this provider.',
      );
  }
}

/** Anthropic's own mark, or OpenAI's for the same: the end of a prefix worth keeping. */
function cacheControlOf(part: Json): Json {
  if (isObject(part.cache_control)) return { cache_control: part.cache_control };
  return isObject(part.prompt_cache_breakpoint) ? { cache_control: { type: 'ephemeral' } } : {};
}

function encodeImage(path: string, value: unknown, dropped: Set<string>): Json {
  const image = objectAt(path, value);
  const url = textAt(`${path}.url`, image.url);
  if (!isAbsent(image.detail) && image.detail !== 'auto')
    dropped.add('messages[].content[].image_url.detail');
  if (/^https?:\/\//i.test(url)) return { type: 'image', source: { type: 'url', url } };
  const data = parseDataUrl(url);
  if (data === undefined || !imageTypes.has(data.mediaType)) {
    throw new UnsupportedParameter(
      `${path}.url`,
      'An image must be an http(s) address or a base64 data URL of a JPEG, PNG, GIF or WebP image.',
    );
  }
  return { type: 'image', source: { type: 'base64', media_type: data.mediaType, data: data.base64 } };
}

function encodeFile(path: string, value: unknown): Json {
  const file = objectAt(path, value);
  if (isAbsent(file.file_data)) {
    throw new UnsupportedParameter(
      path,
      'A file must come with its file_data; OpenAI has what file_id means.',
    );
  }
  const title = isAbsent(file.filename) ? undefined : textAt(`${path}.filename`, file.filename);
  const fileData = textAt(`${path}.file_data`, file.file_data);
  const data = parseDataUrl(fileData) ?? undeclaredPdf(fileData, title);
  const document = { type: 'document', ...(title !== undefined && { title }) };
  if (data?.mediaType === 'application/pdf') {
    return { ...document, source: { type: 'base64', media_type: 'application/pdf', data: data.base64 } };
  }
  if (data?.mediaType === 'text/plain') {
    const text = Buffer.from(data.base64, 'base64').toString('utf8');
    return { ...document, source: { type: 'text', media_type: 'text/plain', data: text } };
  }
  throw new UnsupportedParameter(
    `${path}.file_data`,
    'A file must be a base64 data URL of application/pdf or text/plain.',
  );
}

/** OpenAI also takes bare base64, with the kind of file in its name. */
function undeclaredPdf(fileData: string, filename = ''): { mediaType: string; base64: string } | undefined {
  const isBare = !fileData.startsWith('data:') && filename.toLowerCase().endsWith('.pdf');
  return isBare ? { mediaType: 'application/pdf', base64: fileData } : undefined;
}

/** The parts of a base64 data URL (RFC 2397); undefined for any other text. Parameters of the media type are left out. */
function parseDataUrl(url: string): { mediaType: string; base64: string } | undefined {
  const comma = url.indexOf(',');
  // The text before the comma is all that a pattern sees: the rest may be megabytes.
  const head = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w.+-]+=[^;,]*)*;base64$/i.exec(
    url.slice(0, Math.min(comma, 256)),
  );
  if (comma === -1 || head?.[1] === undefined) return undefined;
  return { mediaType: head[1].toLowerCase(), base64: url.slice(comma + 1) };
}
