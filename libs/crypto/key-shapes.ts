/**
 * What keys look like, of any issuer. No pattern requires a boundary after the key, so that a key that was cut short or
 * masked in the middle is removed too. No pattern nests quantifiers, so the time is linear in the length of the text.
 */
const shapes: readonly RegExp[] = [
  // Sealed keys (before bare tokens, so that the prefix is removed as well), and bare Fernet tokens and keys
  /enc:fernet:v1:[^\s"']*/g,
  /gAAAA[\w-]{16,}={0,2}/g,
  /(?<![\w-])[\w-]{43}=/g,
  // Tenant keys, sysadmin keys and tokens of sessions, and the keys of providers by their prefixes
  /(?<![A-Za-z])(?:tk[sc]?_|sk-|sk_|pk-|gsk_|xai-|hf_|AIza)[\w*.-]{8,}/g,
  // A JSON Web Token or a part of it
  /(?<![A-Za-z])eyJ[\w-]{8,}(?:\.[\w-]*)*/g,
  // The credentials after an authentication scheme; the next word of prose ("Bearer authentication") has no digit
  /(?<=\bBearer\s{1,4})(?:(?=[^\s"',;]*\d)[^\s"',;]{6,}|[^\s"',;]{20,})/gi,
  /(?<=\bBasic\s{1,4})(?=[A-Za-z0-9+/]*[0-9+/=])[A-Za-z0-9+/]{8,}={0,2}/gi,
  // User and password in a URL
  /(?<=:\/\/)[^\s/@"']+@/g,
];
/** Ids have this shape too. */
const digits = /[0-9a-f]{32,}/gi;

/** True when a part of the text looks like a key. Hexadecimal digits alone do not. */
export function looksLikeKey(text: string): boolean {
  return shapes.some((shape) => text.search(shape) !== -1);
}

/** The text with `[removed]` in place of everything that looks like a key. It supplements `secretRanges`, which is exact. */
export function removeKeyShapes(text: string): string {
  return [...shapes, digits].reduce((cleaned, shape) => cleaned.replace(shape, '[removed]'), text);
}
