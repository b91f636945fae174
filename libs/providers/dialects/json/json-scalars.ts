// The strings, numbers and literals of JSON (RFC 8259), as bytes.

const shortBody = 1024;
const noWords = new Int32Array(0);

const space = 0x20;
const quote = 0x22;
const minus = 0x2d;
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const backslash = 0x5c;

/** The text of a valid JSON string, whose quotes are at `start` and before `end`. */
export function textOf(body: Buffer, start: number, end: number): string {
  const written = body.toString('utf8', start, end);
  return written.includes('\\') ? (JSON.parse(written) as string) : written.slice(1, -1);
}

/** The end of a string, a number or a literal. */
export function endOfScalar(body: Buffer, start: number, words: Int32Array): number {
  const byte = body[start];
  if (byte === quote) return endOfString(body, start, words);
  if (byte === 0x74) return endOfLiteral(body, start, 'true');
  if (byte === 0x66) return endOfLiteral(body, start, 'false');
  if (byte === 0x6e) return endOfLiteral(body, start, 'null');
  return endOfNumber(body, start);
}

/**
 * @param start of the opening quote
 * @param words of the body
 * @returns the position after the closing quote
 */
export function endOfString(body: Buffer, start: number, words: Int32Array): number {
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
export function wordsOf({ buffer, byteOffset, length }: Buffer): Int32Array {
  return length < shortBody ? noWords : new Int32Array(buffer, 0, (byteOffset + length) >> 2);
}

/**
 * How many words in a row have no quote, no backslash and no control character. It may stop at an earlier word, because
 * the arithmetic finds a byte by a borrow, which its neighbour can cause too (Hacker's Delight, 6-1).
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

export function malformed(): SyntaxError {
  return new SyntaxError('The body is not a JSON object in UTF-8.');
}
