import { type Member } from './json-members';
import { textOf } from './json-scalars';

const space = 0x20;
const quote = 0x22;
const comma = 0x2c;
const openingBracket = 0x5b;
const backslash = 0x5c;
const closingBracket = 0x5d;
const openingBrace = 0x7b;
const closingBrace = 0x7d;

/** An object within a body. */
export interface ObjectAt {
  readonly members: readonly Member[];
  /** The position after its brace. */
  readonly end: number;
}

/** Names and roles of most messages. Comparing bytes is faster than making a text of them. */
const usualTexts = [
  'role',
  'content',
  'user',
  'assistant',
  'system',
  'tool',
  'tool_calls',
  'tool_call_id',
  'id',
].map((text) => ({ text, bytes: Buffer.from(`"${text}"`) }));

function textIn(body: Buffer, start: number, end: number): string {
  for (const { text, bytes } of usualTexts) if (isAt(body, start, end, bytes)) return text;
  return textOf(body, start, end);
}

function isAt(body: Buffer, start: number, end: number, bytes: Buffer): boolean {
  if (end - start !== bytes.length) return false;
  for (let at = 0; at < bytes.length; at += 1) if (body[start + at] !== bytes[at]) return false;
  return true;
}

/** So many bytes are compared one by one before a native search, which takes longer to start. */
const nearBytes = 24;

/** The end of a string whose opening quote is at `start`. */
function endOfString(body: Buffer, start: number): number {
  let at = start + 1;
  for (;;) {
    for (const near = at + nearBytes; at < near; at += body[at] === backslash ? 2 : 1) {
      if (body[at] === quote) return at + 1;
    }
    const next = body.indexOf(quote, at);
    let escapes = next;
    while (escapes > at && body[escapes - 1] === backslash) escapes -= 1;
    if ((next - escapes) % 2 === 0) return next + 1;
    at = next + 1;
  }
}

/** Looks into bytes that were already scanned and found to be JSON, so nothing is checked again. */
export class ValidJson {
  constructor(readonly body: Buffer) {}

  /** The objects among the items of the list at this position. */
  objectsIn(list: number): ObjectAt[] {
    const objects: ObjectAt[] = [];
    let at = this.#next(list + 1);
    while (this.body[at] !== closingBracket) {
      if (this.body[at] === openingBrace) {
        const object = this.objectAt(at);
        objects.push(object);
        at = object.end;
      } else at = this.#endOfValue(at);
      at = this.#afterComma(at);
    }
    return objects;
  }

  objectAt(brace: number): ObjectAt {
    const { body } = this;
    const members: Member[] = [];
    let start = brace + 1;
    let at = this.#next(start);
    while (body[at] !== closingBrace) {
      const keyStart = at;
      const keyEnd = endOfString(body, at);
      const valueStart = this.#next(this.#next(keyEnd) + 1);
      const valueEnd = this.#endOfValue(valueStart);
      const end = this.#next(valueEnd);
      const name = textIn(body, keyStart, keyEnd);
      members.push({ name, start, keyStart, keyEnd, valueStart, valueEnd, end });
      start = end + 1;
      at = this.#afterComma(end);
    }
    return { members, end: at + 1 };
  }

  /** The text at this position; undefined when it is not a string. */
  stringAt({ valueStart, valueEnd }: Member): string | undefined {
    return this.body[valueStart] === quote ? textIn(this.body, valueStart, valueEnd) : undefined;
  }

  isList({ valueStart }: Member): boolean {
    return this.body[valueStart] === openingBracket;
  }

  #endOfValue(start: number): number {
    const { body } = this;
    let depth = 0;
    let at = start;
    for (;;) {
      const byte = body[at]!;
      if (byte === quote) at = endOfString(body, at);
      else if (byte === openingBrace || byte === openingBracket) {
        depth += 1;
        at += 1;
        continue;
      } else if (byte === closingBrace || byte === closingBracket) {
        depth -= 1;
        at += 1;
      } else if (depth > 0) {
        at += 1;
        continue;
      } else return this.#endOfWord(at);
      if (depth === 0) return at;
    }
  }

  /** The end of a number or a literal. */
  #endOfWord(start: number): number {
    let at = start;
    for (;;) {
      const byte = this.body[at]!;
      if (byte === comma || byte === closingBrace || byte === closingBracket || byte <= space) return at;
      at += 1;
    }
  }

  #afterComma(end: number): number {
    const at = this.#next(end);
    return this.body[at] === comma ? this.#next(at + 1) : at;
  }

  /** The position of the next byte that is not blank. */
  #next(from: number): number {
    let at = from;
    while (this.body[at]! <= space) at += 1;
    return at;
  }
}
