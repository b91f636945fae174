import { isUtf8 } from 'node:buffer';

/**
 * A request has more parameters than any format defines. A body could contain millions, and each takes a hundred times
 * its bytes in memory.
 */
export class TooManyParameters extends Error {
  override readonly name = 'TooManyParameters';
  constructor() {
    super(`The request must have at most ${maximumParameters} parameters.`);
  }
}

/** The nesting is deeper than that of any format. Parsers recurse, and a provider might not survive it. */
export class TooDeeplyNested extends Error {
  override readonly name = 'TooDeeplyNested';
  constructor() {
    super(`Objects and lists must be nested at most ${maximumDepth} deep.`);
  }
}

const maximumParameters = 1000;
const maximumDepth = 128;
const shortBody = 1024;
const noWords = new Int32Array(0);

const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const colon = 0x3a;
const openingBracket = 0x5b;
const backslash = 0x5c;
const closingBracket = 0x5d;
const openingBrace = 0x7b;
const closingBrace = 0x7d;

/** The positions of a member of an object, with the whitespace up to its separators, and of its name and its value. */
export interface Member {
  readonly name: string;
  readonly start: number;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly end: number;
}

/** What one pass over the bytes of a JSON object finds. */
export interface ScannedObject {
  /** The members of the object itself. */
  readonly members: readonly Member[];
  /** How many values it contains, at any depth: objects, lists, strings, numbers and literals. */
  readonly values: number;
}

/** What may come next. */
const enum Next {
  Value,
  ValueOrEnd,
  Name,
  NameOrEnd,
  SeparatorOrEnd,
}

/**
 * Scans a JSON object (RFC 8259) in UTF-8 without building it: in one pass, without recursion, in memory that depends only on the
 * number of its own members.
 * @throws TooManyParameters, TooDeeplyNested
 * @throws SyntaxError when the bytes are not such an object
 */
export function scanObject(body: Buffer): ScannedObject {
  const result = scanSteps(body, Infinity).next();
  return result.value as ScannedObject;
}

/**
 * The same in steps, for a body that is so large that other requests would notice: the scan can wait after each step.
 * @param stepBytes how many bytes a step reads, if no single text is longer
 */
export function* scanSteps(body: Buffer, stepBytes: number): Generator<void, ScannedObject> {
  if (!isUtf8(body)) throw malformed();
  const words = wordsOf(body);
  const members: Member[] = [];
  /** The closing byte of each open object or list. */
  const closing = new Uint8Array(maximumDepth + 1);
  let depth = 0;
  let values = 0;
  let next = Next.Value;
  let at = 0;
  let start = 0;
  let name = '';
  let keyStart = 0;
  let keyEnd = 0;
  let valueStart = 0;
  let valueEnd = 0;
  let stepEnd = stepBytes;
  for (;;) {
    if (at >= stepEnd) {
      yield;
      stepEnd = at + stepBytes;
    }
    let byte = body[at];
    while (byte === space || byte === lineFeed || byte === tab || byte === carriageReturn) byte = body[++at];
    if (byte === closing[depth] && depth > 0 && next !== Next.Value && next !== Next.Name) {
      if (depth === 1 && next === Next.SeparatorOrEnd) {
        addMember(members, { name, start, keyStart, keyEnd, valueStart, valueEnd, end: at });
      }
      depth -= 1;
      at += 1;
      next = Next.SeparatorOrEnd;
      if (depth === 0) break;
      if (depth === 1) valueEnd = at;
      continue;
    }
    if (next === Next.SeparatorOrEnd) {
      if (byte !== comma) throw malformed();
      const isInObject = closing[depth] === closingBrace;
      if (depth === 1) {
        addMember(members, { name, start, keyStart, keyEnd, valueStart, valueEnd, end: at });
        start = at + 1;
      }
      at += 1;
      next = isInObject ? Next.Name : Next.Value;
      continue;
    }
    if (next === Next.Name || next === Next.NameOrEnd) {
      if (byte !== quote) throw malformed();
      const end = endOfString(body, at, words);
      if (depth === 1) {
        keyStart = at;
        keyEnd = end;
        name = textOf(body, at, end);
      }
      at = skipWhitespace(body, end);
      if (body[at] !== colon) throw malformed();
      at += 1;
      next = Next.Value;
      continue;
    }
    values += 1;
    if (depth === 1) valueStart = at;
    if (byte === openingBrace || (byte === openingBracket && depth > 0)) {
      if (depth === maximumDepth) throw new TooDeeplyNested();
      depth += 1;
      closing[depth] = byte === openingBrace ? closingBrace : closingBracket;
      at += 1;
      if (depth === 1) start = at;
      next = byte === openingBrace ? Next.NameOrEnd : Next.ValueOrEnd;
      continue;
    }
    if (depth === 0) throw malformed();
    at = endOfScalar(body, at, words);
    if (depth === 1) valueEnd = at;
    next = Next.SeparatorOrEnd;
  }
  if (skipWhitespace(body, at) !== body.length) throw malformed();
  return { members, values };
}

