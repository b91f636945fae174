import { isUtf8 } from 'node:buffer';
import { endOfScalar, endOfString, malformed, textOf, wordsOf } from './json-scalars';
import { NameWatch } from './name-watch';

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

const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openingBracket = 0x5b;
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
  /** How many names its objects have, at any depth. A name that an object has twice counts twice. */
  readonly names: number;
  /** The bits of the watched names that occur, at any depth. */
  readonly watched: number;
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
export function scanObject(body: Buffer, watch?: NameWatch): ScannedObject {
  const result = scanSteps(body, Infinity, watch).next();
  return result.value as ScannedObject;
}

/**
 * The same in steps, for a body that is so large that other requests would notice: the scan can wait after each step.
 * @param stepBytes how many bytes a step reads, if no single text is longer
 */
export function* scanSteps(
  body: Buffer,
  stepBytes: number,
  watch?: NameWatch,
): Generator<void, ScannedObject> {
  if (!isUtf8(body)) throw malformed();
  const words = wordsOf(body);
  const mayHaveEscapes = watch !== undefined && NameWatch.mayHaveEscapes(body);
  const members: Member[] = [];
  /** The closing byte of each open object or list. */
  const closing = new Uint8Array(maximumDepth + 1);
  let depth = 0;
  let values = 0;
  let names = 0;
  let watched = 0;
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
      names += 1;
      if (watch !== undefined) watched |= watch.bitAt(body, at, end, mayHaveEscapes);
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
  return { members, values, names, watched };
}

/**
 * The bytes of the object with `kept` in place of its members, and unchanged bytes around them.
 * @param kept the parts of each member
 */
export function withMembers(
  body: Buffer,
  members: readonly Member[],
  kept: readonly (readonly Buffer[])[],
): Buffer[] {
  const first = members[0]?.start ?? 0;
  const last = members.at(-1)?.end ?? 0;
  const parts = [body.subarray(0, first)];
  for (const [index, member] of kept.entries()) {
    if (index > 0) parts.push(Buffer.from(','));
    for (const part of member) parts.push(part);
  }
  parts.push(body.subarray(last));
  return parts;
}

function addMember(members: Member[], member: Member): void {
  if (members.length === maximumParameters) throw new TooManyParameters();
  members.push(member);
}

/** The position of the first byte that is not whitespace. */
export function skipWhitespace(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === space || body[at] === lineFeed || body[at] === carriageReturn || body[at] === tab)
    at += 1;
  return at;
}
