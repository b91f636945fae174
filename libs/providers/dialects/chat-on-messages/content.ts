import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, isObject, requireList, requireObject, requireText } from '../values';

/** Media type -> the one that Anthropic accepts (https://platform.claude.com/docs/en/build-with-claude/vision). */
const imageTypes: ReadonlyMap<string, string> = new Map([
  ['image/jpeg', 'image/jpeg'],
  ['image/png', 'image/png'],
  ['image/gif', 'image/gif'],
  ['image/webp', 'image/webp'],
  // Names that were never registered, and that OpenAI's API accepts.
  ['image/jpg', 'image/jpeg'],
  ['image/pjpeg', 'image/jpeg'],
  ['image/x-png', 'image/png'],
]);

/**
 * Translates the content of a message into blocks. Text that is empty or blank is left out, because Anthropic refuses it.
 *
 * @param content a string or a list of parts
 * @throws UnsupportedParameter for a part without a counterpart
 */
export function encodeContent(path: string, content: unknown, dropped: Set<string>): Json[] {
  if (typeof content === 'string') return textBlock(content);
  if (!Array.isArray(content)) {
    throw new UnsupportedParameter(path, `${path} must be a string or a list of parts.`);
  }
  return requireList(path, content).flatMap((part, index) => encodePart(`${path}[${index}]`, part, dropped));
}

function textBlock(text: string, cacheControl?: Json): Json[] {
  return text.trim() === '' ? [] : [{ type: 'text', text, ...cacheControl }];
}

function encodePart(path: string, value: unknown, dropped: Set<string>): Json[] {
  const part = requireObject(path, value);
  const cacheControl = cacheControlOf(part);
  switch (part.type) {
    case 'text':
      return textBlock(requireText(`${path}.text`, part.text), cacheControl);
    case 'refusal':
      return textBlock(requireText(`${path}.refusal`, part.refusal), cacheControl);
    case 'image_url':
      return [{ ...encodeImage(`${path}.image_url`, part.image_url, dropped), ...cacheControl }];
    case 'file':
      return [{ ...encodeFile(`${path}.file`, part.file), ...cacheControl }];
    default:
      throw new UnsupportedParameter(
        path,
        'This provider accepts only text, refusal, image_url and file parts.',
      );
  }
}

/** Both `cache_control` and OpenAI's `prompt_cache_breakpoint` mark the end of a prefix to be cached. */
function cacheControlOf(part: Json): Json {
  if (isObject(part.cache_control)) return { cache_control: part.cache_control };
  return isObject(part.prompt_cache_breakpoint) ? { cache_control: { type: 'ephemeral' } } : {};
}

function encodeImage(path: string, value: unknown, dropped: Set<string>): Json {
  const image = requireObject(path, value);
  const url = requireText(`${path}.url`, image.url);
  if (!isAbsent(image.detail) && image.detail !== 'auto')
    dropped.add('messages[].content[].image_url.detail');
  if (/^https?:\/\//i.test(url)) return { type: 'image', source: { type: 'url', url } };
  const data = parseDataUrl(url);
  const mediaType = imageTypes.get(data?.mediaType ?? '');
  if (data === undefined || mediaType === undefined) {
    throw new UnsupportedParameter(
      `${path}.url`,
      'An image must be an http or https URL, or a base64 data URL of a JPEG, PNG, GIF or WebP image.',
    );
  }
  return { type: 'image', source: { type: 'base64', media_type: mediaType, data: data.base64 } };
}

function encodeFile(path: string, value: unknown): Json {
  const file = requireObject(path, value);
  if (isAbsent(file.file_data)) {
    throw new UnsupportedParameter(
      path,
      'A file must be sent as file_data, because this provider has no access to files uploaded to OpenAI.',
    );
  }
  const title = isAbsent(file.filename) ? undefined : requireText(`${path}.filename`, file.filename);
  const fileData = requireText(`${path}.file_data`, file.file_data);
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

/** OpenAI also accepts base64 without a data URL if the file name ends with .pdf. */
function undeclaredPdf(fileData: string, filename = ''): { mediaType: string; base64: string } | undefined {
  const isBare = !fileData.startsWith('data:') && filename.toLowerCase().endsWith('.pdf');
  return isBare ? { mediaType: 'application/pdf', base64: fileData } : undefined;
}

/** Parses a base64 data URL (RFC 2397) and ignores the parameters of its media type. */
function parseDataUrl(url: string): { mediaType: string; base64: string } | undefined {
  const comma = url.indexOf(',');
  // The pattern is applied only to the beginning, because the data may be megabytes.
  const head = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w.+-]+=[^;,]*)*;base64$/i.exec(
    url.slice(0, Math.min(comma, 256)),
  );
  if (comma === -1 || head?.[1] === undefined) return undefined;
  return { mediaType: head[1].toLowerCase(), base64: url.slice(comma + 1) };
}
