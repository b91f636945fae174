/** More parameters than any format has: each costs a hundred times its bytes, and a body may hold millions. */
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

/** One member of the object: the bytes between its separators, blanks included, and where its name and value are. */
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
 * @param body one JSON object in UTF-8 that JSON.parse has accepted
 * @throws TooManyParameters
 * @throws SyntaxError when the body is not such an object
 */
export function membersOf(body: Buffer): Member[] {
  const members: Member[] = [];
  let start = expect(body, 0, 0x7b);
  if (body[skipBlanks(body, start)] === closingBrace) return members;
  for (;;) {
    const keyStart = skipBlanks(body, start);
    const keyEnd = endOfString(body, keyStart);
    const valueStart = skipBlanks(body, expect(body, keyEnd, 0x3a));
    const valueEnd = endOfValue(body, valueStart);
    const end = skipBlanks(body, valueEnd);
    const name = JSON.parse(body.toString('utf8', keyStart, keyEnd)) as string;
    if (members.length === maximumParameters) throw new TooManyParameters();
    members.push({ name, start, keyStart, keyEnd, valueStart, valueEnd, end });
    if (body[end] === closingBrace) return members;
    start = expect(body, end, comma);
  }
}

/** The object with these members in place of its own; what is around them stays. */
export function withMembers(body: Buffer, members: readonly Member[], kept: readonly Buffer[]): Buffer {
  const first = members[0]?.start ?? 0;
  const last = members.at(-1)?.end ?? 0;
  const separated = kept.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from(','), part]));
  return Buffer.concat([body.subarray(0, first), ...separated, body.subarray(last)]);
}

function skipBlanks(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at += 1;
  return at;
}

/** @returns the position after `byte`, which must come next */
function expect(body: Buffer, from: number, byte: number): number {
  const at = skipBlanks(body, from);
  if (body[at] !== byte) throw new SyntaxError('The body is not a JSON object.');
  return at + 1;
}

/** @returns the position after the closing quote; indexOf, since strings may be megabytes of base64 */
function endOfString(body: Buffer, start: number): number {
  if (body[start] !== quote) throw new SyntaxError('The body is not a JSON object.');
  for (let at = body.indexOf(quote, start + 1); at !== -1; at = body.indexOf(quote, at + 1)) {
    let escapes = 0;
    while (body[at - 1 - escapes] === backslash) escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
  throw new SyntaxError('The body is not a JSON object.');
}

/** Counts brackets of either kind together: JSON.parse has already seen that they match. */
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
    } else if (depth === 0 && (byte === comma || skipBlanks(body, at) > at)) return at;
    at += 1;
  }
  throw new SyntaxError('The body is not a JSON object.');
}
