import { type ThinkingField } from '../../provider';
import { isSignatureText, signatureField } from '../call-signature';
import { type Json } from '../translation';
import { isAbsent, requireList, requireObject, requireText, safeName } from '../values';

// An item of type `reasoning` holds one piece of reasoning: its text in `summary`, which is what clients show, and in
// `encrypted_content` what the provider needs again with the results of tools. Clients return both unchanged, and some
// return an item only if it has an `encrypted_content`, so every item has one.

/**
 * Beginnings of `encrypted_content`: a thinking block's signature follows, or the data of a redacted one. call-signature.ts has a
 * third.
 */
const signed = 'thinking.';
const redacted = 'redacted_thinking.';
/** The whole `encrypted_content` of reasoning that needs only its text. */
export const unsigned = 'text';

/** @param block a thinking block of a response */
export function contentOfBlock(block: Json): string {
  return block.type === 'redacted_thinking'
    ? `${redacted}${String(block.data)}`
    : `${signed}${String(block.signature)}`;
}

/** The reasoning of one turn of the assistant. */
export interface EarlierReasoning {
  readonly texts: string[];
  readonly blocks: Json[];
  /** Fields of the next call. */
  ofNextCall: Json | undefined;
}

/**
 * Adds an item of the input to the reasoning of its turn. Reasoning that another kind of provider signed or encrypted has no
 * meaning for this one.
 */
export function addReasoning(
  path: string,
  item: Json,
  field: ThinkingField | undefined,
  reasoning: EarlierReasoning,
  dropped: Set<string>,
): void {
  const text = textOf(path, item);
  const encrypted = isAbsent(item.encrypted_content)
    ? unsigned
    : requireText(`${path}.encrypted_content`, item.encrypted_content);
  if (encrypted === unsigned) {
    if (text !== '') reasoning.texts.push(text);
  } else if (field === 'thinking_blocks' && encrypted.startsWith(signed)) {
    reasoning.blocks.push({ type: 'thinking', thinking: text, signature: encrypted.slice(signed.length) });
  } else if (field === 'thinking_blocks' && encrypted.startsWith(redacted)) {
    reasoning.blocks.push({ type: 'redacted_thinking', data: encrypted.slice(redacted.length) });
  } else if (field === 'extra_content' && isSignatureText(encrypted)) {
    reasoning.ofNextCall = signatureField(encrypted);
  } else {
    dropped.add('input[].encrypted_content');
  }
}

/** The fields of an assistant's message with its reasoning. */
export function reasoningFields({ texts, blocks }: EarlierReasoning, field: ThinkingField | undefined): Json {
  if (field === 'thinking_blocks') return blocks.length === 0 ? {} : { thinking_blocks: blocks };
  if (field === undefined || field === 'extra_content' || texts.length === 0) return {};
  return { [field]: texts.join('\n\n') };
}

/** The whole text in `content`, or else its summary. */
function textOf(path: string, item: Json): string {
  const [content, summary] = ['content', 'summary'].map((name) => {
    if (isAbsent(item[name])) return '';
    const parts = requireList(`${path}.${name}`, item[name]).map((part, index) => {
      const partPath = `${path}.${name}[${index}]`;
      return requireText(`${partPath}.text`, requireObject(partPath, part).text);
    });
    return parts.join('\n\n');
  });
  return content || (summary ?? '');
}

/** @returns `reasoning_effort`, if the request names one. A summary needs no request: there is one if the provider shows it. */
export function encodeEffort(value: unknown, dropped: Set<string>): Json {
  const { effort, summary: _, generate_summary: __, ...others } = requireObject('reasoning', value);
  for (const name of Object.keys(others))
    if (!isAbsent(others[name])) dropped.add(`reasoning.${safeName(name)}`);
  return isAbsent(effort) ? {} : { reasoning_effort: requireText('reasoning.effort', effort) };
}
