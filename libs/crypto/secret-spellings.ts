import { type Secret } from './secret';
import { endOf, joinedLines, type Reading, readingsOf, startOf } from './text-readings';

/** A part of a text: from `start` up to, not including, `end`. */
export type TextRange = readonly [start: number, end: number];

/** A shorter text is a placeholder such as `EMPTY`, and no text could be kept free of it. */
export const SHORTEST_SECRET = 8;
/** A shorter run of a secret's characters may be a word; from this length on it counts as a part of the secret. */
export const FRAGMENT_LENGTH = 12;
/** The same number of bytes in base64 and in hexadecimal. */
export const BASE64_LENGTH = (FRAGMENT_LENGTH * 4) / 3;
export const HEX_LENGTH = FRAGMENT_LENGTH * 2;
/**
 * Where the secrets are in a text: as they are, as base64 (also inside longer base64, and in lines), as hexadecimal, as a list of
 * bytes, and each of these escaped for JSON, C or a URL, up to four times.
 *
 * The search decodes the text instead of matching a pattern made of the secret: such a pattern has a maximum size, takes
 * long to compile, and would be part of the error if it cannot be compiled.
 * @param options.fragments whether to look for parts of secrets too, because a text may be cut
 */
export function secretRanges(
  text: string,
  secrets: readonly Secret[],
  { fragments = false }: { fragments?: boolean } = {},
): TextRange[] {
  const ranges: TextRange[] = [];
  // No spelling is shorter than the secret itself, and decoding makes a text only shorter.
  const sought = secrets.filter((secret) => {
    const { length } = secret.expose();
    return length >= SHORTEST_SECRET && length <= text.length;
  });
  const isLongEnough = fragments && text.length >= FRAGMENT_LENGTH;
  const cut = isLongEnough ? secrets.filter((secret) => secret.expose().length >= FRAGMENT_LENGTH) : [];
  if (sought.length + cut.length === 0) return ranges;
  const parts = cut.map((secret) => partsOf(secret, text));
  for (const reading of readingsOf(text)) {
    const joined = joinedLines(reading);
    const base64 = joined.text.replaceAll('-', '+').replaceAll('_', '/');
    const lowerHex = joined.text.replace(/[A-F]+/g, (digits) => digits.toLowerCase());
    for (const secret of sought) {
      const { verbatim, base64Cores, hexadecimal, bytes } = spellingsOf(secret);
      for (const spelling of verbatim) collect(ranges, reading, reading.text, spelling);
      for (const core of base64Cores) collect(ranges, joined, base64, core, endOfBase64);
      collect(ranges, joined, lowerHex, hexadecimal);
      // Programs write a list with blanks or line breaks between its numbers.
      collect(ranges, joined, joined.text, bytes);
    }
    if (cut.length === 0) continue;
    collectParts(
      ranges,
      reading,
      reading.text,
      parts.map(({ verbatim }) => verbatim),
      FRAGMENT_LENGTH,
    );
    collectParts(
      ranges,
      joined,
      base64,
      parts.map(({ base64 }) => base64),
      BASE64_LENGTH,
      endOfBase64,
    );
    collectParts(
      ranges,
      joined,
      lowerHex,
      parts.map(({ hexadecimal }) => hexadecimal),
      HEX_LENGTH,
    );
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

interface Spellings {
  /** The secret itself and, for characters that decoding does not restore, its forms in JSON and in a URL. */
  readonly verbatim: readonly string[];
  /** At each position, as from `base64CoresOf`. */
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
      // Only a text that is long enough for a whole key needs it.
      get bytes() {
        return bytes.join(',');
      },
    };
    cache.set(secret, spellings);
  }
  return spellings;
}

/**
 * Standard base64 at each of the three positions that the first byte can have in a group, without the characters that depend on
 * the bytes around it.
 */
export function base64CoresOf(bytes: Buffer): string[] {
  const shifted = Buffer.alloc(2 + bytes.length);
  bytes.copy(shifted, 2);
  return [0, 1, 2].map((offset) => {
    const end = Math.floor(((offset + bytes.length) * 8) / 6);
    return shifted.toString('base64', 2 - offset).slice(Math.ceil((offset * 8) / 6), end);
  });
}

