import { type Json } from '../translation';
import { isAbsent, requireList, requireObject, requireText, safeName } from '../values';

// An item of type `reasoning` holds one piece of reasoning: its text in `summary`, which is what clients show, and in
// `encrypted_content` what the provider needs again with the results of tools. Clients return both unchanged, and some
// return an item only if it has an `encrypted_content`, so every item has one.

/** How the provider's format has the reasoning of earlier turns. */
export type ReasoningField = 'reasoning_content' | 'thinking_blocks';

/** Beginnings of `encrypted_content`: a thinking block's signature follows, or the data of a redacted one. */
const signed = 'thinking.';
const redacted = 'redacted_thinking.';
/** The whole `encrypted_content` of reasoning that needs only its text. */
const unsigned = 'text';

/** @param block a thinking block of a response; undefined: reasoning without a signature */
export function encryptedContent(block: Json | undefined): string {
  if (block?.type === 'redacted_thinking') return `${redacted}${String(block.data)}`;
  return block === undefined ? unsigned : `${signed}${String(block.signature)}`;
}

/** The reasoning of one turn of the assistant. */
export interface EarlierReasoning {
  readonly texts: string[];
  readonly blocks: Json[];
}

/**
 * Adds an item of the input to the reasoning of its turn. Reasoning that another kind of provider signed or encrypted has no
 * meaning for this one.
 */
export function addReasoning(
  path: string,
  item: Json,
  field: ReasoningField,
  { texts, blocks }: EarlierReasoning,
  dropped: Set<string>,
): void {
  const text = textOf(path, item);
  const encrypted = isAbsent(item.encrypted_content)
    ? unsigned
    : requireText(`${path}.encrypted_content`, item.encrypted_content);
  if (encrypted === unsigned) {
    if (field === 'reasoning_content' && text !== '') texts.push(text);
  } else if (field === 'thinking_blocks' && encrypted.startsWith(signed)) {
    blocks.push({ type: 'thinking', thinking: text, signature: encrypted.slice(signed.length) });
  } else if (field === 'thinking_blocks' && encrypted.startsWith(redacted)) {
    blocks.push({ type: 'redacted_thinking', data: encrypted.slice(redacted.length) });
  } else {
    dropped.add('input[].encrypted_content');
  }
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
