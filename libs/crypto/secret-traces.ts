import { type Secret } from './secret';
import {
  BASE64_LENGTH,
  base64CoresOf,
  FRAGMENT_LENGTH,
  HEX_LENGTH,
  SHORTEST_SECRET,
} from './secret-spellings';

/** A text in which nothing is escaped, separated by commas or broken into lines, and which is short enough for a search by blocks. */
const plainText = /^[^%\\+,\s]{0,255}$/;
/** From this length on, every spelling of a secret is as long as the parts that are searched for. */
const LENGTH_WITH_PARTS = 16;

/**
 * A fast search without decoding, for the headers of every response.
 * @returns false if `secretRanges` finds neither a secret nor a part of one; true if it has to be asked
 */
export function mightMention(text: string, secrets: readonly Secret[]): boolean {
  if (text.length < SHORTEST_SECRET) return false;
  return !plainText.test(text) || secrets.some((secret) => sharesPart(text, secret.expose()));
}

function sharesPart(text: string, secret: string): boolean {
  if (secret.length < LENGTH_WITH_PARTS) return true;
  if (sharesBlock(text, secret, FRAGMENT_LENGTH)) return true;
  if (text.length < BASE64_LENGTH) return false;
  const bytes = Buffer.from(secret);
  const base64 = /[-_]/.test(text) ? text.replaceAll('-', '+').replaceAll('_', '/') : text;
  return (
    sharesBlock(base64, base64CoresOf(bytes).join(' '), BASE64_LENGTH) ||
    sharesBlock(text.toLowerCase(), bytes.toString('hex'), HEX_LENGTH)
  );
}

/** A run of this length that both have in common contains a whole block of half the length. */
function sharesBlock(text: string, spelling: string, length: number): boolean {
  if (text.length < length) return false;
  const half = length / 2;
  for (let at = 0; at + half <= text.length; at += half) {
    if (spelling.includes(text.slice(at, at + half))) return true;
  }
  return false;
}

/**
 * Parts for a fast search. A text without any of them does not contain the secret as it is, in base64, or with only its special
 * characters escaped. Hexadecimal, lists of bytes and escaped letters or digits are not covered.
 */
export interface SecretTraces {
  /** The secret as it is, and at each position in base64. */
  readonly spellings: readonly string[];
  /** One for the spellings that keep letters and digits, and one for each position in base64. */
  readonly parts: readonly string[];
  /** How those spellings begin. */
  readonly beginnings: readonly string[];
  /** No spelling is longer. */
  readonly maximumLength: number;
}

/** @param secret of at least 12 printable ASCII characters */
export function tracesOf(secret: Secret): SecretTraces {
  const plain = secret.expose();
  const all = [plain, ...base64CoresOf(Buffer.from(plain))];
  return {
    spellings: all,
    parts: all.map(wordIn),
    beginnings: [...all.map((text) => text.slice(0, Math.max(1, wordEnd(text, 0)))), '%', '\\'],
    // Each character as `\\u002b`, and a JSON text inside a JSON text.
    maximumLength: plain.length * 7,
  };
}

const TRACE_LENGTH = 8;

/** The first run of eight letters and digits, which no usual encoding changes, or else the longest one. */
function wordIn(text: string): string {
  let longest = '';
  for (let at = 0; at < text.length && longest.length < TRACE_LENGTH; at += 1) {
    const end = wordEnd(text, at);
    if (end - at > longest.length) longest = text.slice(at, end);
    at = Math.max(at, end);
  }
  return longest === '' ? text.slice(0, TRACE_LENGTH) : longest;
}

/** Where the letters and digits that begin there end, at most eight of them. */
function wordEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && at < start + TRACE_LENGTH && isAlphanumeric(text.charCodeAt(at))) at += 1;
  return at;
}

function isAlphanumeric(code: number): boolean {
  const letter = code | 0x20;
  return (code >= 0x30 && code <= 0x39) || (letter >= 0x61 && letter <= 0x7a);
}
