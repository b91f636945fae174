import { removeKeyShapes, type Secret } from '#crypto';

const MAXIMUM_LENGTH = 2000;
/** A shorter run of a key's characters may be a word; from this length on it is a part of the key. */
const FRAGMENT_LENGTH = 12;
const REMOVED = '[removed]';

/**
 * A provider's message in a form that may be shown: without the given secrets in any usual spelling, without anything
 * that looks like a key, on one line, at most 2000 characters. It is cut last, because a cut key is still a key.
 */
export function cleanMessage(message: string, secrets: readonly Secret[]): string {
  // First of all, so that an invisible character inside a key does not hide it.
  let text = message.replace(/[\t\n\r]+/g, ' ').replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '');
  for (const form of formsOf(secrets)) text = text.replace(form, REMOVED);
  for (const secret of secrets) text = removeFragments(text, secret.expose());
  text = removeKeyShapes(text).trim();
  return Array.from(text).slice(0, MAXIMUM_LENGTH).join('');
}

/** Whether one of the secrets is in the text, whole, in any usual spelling. */
export function mentions(text: string, secrets: readonly Secret[]): boolean {
  return formsOf(secrets).some((form) => text.search(form) !== -1);
}

/** Longest secret first: one may be the beginning of another. */
function formsOf(secrets: readonly Secret[]): RegExp[] {
  return secrets
    .map((secret) => secret.expose())
    .filter((value) => value.length > 0)
    .sort((a, b) => b.length - a.length)
    .flatMap((value) => [spelled(value), ...base64Forms(value), hexForm(value)]);
}

/** Plain, percent-encoded (once or more, wholly or in part) and JSON-escaped, in any mixture. */
function spelled(value: string): RegExp {
  const characters = Array.from(value, (character) => {
    const percent = Array.from(Buffer.from(character), (byte) => `%(?:25){0,3}${anyCase(hexOf(byte))}`).join(
      '',
    );
    const unit = character.charCodeAt(0).toString(16).padStart(4, '0');
    const space = character === ' ' ? '|\\+' : '';
    // Bounded, and a backslash has no escapes of its own before it: otherwise a hostile text could take forever.
    const escapes = character === '\\' ? '' : '\\\\{0,3}';
    return `(?:${percent}|\\\\{1,3}u${anyCase(unit)}|${escapes}${escaped(character)}${space})`;
  });
  return new RegExp(characters.join(''), 'gu');
}

/**
 * Base64 and base64url, with and without padding, also in the middle of a longer encoded text (`Basic` of user and key):
 * one form for each of the three positions that a byte can have in a group. The characters at the ends that neighbours
 * share are left out; they hold less than a byte.
 */
function base64Forms(value: string): RegExp[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
    const text = bytes.toString('base64url');
    const core = text.slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
    if (core.length < 6) return [];
    const either = core.replaceAll('-', '[-+]').replaceAll('_', '(?:_|/|\\\\/|%2[Ff])');
    const last = text.length > Math.floor((bytes.length * 8) / 6) ? '[\\w+/-]?' : '';
    return [new RegExp(`${either.replaceAll('[-+]', '(?:[-+]|%2[Bb])')}${last}(?:=|%3[Dd]){0,2}`, 'g')];
  });
}

function hexForm(value: string): RegExp {
  return new RegExp(Buffer.from(value).toString('hex'), 'gi');
}

/** A provider may cut the key it repeats; what is left of it is removed too. */
function removeFragments(text: string, value: string): string {
  if (value.length < FRAGMENT_LENGTH || text.length < FRAGMENT_LENGTH) return text;
  const fragments = new Set<string>();
  for (let i = 0; i + FRAGMENT_LENGTH <= value.length; i++)
    fragments.add(value.slice(i, i + FRAGMENT_LENGTH));
  let cleaned = '';
  let kept = 0;
  for (let i = 0; i + FRAGMENT_LENGTH <= text.length; i++) {
    if (!fragments.has(text.slice(i, i + FRAGMENT_LENGTH))) continue;
    let end = i + FRAGMENT_LENGTH;
    while (end < text.length && fragments.has(text.slice(end - FRAGMENT_LENGTH + 1, end + 1))) end++;
    cleaned += text.slice(kept, i) + REMOVED;
    kept = end;
    i = end - 1;
  }
  return cleaned + text.slice(kept);
}

function escaped(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function hexOf(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

function anyCase(hex: string): string {
  return hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}
