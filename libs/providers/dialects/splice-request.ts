/** The body has not exactly one top-level `model`: which one a provider would read is its own choice, so none is sent. */
export class AmbiguousModel extends Error {
  override readonly name = 'AmbiguousModel';
  constructor() {
    super('The request must have exactly one "model".');
  }
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const closingBrace = 0x7d;

/**
 * Replaces the value of the top-level `model` and leaves every other byte as the client sent it: numbers beyond a
 * double's range, key order and unknown fields arrive unchanged.
 *
 * @param body one JSON object in UTF-8 that JSON.parse has accepted
 * @throws AmbiguousModel when `model` is there twice, in whatever spelling, or not at all
 * @throws SyntaxError when the body is not such an object
 */
export function spliceModel(body: Buffer, model: string): Buffer {
  let found: { start: number; end: number } | undefined;
  let at = expect(body, 0, 0x7b);
  if (body[skipBlanks(body, at)] === closingBrace) throw new AmbiguousModel();
  for (;;) {
    const keyStart = skipBlanks(body, at);
    const keyEnd = endOfString(body, keyStart);
    const start = skipBlanks(body, expect(body, keyEnd, 0x3a));
    const end = endOfValue(body, start);
    if (JSON.parse(body.toString('utf8', keyStart, keyEnd)) === 'model') {
      if (found !== undefined) throw new AmbiguousModel();
      found = { start, end };
    }
    at = skipBlanks(body, end);
    if (body[at] === closingBrace) break;
    at = expect(body, at, comma);
  }
  if (found === undefined) throw new AmbiguousModel();
  return Buffer.concat([
    body.subarray(0, found.start),
    Buffer.from(JSON.stringify(model)),
    body.subarray(found.end),
  ]);
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
