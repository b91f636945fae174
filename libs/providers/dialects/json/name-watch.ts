import { textOf } from './json-scalars';

const backslash = 0x5c;
/** Every escape of an ASCII character, which is all that watched names consist of. */
const escape = Buffer.from('\\u00');
/** It takes longer to search a longer body than other requests should wait. */
const longestSearched = 512 * 1024;
/** `\u0061` is the longest way to write a character of a watched name. */
const bytesOfEscape = 6;

/**
 * Recognises some names of members in JSON, in any spelling: `"file_id"` is also `"file\u005fid"`. Each name is a bit, so that a scan
 * collects what it has seen in one number.
 */
export class NameWatch {
  readonly #byLength: { readonly bit: number; readonly bytes: Buffer }[][] = [];
  readonly #bits: ReadonlyMap<string, number>;
  readonly #longest: number;

  /** @param names at most 31, in ASCII */
  constructor(names: readonly string[]) {
    this.#bits = new Map(names.map((name, index) => [name, 1 << index]));
    for (const [name, bit] of this.#bits) {
      (this.#byLength[name.length] ??= []).push({ bit, bytes: Buffer.from(name) });
    }
    this.#longest = this.#byLength.length - 1;
  }

  /** The bits of these names together. */
  bitsOf(names: readonly string[]): number {
    return names.reduce((bits, name) => bits | (this.#bits.get(name) ?? 0), 0);
  }

  /** Whether names in the body may be escaped. False for most bodies, whose names then need no second look. */
  static mayHaveEscapes(body: Buffer): boolean {
    return body.length > longestSearched || body.includes(escape);
  }

  /** The bit of the name whose quotes are at `start` and before `end`; 0 for a name that is not watched. */
  bitAt(body: Buffer, start: number, end: number, mayHaveEscapes: boolean): number {
    const length = end - start - 2;
    const candidates = this.#byLength[length];
    if (candidates !== undefined) {
      for (const { bit, bytes } of candidates) if (isAt(body, start + 1, bytes)) return bit;
    }
    if (!mayHaveEscapes || length > this.#longest * bytesOfEscape || !hasEscape(body, start, end)) return 0;
    return this.#bits.get(textOf(body, start, end)) ?? 0;
  }
}

function isAt(body: Buffer, start: number, bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += 1) if (body[start + at] !== bytes[at]) return false;
  return true;
}

function hasEscape(body: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (body[at] === backslash) return true;
  return false;
}
