import { removeKeyShapes, replaceRanges, type Secret, secretRanges, type TextRange } from '#crypto';

const MAXIMUM_LENGTH = 2000;
/** More than is kept of a message. The search copies the text several times, so a long message must not be searched whole. */
const MAXIMUM_CLEANED = 8 * 1024;
/** How long one character of a key can become, as in `\\\\u002b`. A key that begins in the cleaned part is read to its end. */
const LONGEST_CHARACTER = 8;
const MAXIMUM_READ = 64 * 1024;
/** A shorter run of a key's characters may be a word; from this length on it counts as a part of the key. */
const FRAGMENT_LENGTH = 12;
const BLOCK_LENGTH = FRAGMENT_LENGTH / 2;
const REMOVED = '[removed]';

/**
 * A provider's message in a form that may be shown: without the given secrets in any usual spelling, without anything
 * that looks like a key, on one line, at most 2000 characters. It is cut last, because a cut key is still a key.
 */
export function cleanMessage(message: string, secrets: readonly Secret[]): string {
  const margin = LONGEST_CHARACTER * Math.max(0, ...secrets.map((secret) => secret.expose().length));
  const end = Math.min(MAXIMUM_CLEANED + margin, MAXIMUM_READ);
  // Invisible characters are removed first, because one inside a key would hide the key.
  let text = message
    .slice(0, end)
    .replace(/[\t\n\r]+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '');
  text = replaceRanges(text, secretRanges(text, secrets), REMOVED);
  text = replaceRanges(text, fragmentRanges(text, secrets), REMOVED);
  // If the message is longer, the last characters that were read may be the beginning of a key.
  if (message.length > end) text = text.slice(0, Math.max(0, text.length - margin));
  text = removeKeyShapes(text).trim();
  return Array.from(text).slice(0, MAXIMUM_LENGTH).join('');
}

/** Whether the text contains one of the secrets, in any usual spelling, or a part of one. */
export function mentions(text: string, secrets: readonly Secret[]): boolean {
  return secretRanges(text, secrets).length > 0 || fragmentRanges(text, secrets).length > 0;
}

/** Finds parts of secrets, because a provider may cut the key that it repeats. */
function fragmentRanges(text: string, secrets: readonly Secret[]): TextRange[] {
  const ranges: TextRange[] = [];
  if (text.length < FRAGMENT_LENGTH) return ranges;
  const parts = secrets.map((secret) => secret.expose()).filter((secret) => hasBlockOf(secret, text));
  if (parts.length === 0) return ranges;
  const known = new Set(parts.flatMap((part) => [...runsOf(part)]));
  let at = 0;
  for (const run of runsOf(text)) {
    if (known.has(run)) ranges.push([at, at + FRAGMENT_LENGTH]);
    at += 1;
  }
  return ranges;
}

/**
 * A run of `FRAGMENT_LENGTH` characters contains at least one whole block of half that length, so a text without any block contains
 * no run. Almost no text has one, and looking for a few blocks is much faster than looking at each run.
 */
function hasBlockOf(secret: string, text: string): boolean {
  for (let at = 0; at + BLOCK_LENGTH <= secret.length; at += BLOCK_LENGTH) {
    if (text.includes(secret.slice(at, at + BLOCK_LENGTH))) return true;
  }
  return false;
}

function* runsOf(text: string): Generator<string> {
  for (let at = 0; at + FRAGMENT_LENGTH <= text.length; at++) yield text.slice(at, at + FRAGMENT_LENGTH);
}
