import { removeKeyShapes, type Secret } from '#crypto';

const MAXIMUM_LENGTH = 2000;
/** A few times the maximum length. A message may be much longer, and every reading of it is a copy that is searched. */
const MAXIMUM_CLEANED = 8 * 1024;
/** The longest form of one character of a key, as in `\\\\u002b`. A key that starts before the limit is read to its end. */
const LONGEST_CHARACTER = 8;
const MAXIMUM_READ = 64 * 1024;
/** A shorter run of a key's characters may be a word; from this length on it is a part of the key. */
const FRAGMENT_LENGTH = 12;
const REMOVED = '[removed]';
/** How many layers of encoding are removed, and how many readings of a text are tried. */
const MAXIMUM_DEPTH = 4;
const MAXIMUM_READINGS = 48;

/**
 * Makes a provider's message safe to show: without the given secrets in any usual spelling, without anything that looks
 * like a key, on one line, at most 2000 characters. It is cut last, because a part of a key is still a secret.
 */
export function cleanMessage(message: string, secrets: readonly Secret[]): string {
  const margin = LONGEST_CHARACTER * Math.max(0, ...secrets.map((secret) => secret.expose().length));
  const end = Math.min(MAXIMUM_CLEANED + margin, MAXIMUM_READ);
  // This comes first, so that an invisible character inside a key does not hide it.
  let text = message
    .slice(0, end)
    .replace(/[\t\n\r]+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '');
  text = removeRanges(text, rangesOf(text, secrets));
  text = removeRanges(text, fragmentsIn(text, secrets));
  // If the text was longer, its last characters may be the start of a key whose end was not read.
  if (message.length > end) text = text.slice(0, Math.max(0, text.length - margin));
  text = removeKeyShapes(text).trim();
  return Array.from(text).slice(0, MAXIMUM_LENGTH).join('');
}

/** Whether the text contains one of the secrets, whole in any usual spelling or in part. */
export function mentions(text: string, secrets: readonly Secret[]): boolean {
  return rangesOf(text, secrets).length > 0 || fragmentsIn(text, secrets).length > 0;
}

/** The text as written, or with one more layer of encoding removed. */
interface Reading {
  readonly text: string;
  /** Where each character begins in the text as written, then where that text ends; undefined for the text as written. */
  readonly starts?: Uint32Array;
}

type Range = readonly [start: number, end: number];

/**
 * Decodes the text and searches it for the secret. The opposite, a pattern built from the secret, would have a limited size,
 * take long to build, and appear in the error message if it cannot be built.
 */
function rangesOf(text: string, secrets: readonly Secret[]): Range[] {
  const found: Range[] = [];
  for (const reading of readingsOf(text)) {
    const base64 = reading.text.replaceAll('-', '+').replaceAll('_', '/');
    const hex = reading.text.replace(/[A-F]+/g, (digits) => digits.toLowerCase());
    for (const secret of secrets) {
      const { plain, cores, hexadecimal } = spellingsOf(secret);
      collect(found, reading, reading.text, plain);
      collect(found, reading, hex, hexadecimal);
      for (const core of cores) collect(found, reading, base64, core, endOfBase64);
    }
  }
  return found;
}

function collect(
  found: Range[],
  { starts }: Reading,
  text: string,
  wanted: string,
  endOf: (text: string, end: number) => number = (_, end) => end,
): void {
  if (wanted === '') return;
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
    const end = endOf(text, at + wanted.length);
    found.push([starts?.[at] ?? at, starts?.[end] ?? end]);
  }
}

interface Spellings {
  readonly plain: string;
  /** Base64 at each of the three positions that a first byte can have in a group, without what neighbours share. */
  readonly cores: readonly string[];
  readonly hexadecimal: string;
  /** Each run of `FRAGMENT_LENGTH` characters. */
  readonly fragments: ReadonlySet<string>;
}

/** Kept as long as the Secret itself, so that the many headers of a call need them to be computed only once. */
const known = new WeakMap<Secret, Spellings>();

