import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, isObject, requireList, requireObject, requireText } from '../values';

/**
 * Translates the content of a message, or the output of a tool, into parts.
 *
 * @param content a string or a list of parts
 * @throws UnsupportedParameter for a part without a counterpart
 */
export function encodeContent(path: string, content: unknown, dropped: Set<string>): Json[] {
  if (typeof content === 'string') return [textPart(content)];
  return requireList(path, content).map((part, index) => encodePart(`${path}[${index}]`, part, dropped));
}

/**
 * Translates content that may only be text.
 * @throws UnsupportedParameter for any other part
 */
export function encodeText(path: string, content: unknown, dropped: Set<string>): string {
  const parts = encodeContent(path, content, dropped);
  const other = parts.findIndex(({ type }) => type !== 'text');
  if (other === -1) return parts.map(({ text }) => text).join('');
  throw new UnsupportedParameter(`${path}[${other}]`, 'This message may contain only text.');
}

export function textPart(text: string): Json {
  return { type: 'text', text };
}

/** A refusal of an earlier turn becomes text, because providers have no other place for it. */
function encodePart(path: string, value: unknown, dropped: Set<string>): Json {
  const part = requireObject(path, value);
  const text = (name: string) => requireText(`${path}.${name}`, part[name]);
  switch (part.type) {
    case 'input_text':
    case 'output_text':
      return { ...textPart(text('text')), ...breakpointOf(part) };
    case 'refusal':
      return textPart(text('refusal'));
    case 'input_image':
      return { ...encodeImage(path, part, dropped), ...breakpointOf(part) };
    case 'input_file':
      return { ...encodeFile(path, part), ...breakpointOf(part) };
    case 'input_audio':
      return { type: 'input_audio', input_audio: requireObject(`${path}.input_audio`, part.input_audio) };
    default:
      throw new UnsupportedParameter(
        path,
        'A part must be of type input_text, output_text, refusal, input_image, input_file or input_audio.',
      );
  }
}

/** Both formats have this field, which marks the end of a prefix to be cached. */
function breakpointOf({ prompt_cache_breakpoint: breakpoint }: Json): Json {
  return isObject(breakpoint) ? { prompt_cache_breakpoint: breakpoint } : {};
}

/** Chat completions have no detail `original`, so `high` is the nearest. */
function encodeImage(path: string, part: Json, dropped: Set<string>): Json {
  if (isAbsent(part.image_url)) {
    throw new UnsupportedParameter(
      path,
      'An image must be sent as image_url, because this provider has no access to files uploaded to OpenAI.',
    );
  }
  const url = requireText(`${path}.image_url`, part.image_url);
  if (isAbsent(part.detail) || part.detail === 'auto') return { type: 'image_url', image_url: { url } };
  const detail = requireText(`${path}.detail`, part.detail);
  if (detail === 'original') dropped.add('input[].content[].detail');
  return { type: 'image_url', image_url: { url, detail: detail === 'original' ? 'high' : detail } };
}

function encodeFile(path: string, part: Json): Json {
  if (isAbsent(part.file_data)) {
    throw new UnsupportedParameter(
      path,
      'A file must be sent as file_data, because this provider has no access to files uploaded to OpenAI and fetches no URL.',
    );
  }
  const name = isAbsent(part.filename) ? {} : { filename: requireText(`${path}.filename`, part.filename) };
  return { type: 'file', file: { ...name, file_data: requireText(`${path}.file_data`, part.file_data) } };
}
