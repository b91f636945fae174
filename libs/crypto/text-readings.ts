/** How many layers of encoding are decoded, and how many differently decoded texts are searched. */
const MAXIMUM_DEPTH = 4;
const MAXIMUM_READINGS = 48;

/** The text as written, or with some layers of encoding decoded. */
export interface Reading {
  readonly text: string;
  /** Where each character begins in the text as written; the last entry is the end. Undefined for the text itself. */
  readonly starts?: Uint32Array;
  /** Where each character ends there, if what follows it was left out. Undefined: where the next one begins. */
  readonly ends?: Uint32Array;
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

/** The text, and what its layers of encoding hide. */
export function readingsOf(text: string): Reading[] {
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

/**
 * Whitespace as it is, and as JSON, C and URLs write it. A run of backslashes is tried at its beginning only, or a long one would take
 * the square of its length.
 */
const whitespace = /(?:\s|(?<!\\)\\+(?:[rnt]|u000[9AaDd]|x0[9AaDd])|%(?:25)*0[9AaDd])+/g;

/** The text without whitespace, with which MIME breaks base64 and hexadecimal into lines. */
export function joinedLines(reading: Reading): Reading {
  if (reading.text.search(whitespace) === -1) return reading;
  const { length } = reading.text;
  const starts = new Uint32Array(length + 1);
  const ends = new Uint32Array(length + 1);
  let kept = 0;
  let next = 0;
  const keepTo = (end: number) => {
    for (; next < end; next++, kept++) {
      starts[kept] = startOf(reading, next);
      ends[kept] = endOf(reading, next + 1);
    }
  };
  const text = reading.text.replace(whitespace, (match, at: number) => {
    keepTo(at);
    next = at + match.length;
    return '';
  });
  keepTo(length);
  starts[kept] = startOf(reading, length);
  return { text, starts: starts.subarray(0, kept + 1), ends: ends.subarray(0, kept) };
}

/** Where a character of the reading begins in the text as written. */
export function startOf({ starts }: Reading, at: number): number {
  return starts?.[at] ?? at;
}

/** Where the part of the text as written ends that the reading has up to here. */
export function endOf({ starts, ends }: Reading, end: number): number {
  return ends?.[end - 1] ?? starts?.[end] ?? end;
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
