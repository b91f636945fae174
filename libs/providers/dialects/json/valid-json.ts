import { type Member } from './json-members';
import { endOfString, textOf, wordsOf } from './json-scalars';

const space = 0x20;
const quote = 0x22;
const comma = 0x2c;
const openingBracket = 0x5b;
const closingBracket = 0x5d;
const openingBrace = 0x7b;
const closingBrace = 0x7d;

/** An object within a body. */
export interface ObjectAt {
  readonly members: readonly Member[];
  /** The position after its brace. */
  readonly end: number;
}

/** Looks into bytes that were already scanned and found to be JSON, so nothing is checked again. */
export class ValidJson {
  readonly #words: Int32Array;

  constructor(readonly body: Buffer) {
    this.#words = wordsOf(body);
  }

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
      const keyEnd = endOfString(body, at, this.#words);
      const valueStart = this.#next(this.#next(keyEnd) + 1);
      const valueEnd = this.#endOfValue(valueStart);
      const end = this.#next(valueEnd);
      const name = textOf(body, keyStart, keyEnd);
      members.push({ name, start, keyStart, keyEnd, valueStart, valueEnd, end });
      start = end + 1;
      at = this.#afterComma(end);
    }
    return { members, end: at + 1 };
  }

  /** The text at this position; undefined when it is not a string. */
  stringAt({ valueStart, valueEnd }: Member): string | undefined {
    return this.body[valueStart] === quote ? textOf(this.body, valueStart, valueEnd) : undefined;
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
      if (byte === quote) at = endOfString(body, at, this.#words);
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
