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

const maximumParameters = 1000;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
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

/**
 * @param body a JSON object in UTF-8 that JSON.parse has accepted
 * @throws TooManyParameters
 * @throws SyntaxError when the body is not such an object
 */
export function membersOf(body: Buffer): Member[] {
  const members: Member[] = [];
  let start = expect(body, 0, 0x7b);
  if (body[skipWhitespace(body, start)] === closingBrace) return members;
  for (;;) {
    const keyStart = skipWhitespace(body, start);
    const keyEnd = endOfString(body, keyStart);
    const valueStart = skipWhitespace(body, expect(body, keyEnd, 0x3a));
    const valueEnd = endOfValue(body, valueStart);
    const end = skipWhitespace(body, valueEnd);
    const name = JSON.parse(body.toString('utf8', keyStart, keyEnd)) as string;
    if (members.length === maximumParameters) throw new TooManyParameters();
    members.push({ name, start, keyStart, keyEnd, valueStart, valueEnd, end });
    if (body[end] === closingBrace) return members;
    start = expect(body, end, comma);
  }
}

/** Replaces the members of the object by `kept`, and leaves the bytes around them unchanged. */
export function withMembers(body: Buffer, members: readonly Member[], kept: readonly Buffer[]): Buffer {
  const first = members[0]?.start ?? 0;
  const last = members.at(-1)?.end ?? 0;
  const separated = kept.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from(','), part]));
  return Buffer.concat([body.subarray(0, first), ...separated, body.subarray(last)]);
}

function skipWhitespace(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at += 1;
  return at;
}

/** @returns the position after `byte`, which must be the next byte after whitespace */
function expect(body: Buffer, from: number, byte: number): number {
  const at = skipWhitespace(body, from);
  if (body[at] !== byte) throw new SyntaxError('The body is not a JSON object.');
  return at + 1;
}

/** @returns the position after the closing quote, which indexOf finds quickly even in megabytes of base64 */
function endOfString(body: Buffer, start: number): number {
  if (body[start] !== quote) throw new SyntaxError('The body is not a JSON object.');
  for (let at = body.indexOf(quote, start + 1); at !== -1; at = body.indexOf(quote, at + 1)) {
    let escapes = 0;
    while (body[at - 1 - escapes] === backslash) escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
  throw new SyntaxError('The body is not a JSON object.');
}

/** Counts both kinds of brackets together, because JSON.parse has already checked that they match. */
function endOfValue(body: Buffer, start: number): number {
  let depth = 0;
  let at = start;
  while (at < body.length) {
    const byte = body[at];
    if (byte === quote) {
      at = endOfString(body, at);
      if (depth === 0) return at;
      continue;
    }
    if (byte === 0x7b || byte === 0x5b) depth += 1;
    else if (byte === closingBrace || byte === 0x5d) {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (byte === comma || skipWhitespace(body, at) > at)) return at;
    at += 1;
  }
  throw new SyntaxError('The body is not a JSON object.');
}
