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

/** What is wrong with a key of ours, or undefined. The key itself is never in the sentence. */
export function faultOfKey(key: string): string | undefined {
  if (key.length < 16) return 'must have at least 16 characters (openssl rand -hex 32).';
  if (!/^[\x21-\x7e]+$/.test(key)) return 'must be printable ASCII without spaces: it travels in a header.';
  if (published.some((pattern) => pattern.test(key))) {
    return 'is a published example. Choose a random one (openssl rand -hex 32).';
  }
  return undefined;
}

/** What is wrong with an ENCRYPTION_KEY, or undefined. */
export function faultOfEncryptionKey(key: string): string | undefined {
  if (!isKey(key)) return 'must be 32 bytes as 44 characters of URL-safe base64.';
  if (isPublishedKey(key)) return 'is published in a documentation or sample file; everybody knows it.';
  return undefined;
}