function spellingsOf(secret: Secret): Spellings {
  let spellings = known.get(secret);
  if (spellings === undefined) {
    const plain = secret.expose();
    const cores = [0, 1, 2].map((offset) => {
      const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(plain)]);
      const text = bytes.toString('base64').replaceAll('=', '');
      return text.slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
    });
    spellings = {
      plain,
      cores: cores.filter((core) => core.length >= 6),
      hexadecimal: Buffer.from(plain).toString('hex'),
      fragments: new Set(runsOf(plain)),
    };
    known.set(secret, spellings);
  }
  return spellings;
}

/** Includes one more character, which the last byte may share with the next one, and the padding. */
function endOfBase64(text: string, end: number): number {
  let last = /[A-Za-z0-9+/]/.test(text[end] ?? '') ? end + 1 : end;
  for (let padding = 0; padding < 2 && text[last] === '='; padding++) last++;
  return last;
}

/** Each removes one layer: percent-encoding, the escapes of JSON and C, and a form's plus for a blank. Keys are ASCII. */
const layers: readonly [RegExp, (match: string) => string][] = [
  [/%[2-7][0-9A-Fa-f]/g, (match) => String.fromCharCode(parseInt(match.slice(1), 16))],
  [
    /\\(?:u00[2-7][0-9A-Fa-f]|x[2-7][0-9A-Fa-f]|["'/\\])/g,
    (match) => (match.length === 2 ? match.slice(1) : String.fromCharCode(parseInt(match.slice(-2), 16))),
  ],
  [/\+/g, () => ' '],
];

function readingsOf(text: string): Reading[] {
  const readings: Reading[] = [{ text }];
  const seen = new Set([text]);
  let newest = readings.slice();
  for (let depth = 0; depth < MAXIMUM_DEPTH && newest.length > 0; depth++) {
    const next: Reading[] = [];
    for (const reading of newest) {
      for (const [pattern, decode] of layers) {
        const decoded = withoutLayer(reading, pattern, decode);
        if (decoded === undefined || seen.has(decoded.text)) continue;
        if (readings.length >= MAXIMUM_READINGS) return readings;
        seen.add(decoded.text);
        readings.push(decoded);
        next.push(decoded);
      }
    }
    newest = next;
  }
  return readings;
}

function withoutLayer(
  { text, starts }: Reading,
  pattern: RegExp,
  decode: (match: string) => string,
): Reading | undefined {
  const mapped = new Uint32Array(text.length + 1);
  let length = 0;
  let kept = 0;
  const keepTo = (end: number) => {
    for (let index = kept; index < end; index++) mapped[length++] = starts?.[index] ?? index;
  };
  const decoded = text.replace(pattern, (match, at: number) => {
    keepTo(at + 1);
    kept = at + match.length;
    return decode(match);
  });
  if (kept === 0) return undefined;
  keepTo(text.length + 1);
  return { text: decoded, starts: mapped.subarray(0, length) };
}

function removeRanges(text: string, ranges: readonly Range[]): string {
  let cleaned = '';
  let kept = 0;
  let open: Range | undefined;
  const close = () => {
    if (open === undefined) return;
    cleaned += text.slice(kept, open[0]) + REMOVED;
    kept = open[1];
  };
  for (const [start, end] of ranges.slice().sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (open !== undefined && start <= open[1]) {
      open = [open[0], Math.max(open[1], end)];
    } else {
      close();
      open = [start, end];
    }
  }
  close();
  return cleaned + text.slice(kept);
}

/** Finds parts of a secret, because a provider may shorten the key that it repeats. */
function fragmentsIn(text: string, secrets: readonly Secret[]): Range[] {
  const found: Range[] = [];
  const sets = secrets.map((secret) => spellingsOf(secret).fragments).filter(({ size }) => size > 0);
  let at = 0;
  for (const run of runsOf(text)) {
    if (sets.some((fragments) => fragments.has(run))) found.push([at, at + FRAGMENT_LENGTH]);
    at += 1;
  }
  return found;
}

function* runsOf(text: string): Generator<string> {
  for (let at = 0; at + FRAGMENT_LENGTH <= text.length; at++) yield text.slice(at, at + FRAGMENT_LENGTH);
}
