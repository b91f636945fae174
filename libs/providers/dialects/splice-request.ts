import { type RequestDifferences } from '../provider';

/** The body has not exactly one top-level `model`: which one a provider would read is its own choice, so none is sent. */
export class AmbiguousModel extends Error {
  override readonly name = 'AmbiguousModel';
  constructor() {
    super('The request must have exactly one "model".');
  }
}

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

/** What differs between the request that came and the one that is sent. */
export interface RequestEdits {
  readonly model: string;
  readonly differences?: RequestDifferences;
  /** True: a stream is asked for its usage when the client did not say whether it wants it. */
  readonly usageOption?: boolean;
}

const usageOption = Buffer.from('"stream_options":{"include_usage":true}');

/**
 * Replaces the value of the top-level `model`, renames and leaves out what the provider's file says, and leaves every
 * other byte as the client sent it: numbers beyond a double's range, key order and unknown fields arrive unchanged.
 *
 * @param body one JSON object in UTF-8 that JSON.parse has accepted
 * @returns the names of parameters that had a value and were left out, once each, and whether the usage is asked for
 *   that the client did not ask for
 * @throws AmbiguousModel when `model` is there twice, in whatever spelling, or not at all
 * @throws TooManyParameters
 * @throws SyntaxError when the body is not such an object
 */
export function spliceRequest(
  body: Buffer,
  edits: RequestEdits,
): { body: Buffer; dropped: string[]; asksForUsage: boolean } {
  const members = membersOf(body);
  if (members.filter(({ name }) => name === 'model').length !== 1) throw new AmbiguousModel();
  const isNull = ({ valueStart, valueEnd }: Member) =>
    body.toString('latin1', valueStart, valueEnd) === 'null';
  const names = new Set(members.map(({ name }) => name));
  const said = new Set(members.filter((member) => !isNull(member)).map(({ name }) => name));
  const renamed = new Map(Object.entries(edits.differences?.renamed ?? {}));
  const unsupported = new Set(edits.differences?.unsupported);
  // A null says nothing, so the other name is the one that counts; both would be the same name twice.
  const replacedNulls = new Set(
    [...renamed].flatMap(([name, newName]) => (said.has(name) && !said.has(newName) ? [newName] : [])),
  );
  const dropped = new Set<string>();
  const kept: Buffer[] = [];
  for (const member of members) {
    if (replacedNulls.has(member.name)) continue;
    const newName = renamed.get(member.name);
    const takenNames = isNull(member) ? names : said;
    // The client gave both names: the provider's own is the one it meant for this provider.
    if (unsupported.has(member.name) || (newName !== undefined && takenNames.has(newName))) {
      if (!isNull(member)) dropped.add(member.name);
    } else if (member.name === 'model') {
      kept.push(replaced(body, member, member.valueStart, member.valueEnd, edits.model));
    } else if (newName !== undefined) {
      kept.push(replaced(body, member, member.keyStart, member.keyEnd, newName));
    } else {
      kept.push(body.subarray(member.start, member.end));
    }
  }
  const asksForUsage = edits.usageOption === true && isStream(body, members) && !names.has('stream_options');
  if (asksForUsage) kept.push(usageOption);
  const first = members[0]?.start ?? 0;
  const last = members.at(-1)?.end ?? 0;
  const separated = kept.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from(','), part]));
  return {
    body: Buffer.concat([body.subarray(0, first), ...separated, body.subarray(last)]),
    dropped: [...dropped],
    asksForUsage,
  };
}

/** Said once: of two, which one a provider would read is its own choice. */
function isStream(body: Buffer, members: readonly Member[]): boolean {
  const [stream, ...others] = members.filter(({ name }) => name === 'stream');
  return (
    stream !== undefined &&
    others.length === 0 &&
    body.toString('latin1', stream.valueStart, stream.valueEnd) === 'true'
  );
}

/** One member of the object: the bytes between its separators, blanks included, and where its name and value are. */
interface Member {
  readonly name: string;
  readonly start: number;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly end: number;
}

function membersOf(body: Buffer): Member[] {
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

function replaced(body: Buffer, member: Member, start: number, end: number, text: string): Buffer {
  return Buffer.concat([
    body.subarray(member.start, start),
    Buffer.from(JSON.stringify(text)),
    body.subarray(end, member.end),
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
