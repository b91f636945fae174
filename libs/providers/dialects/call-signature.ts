import { type Json } from './translation';
import { isObject, parsedObject } from './values';

// Gemini has the signature of its thinking in a field of a call (`ThinkingField` in provider.ts). Clients of other formats
// return no unknown field of a call, so it becomes a text that they return as part of the thinking.

const beginning = 'extra_content.';

/** @returns the text for the client; undefined when the call has no signature */
export function signatureText({ extra_content: extra }: Json): string | undefined {
  return isObject(extra) ? beginning + Buffer.from(JSON.stringify(extra)).toString('base64url') : undefined;
}

export function isSignatureText(text: string): boolean {
  return text.startsWith(beginning);
}

/** The field of the call for such a text; none for any other. */
export function signatureField(text: string): { readonly extra_content?: Json } {
  const json = isSignatureText(text)
    ? Buffer.from(text.slice(beginning.length), 'base64url').toString('utf8')
    : '';
  const extra = parsedObject(json);
  return extra === undefined ? {} : { extra_content: extra };
}