/** The bytes of the object with `kept` in place of its members, and unchanged bytes around them. */
export function withMembers(body: Buffer, members: readonly Member[], kept: readonly Buffer[]): Buffer[] {
  const first = members[0]?.start ?? 0;
  const last = members.at(-1)?.end ?? 0;
  const separated = kept.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from(','), part]));
  return [body.subarray(0, first), ...separated, body.subarray(last)];
}

function addMember(members: Member[], member: Member): void {
  if (members.length === maximumParameters) throw new TooManyParameters();
  members.push(member);
}

/** The text of a JSON string without an error. */
export function textOf(body: Buffer, start: number, end: number): string {
  const written = body.toString('utf8', start, end);
  return written.includes('\\') ? (JSON.parse(written) as string) : written.slice(1, -1);
}

function skipWhitespace(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === space || body[at] === lineFeed || body[at] === carriageReturn || body[at] === tab)
    at += 1;
  return at;
}

/** @param start of the opening quote @returns the position after the closing quote */
function endOfString(body: Buffer, start: number, words: Int32Array): number {
  let at = start + 1;
  for (;;) {
    const byte = body[at];
    if (byte === quote) return at + 1;
    if (byte === undefined || byte < space) throw malformed();
    at += byte === backslash ? lengthOfEscape(body, at) : 1;
    const offset = body.byteOffset + at;
    if ((offset & 3) === 0) at += 4 * plainWords(words, offset >> 2);
  }
}

/** The memory of a long body as words of four bytes, which are read at once; for a short one it is not worth it. */
function wordsOf({ buffer, byteOffset, length }: Buffer): Int32Array {
  return length < shortBody ? noWords : new Int32Array(buffer, 0, (byteOffset + length) >> 2);
}

/**
 * How many words in a row have no quote, no backslash and no control character. A word that has none may not be counted as well: the
 * arithmetic finds a byte below another one by its borrow (Hacker's Delight, 6-1).
 */
function plainWords(words: Int32Array, first: number): number {
  let at = first;
  for (; at < words.length; at += 1) {
    const word = words[at]!;
    const quotes = word ^ 0x22222222;
    const backslashes = word ^ 0x5c5c5c5c;
    const found =
      ((word - 0x20202020) & ~word) |
      ((quotes - 0x01010101) & ~quotes) |
      ((backslashes - 0x01010101) & ~backslashes);
    if ((found & 0x80808080) !== 0) break;
  }
  return at - first;
}

/** The bytes that may follow a backslash: `"`, `\`, `/`, b, f, n, r, t. */
const escapes: ReadonlySet<number | undefined> = new Set([...Buffer.from('"\\/bfnrt')]);

function lengthOfEscape(body: Buffer, at: number): number {
  if (escapes.has(body[at + 1])) return 2;
  const isUnicode = body[at + 1] === 0x75;
  for (let digit = at + 2; digit < at + 6; digit += 1) {
    if (!isUnicode || !isHexDigit(body[digit])) throw malformed();
  }
  return 6;
}

/** The end of a string, a number or a literal. */
function endOfScalar(body: Buffer, start: number, words: Int32Array): number {
  const byte = body[start];
  if (byte === quote) return endOfString(body, start, words);
  if (byte === 0x74) return endOfLiteral(body, start, 'true');
  if (byte === 0x66) return endOfLiteral(body, start, 'false');
  if (byte === 0x6e) return endOfLiteral(body, start, 'null');
  return endOfNumber(body, start);
}

function endOfLiteral(body: Buffer, start: number, literal: string): number {
  const end = start + literal.length;
  if (body.toString('latin1', start, end) !== literal) throw malformed();
  return end;
}

function endOfNumber(body: Buffer, start: number): number {
  let at = body[start] === minus ? start + 1 : start;
  at = body[at] === zero ? at + 1 : endOfDigits(body, at);
  if (body[at] === dot) at = endOfDigits(body, at + 1);
  if (body[at] === 0x65 || body[at] === 0x45) {
    at += 1;
    if (body[at] === 0x2b || body[at] === minus) at += 1;
    at = endOfDigits(body, at);
  }
  return at;
}

/** At least one digit. */
function endOfDigits(body: Buffer, start: number): number {
  let at = start;
  while (isDigit(body[at])) at += 1;
  if (at === start) throw malformed();
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine;
}

function isHexDigit(byte: number | undefined): boolean {
  return isDigit(byte) || (byte !== undefined && (byte | space) >= 0x61 && (byte | space) <= 0x66);
}

function malformed(): SyntaxError {
  return new SyntaxError('The body is not a JSON object in UTF-8.');
}
