/**
 * Texts that look like somebody's key, whoever issued it. Each is matched without a boundary after it, so that a key cut
 * short or masked in its middle goes as a whole. No pattern nests quantifiers: the time is linear in the text.
 */
const shapes: readonly RegExp[] = [
  // Ours at rest (before the bare token, so that the prefix goes with it), and bare Fernet tokens and keys
  /enc:fernet:v1:[^\s"']*/g,
  /gAAAA[\w-]{16,}={0,2}/g,
  /(?<![\w-])[\w-]{43}=/g,
  // Tenant keys and sysadmin keys of ours, and the providers' keys by their prefixes
  /(?<![A-Za-z])(?:tks?_|sk-|sk_|pk-|gsk_|xai-|hf_|AIza)[\w*.-]{8,}/g,
  // A JSON Web Token or a part of it
  /(?<![A-Za-z])eyJ[\w-]{8,}(?:\.[\w-]*)*/g,
  // What follows the name of an authentication scheme; prose ("Bearer authentication") has no digit
  /(?<=\bBearer\s{1,4})(?:(?=[^\s"',;]*\d)[^\s"',;]{6,}|[^\s"',;]{20,})/gi,
  /(?<=\bBasic\s{1,4})(?=[A-Za-z0-9+/]*[0-9+/=])[A-Za-z0-9+/]{8,}={0,2}/gi,
  // User and password of an address
  /(?<=:\/\/)[^\s/@"']+@/g,
  /[0-9a-f]{32,}/gi,
];

/** The text with `[removed]` in place of everything that looks like a key. A net below exact removal, not instead of it. */
export function removeKeyShapes(text: string): string {
  return shapes.reduce((cleaned, shape) => cleaned.replace(shape, '[removed]'), text);
}
