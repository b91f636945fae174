import { isKey, isPublishedKey } from '#crypto';

const published = [
  /^(sk-)?1234/i,
  /change[-_ ]?me/i,
  /^your[-_ ]/i,
  /example/i,
  /^<.*>$/,
  /^(.)\1+$/,
  /^(super|platform)[-_]?(secret|api)?[-_]?key$/i,
];

export const keyRule =
  'must be at least 16 printable ASCII characters without spaces, and not a published example.';
export const encryptionKeyRule = 'must be 32 bytes as 44 characters of base64.';

/** What is wrong with a super key or a platform key, without the key itself. */
export function faultOfKey(key: string): string | undefined {
  if (key.length < 16) return 'must have at least 16 characters.';
  if (!/^[\x21-\x7e]+$/.test(key))
    return 'must be printable ASCII without spaces, because it is sent in a header.';
  if (published.some((pattern) => pattern.test(key))) return 'is a published example.';
  return undefined;
}

/** What is wrong with an encryption key, without the key itself. */
export function faultOfEncryptionKey(key: string): string | undefined {
  if (/^b?['"]/.test(key)) return "must not be in quotes, and not in Python's form b'...'.";
  if (!isKey(key)) return encryptionKeyRule;
  if (isPublishedKey(key)) return 'is published in documentation or a sample file, so it protects nothing.';
  return undefined;
}
