import { type Secret } from './secret';

/** A part of a text: from `start` up to, not including, `end`. */
export type TextRange = readonly [start: number, end: number];

/** A shorter text is a placeholder such as `EMPTY`, and no text could be kept free of it. */
const SHORTEST_SECRET = 8;
/** How many layers of encoding are decoded, and how many differently decoded texts are searched. */
const MAXIMUM_DEPTH = 4;
const MAXIMUM_READINGS = 48;

/**
 * Where the secrets are in a text: as they are, as base64 (also inside longer base64), as hexadecimal, as a list of bytes,
 * and each of these escaped for JSON, C or a URL, up to four times.
 *
 * The search decodes the text instead of matching a pattern made of the secret: such a pattern has a maximum size, takes
 * long to compile, and would be part of the error if it cannot be compiled.
 */
export function secretRanges(text: string, secrets: readonly Secret[]): TextRange[] {
  const ranges: TextRange[] = [];
  // No spelling is shorter than the secret itself, and decoding makes a text only shorter.
  const sought = secrets.filter((secret) => {
    const { length } = secret.expose();
    return length >= SHORTEST_SECRET && length <= text.length;
  });
  if (sought.length === 0) return ranges;
  for (const reading of readingsOf(text)) {
    const base64 = reading.text.replaceAll('-', '+').replaceAll('_', '/');
    const lowerHex = reading.text.replace(/[A-F]+/g, (digits) => digits.toLowerCase());
    for (const secret of sought) {
      const { verbatim, base64Cores, hexadecimal, bytes } = spellingsOf(secret);
      for (const spelling of verbatim) collect(ranges, reading, reading.text, spelling);
      for (const core of base64Cores) collect(ranges, reading, base64, core, endOfBase64);
      collect(ranges, reading, lowerHex, hexadecimal);
      collect(ranges, reading, reading.text, bytes);
    }
  }
  return ranges;
}

/** The text with `replacement` in place of the ranges. Ranges that overlap or touch are replaced once. */
export function replaceRanges(text: string, ranges: readonly TextRange[], replacement: string): string {
  let replaced = '';
  let copiedTo = 0;
  let open: TextRange | undefined;
  const close = () => {
    if (open === undefined) return;
    replaced += text.slice(copiedTo, open[0]) + replacement;
    copiedTo = open[1];
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
  return replaced + text.slice(copiedTo);
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

interface Spellings {
  /** The secret itself and, for characters that decoding does not restore, its forms in JSON and in a URL. */
  readonly verbatim: readonly string[];
  /**
   * Standard base64 at each of the three positions that the first byte can have in a group, without the characters that
   * depend on the bytes around the secret.
   */
  readonly base64Cores: readonly string[];
  /** In lower case. */
  readonly hexadecimal: string;
  /** Decimal, with commas. */
  readonly bytes: string;
}

/** Kept for as long as the Secret itself, so that the spellings are computed once and not for each text. */
const cache = new WeakMap<Secret, Spellings>();

function spellingsOf(secret: Secret): Spellings {
  let spellings = cache.get(secret);
  if (spellings === undefined) {
    const plain = secret.expose();
    const bytes = Buffer.from(plain);
    spellings = {
      verbatim: /^[ -~]*$/.test(plain)
        ? [plain]
        : [plain, JSON.stringify(plain).slice(1, -1), encodeURIComponent(bytes.toString())],
      base64Cores: base64CoresOf(bytes),
      hexadecimal: bytes.toString('hex'),
      bytes: bytes.join(','),
    };
    cache.set(secret, spellings);
  }
  return spellings;
}

function base64CoresOf(bytes: Buffer): string[] {
  const shifted = Buffer.alloc(2 + bytes.length);
  bytes.copy(shifted, 2);
  return [0, 1, 2].map((offset) => {
    const end = Math.floor(((offset + bytes.length) * 8) / 6);
    return shifted.toString('base64', 2 - offset).slice(Math.ceil((offset * 8) / 6), end);
  });
}

function collect(
  ranges: TextRange[],
  { starts }: Reading,
  text: string,
  spelling: string,
  endOf: (text: string, end: number) => number = (_, end) => end,
): void {
  if (spelling === '') return;
  for (let at = text.indexOf(spelling); at !== -1; at = text.indexOf(spelling, at + 1)) {
    const end = endOf(text, at + spelling.length);
    ranges.push([starts?.[at] ?? at, starts?.[end] ?? end]);
  }
}

/** Adds the character that the last byte may share with the next one, and the padding. */
function endOfBase64(text: string, end: number): number {
  let last = /[A-Za-z0-9+/]/.test(text[end] ?? '') ? end + 1 : end;
  for (let padding = 0; padding < 2 && text[last] === '='; padding++) last++;
  return last;
}

/** The text as written, or with some layers of encoding decoded. */
interface Reading {
  readonly text: string;
  /** Where each character begins in the text as written; the last entry is the end. Undefined for the text itself. */
  readonly starts?: Uint32Array;
}

/** Each decodes one layer: percent-encoding, the escapes of JSON and C, and the plus that a form writes for a space. */
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
  if (text.search(pattern) === -1) return undefined;
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
  keepTo(text.length + 1);
  return { text: decoded, starts: mapped.subarray(0, length) };
}
