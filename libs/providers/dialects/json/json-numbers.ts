import { type Json } from '../translation';

/**
 * The members whose content belongs to the application and not to the format: what a tool receives, and the schemas that
 * describe it. An identifier such as 9007199254740993 must arrive there as it was written. Everywhere else a number is
 * only a number.
 */
const applicationMembers: ReadonlySet<string> = new Set([
  'input',
  'arguments',
  'parameters',
  'input_schema',
  'schema',
  'seed',
]);

/**
 * Matches every text with a number that JSON.parse and JSON.stringify would write differently: one with many digits, an
 * exponent, or zeros that can be left out. It may also match other texts, which only costs time.
 */
const unusualNumber =
  /[:,[\s]-?(?:\d[\d.]{14}|\d[\d.]*(?:[eE]|\.\d*0(?!\d))|0\.0{6})|[:,[\s]-0(?![\d.])|^\s*-?\d/;

let wasWritten = false;

/** A number with the digits in which it was written, which a double would change. */
export class ExactNumber {
  constructor(readonly text: string) {}

  /** JSON.stringify alone writes the nearest double. */
  toJSON(): number {
    wasWritten = true;
    return Number(this.text);
  }
}

/**
 * Like JSON.parse, but within the members of the application, numbers that a double would change are an ExactNumber.
 * @throws SyntaxError, and RangeError when a text with such numbers is nested thousands deep
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return unusualNumber.test(text) ? new Reader(text).value(false) : value;
}

/** The same for a text that belongs to the application as a whole. */
export function parseExactly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return unusualNumber.test(text) ? new Reader(text).value(true) : value;
}

/** Like JSON.stringify, but every ExactNumber has its own digits. */
export function jsonText(value: unknown): string {
  wasWritten = false;
  const text = JSON.stringify(value);
  return wasWritten ? written(value)! : text;
}

function written(value: unknown): string | undefined {
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map((item) => written(item) ?? 'null').join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).flatMap(([name, item]) => {
    const text = written(item);
    return text === undefined ? [] : [`${JSON.stringify(name)}:${text}`];
  });
  return `{${members.join(',')}}`;
}

/** Reads a text that is known to be JSON, so commas, colons and blanks between the values need no check. */
class Reader {
  private readonly between = /[\s,:]*/y;
  private readonly scalar = /[^\s,\]}]+/y;
  private at = 0;

  constructor(private readonly text: string) {}

  value(isExact: boolean): unknown {
    switch (this.next()) {
      case '{':
        return this.object(isExact);
      case '[':
        return this.list(isExact);
      case '"':
        return this.string();
      case undefined:
      default: {
        const word = this.match(this.scalar);
        const value: unknown = JSON.parse(word);
        return isExact && typeof value === 'number' && String(value) !== word ? new ExactNumber(word) : value;
      }
    }
  }

  private object(isExact: boolean): Json {
    const members: [string, unknown][] = [];
    this.at += 1;
    while (this.next() !== '}') {
      const name = this.string();
      members.push([name, this.value(isExact || applicationMembers.has(name))]);
    }
    this.at += 1;
    return Object.fromEntries(members);
  }

  private list(isExact: boolean): unknown[] {
    const items: unknown[] = [];
    this.at += 1;
    while (this.next() !== ']') items.push(this.value(isExact));
    this.at += 1;
    return items;
  }

  private string(): string {
    const start = this.at;
    let end = this.text.indexOf('"', start + 1);
    while (this.isEscaped(end)) end = this.text.indexOf('"', end + 1);
    this.at = end + 1;
    return JSON.parse(this.text.slice(start, this.at)) as string;
  }

  private isEscaped(quote: number): boolean {
    let backslashes = 0;
    while (this.text[quote - 1 - backslashes] === '\\') backslashes += 1;
    return backslashes % 2 === 1;
  }

  /** The first character of what comes next. */
  private next(): string | undefined {
    this.match(this.between);
    return this.text[this.at];
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const [found = ''] = pattern.exec(this.text) ?? [];
    this.at += found.length;
    return found;
  }
}
