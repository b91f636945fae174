import { mightMention, removeKeyShapes, replaceRanges, type Secret, secretRanges } from '#crypto';

const MAXIMUM_LENGTH = 2000;
/** More than is kept of a message. The search copies the text several times, so a long message must not be searched whole. */
const MAXIMUM_CLEANED = 8 * 1024;
/** How long one character of a key can become, as in `\\\\u002b`. A key that begins in the cleaned part is read to its end. */
const LONGEST_CHARACTER = 8;
const MAXIMUM_READ = 64 * 1024;
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
  // A provider may cut the key that it repeats.
  text = replaceRanges(text, secretRanges(text, secrets, { fragments: true }), REMOVED);
  // If the message is longer, the last characters that were read may be the beginning of a key.
  if (message.length > end) text = text.slice(0, Math.max(0, text.length - margin));
  text = removeKeyShapes(text).trim();
  return Array.from(text).slice(0, MAXIMUM_LENGTH).join('');
}

/** Whether the text contains one of the secrets, in any usual spelling, or a part of one. */
export function mentions(text: string, secrets: readonly Secret[]): boolean {
  return mightMention(text, secrets) && secretRanges(text, secrets, { fragments: true }).length > 0;
}