/** The runs of a fixed length in spellings, for the search for parts; and those of half that length, for a fast one. */
interface Runs {
  readonly whole: { has(run: string): boolean };
  readonly halves: { has(run: string): boolean };
}

/** Kept as the spellings are. */
const knownParts = new WeakMap<Secret, Readonly<Record<'verbatim' | 'base64' | 'hexadecimal', Runs>>>();

/** In a shorter text, such as a header, fewer runs are looked up than it would take to list those of a key. */
const SHORT_TEXT = 256;

function partsOf(secret: Secret, text: string) {
  const known = knownParts.get(secret);
  if (known !== undefined) return known;
  const spellings = spellingsOf(secret);
  const runs = text.length < SHORT_TEXT ? runsToFind : listedRuns;
  const parts = {
    verbatim: runs(spellings.verbatim.flatMap(confidentialParts), FRAGMENT_LENGTH),
    base64: runs(spellings.base64Cores, BASE64_LENGTH),
    hexadecimal: runs([spellings.hexadecimal], HEX_LENGTH),
  };
  if (runs === listedRuns) knownParts.set(secret, parts);
  return parts;
}

/** As `listedRuns`, without the lists. */
function runsToFind(spellings: readonly string[]): Runs {
  const has = (run: string) => spellings.some((each) => each.includes(run));
  return { whole: { has }, halves: { has } };
}

function listedRuns(spellings: readonly string[], length: number): Runs {
  const ofLength = (each: number) =>
    new Set(
      spellings.flatMap((text) =>
        Array.from({ length: Math.max(0, text.length - each + 1) }, (_, at) => text.slice(at, at + each)),
      ),
    );
  return { whole: ofLength(length), halves: ofLength(length / 2) };
}

/**
 * Of a URL, such as that of the database, only the user and password are secret, also as parameters: its host is in many texts.
 */
function confidentialParts(text: string): string[] {
  if (!/^[a-z]+:\/\//.test(text)) return [text];
  return [/:\/\/(.*)@/s, /[?&]user=([^&]*)/, /[?&]password=([^&]*)/].flatMap(
    (part) => part.exec(text)?.[1] ?? [],
  );
}

/**
 * Adds the runs that a text has in common with spellings. Such a run contains a whole block of half its length at one of every
 * `length / 2` positions of the text, so only these blocks are looked up, and runs only around a block that fits.
 */
function collectParts(
  ranges: TextRange[],
  reading: Reading,
  text: string,
  parts: readonly Runs[],
  length: number,
  lastOf = (_: Reading, __: string, end: number) => end,
): void {
  if (text.length < length) return;
  const half = length / 2;
  let checked = 0;
  let open: { from: number; to: number } | undefined;
  const close = () => {
    if (open === undefined) return;
    ranges.push([startOf(reading, open.from), endOf(reading, lastOf(reading, text, open.to))]);
  };
  for (let block = 0; block + half <= text.length; block += half) {
    const found = text.slice(block, block + half);
    if (!parts.some(({ halves }) => halves.has(found))) continue;
    for (let at = Math.max(checked, block - half); at <= block && at + length <= text.length; at += 1) {
      const run = text.slice(at, at + length);
      if (!parts.some(({ whole }) => whole.has(run))) continue;
      if (open === undefined || at > open.to) {
        close();
        open = { from: at, to: at + length };
      } else open.to = at + length;
    }
    checked = block + 1;
  }
  close();
}

function collect(
  ranges: TextRange[],
  reading: Reading,
  text: string,
  spelling: string,
  lastOf = (_: Reading, __: string, end: number) => end,
): void {
  if (spelling === '') return;
  for (let at = text.indexOf(spelling); at !== -1; at = text.indexOf(spelling, at + 1)) {
    const end = lastOf(reading, text, at + spelling.length);
    ranges.push([startOf(reading, at), endOf(reading, end)]);
  }
}

/** Adds the character that the last byte may share with the next one, and the padding, unless they are on the next line. */
function endOfBase64(reading: Reading, text: string, end: number): number {
  const isNext = (at: number) => at < text.length && startOf(reading, at) === endOf(reading, at);
  let last = isNext(end) && /[A-Za-z0-9+/]/.test(text[end]!) ? end + 1 : end;
  for (let padding = 0; padding < 2 && isNext(last) && text[last] === '='; padding++) last++;
  return last;
}
