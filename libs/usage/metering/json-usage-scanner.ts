/** Many times the size of any provider's usage object. */
const maximumUsageBytes = 16 * 1024;

/** In the first event of Anthropic messages, in events of the Responses API, and in Groq's chunks (console.groq.com/docs). */
const parents: ReadonlySet<string> = new Set(['message', 'response', 'x_groq']);
const longestName = Math.max(...[...parents].map(({ length }) => length));

const quote = 0x22;
const backslash = 0x5c;
const byteOrderMark = [0xef, 0xbb, 0xbf];

/**
 * Finds the usage objects of one JSON document as its bytes pass: the value of `usage` at the top level or in one of the
 * `parents` there, and Cohere's `meta` at the top level (https://docs.cohere.com/reference/rerank). Deeper objects are ignored, because they hold what a model writes, and it could claim any usage.
 *
 * Each byte is read once, and only one name or one usage object is kept. Any bytes may be pushed: if they are not JSON,
 * there is no usage, and a usage object that is too long or cannot be parsed is ignored.
 */
export class JsonUsageScanner {
  constructor(private readonly onUsage: (usage: Readonly<Record<string, unknown>>) => void) {}

  /** The document has ended, or cannot contain a usage object. */
  #isFinished = false;
  /** Number of open brackets of both kinds. */
  #depth = 0;
  #isInString = false;
  /** The previous chunk ended in a backslash that escapes the next character. */
  #isEscaped = false;
  /** These are used at depth 1, and at depth 2 inside a parent: whether the next string is a name, and the last name. */
  #isNameNext = false;
  #isName = false;
  #name = '';
  #isInParent = false;
  /** The part of a usage object that has arrived, one character for each byte, and the depth that contains it. */
  #usage: string | undefined;
  #usageDepth = 0;

  /** Starts the next document. */
  reset(): void {
    this.#isFinished = false;
    this.#depth = 0;
    this.#isInString = false;
    this.#isEscaped = false;
    this.#isInParent = false;
    this.#name = '';
    this.#usage = undefined;
  }

  push(bytes: Buffer): void {
    let at = 0;
    let usageStart = 0;
    while (at < bytes.length && !this.#isFinished) {
      if (this.#isInString) {
        at = this.#endOfString(bytes, at);
        continue;
      }
      const byte = bytes[at]!;
      at += 1;
      if (this.#depth === 0) {
        this.#begin(byte);
      } else if (byte === quote) {
        this.#isInString = true;
        this.#isName = this.#isNameNext && this.#hasNames();
        if (this.#isName) this.#name = '';
      } else if (byte === 0x7b || byte === 0x5b) {
        if (this.#open(byte === 0x7b)) usageStart = at - 1;
      } else if (byte === 0x7d || byte === 0x5d) {
        this.#depth -= 1;
        if (this.#usage !== undefined && this.#depth === this.#usageDepth) {
          this.#keep(bytes, usageStart, at);
          this.#report();
        }
        this.#close();
      } else if (byte === 0x2c) {
        this.#isNameNext = true;
      } else if (byte === 0x3a) {
        this.#isNameNext = false;
      }
    }
    if (this.#usage !== undefined) this.#keep(bytes, usageStart, bytes.length);
  }

  /** Blanks and a byte order mark may precede the document. */
  #begin(byte: number): void {
    if (byte === 0x7b) {
      this.#depth = 1;
      this.#isNameNext = true;
    } else if (byte > 0x20 && !byteOrderMark.includes(byte)) {
      this.#isFinished = true;
    }
  }

  /** @returns true if a usage object starts */
  #open(isObject: boolean): boolean {
    const isValue = this.#hasNames() && !this.#isNameNext && isObject;
    const isMeta = this.#name === 'meta' && this.#depth === 1;
    const isUsage = isValue && (this.#name === 'usage' || isMeta);
    if (isUsage) {
      this.#usage = '';
      this.#usageDepth = this.#depth;
    } else if (isValue && this.#depth === 1 && parents.has(this.#name)) {
      this.#isInParent = true;
    }
    this.#depth += 1;
    this.#isNameNext = isObject;
    return isUsage;
  }

  #close(): void {
    if (this.#depth === 1) this.#isInParent = false;
    this.#isFinished = this.#depth === 0;
  }

  #hasNames(): boolean {
    return this.#depth === 1 || (this.#depth === 2 && this.#isInParent);
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const usage = this.#usage ?? '';
    const isTooLong = usage.length + end - start > maximumUsageBytes;
    // The names and numbers that are read are ASCII, so other bytes may be decoded wrongly.
    this.#usage = isTooLong ? undefined : usage + bytes.toString('latin1', start, end);
  }

  #report(): void {
    const text = this.#usage;
    this.#usage = undefined;
    if (text === undefined) return;
    let usage: Readonly<Record<string, unknown>>;
    try {
      usage = JSON.parse(text) as Readonly<Record<string, unknown>>;
    } catch {
      return;
    }
    this.onUsage(usage);
  }

  /** Uses indexOf, because strings may be megabytes long. @returns the position after the closing quote */
  #endOfString(bytes: Buffer, start: number): number {
    let end = bytes.indexOf(quote, start);
    while (end !== -1 && this.#isEscapedAt(bytes, start, end)) end = bytes.indexOf(quote, end + 1);
    const isEnd = end !== -1;
    if (!isEnd) end = bytes.length;
    if (this.#isName && this.#name.length <= longestName) {
      this.#name += bytes.toString('latin1', start, Math.min(end, start + longestName + 1));
    }
    this.#isEscaped = !isEnd && this.#isEscapedAt(bytes, start, end);
    this.#isInString = !isEnd;
    return isEnd ? end + 1 : end;
  }

  #isEscapedAt(bytes: Buffer, start: number, at: number): boolean {
    let escapes = 0;
    while (at - escapes > start && bytes[at - 1 - escapes] === backslash) escapes += 1;
    if (at - escapes === start && this.#isEscaped) escapes += 1;
    return escapes % 2 === 1;
  }
}
