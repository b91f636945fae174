// Server-sent events (WHATWG HTML, section 9.2), as bytes.

const LF = 0x0a;
const CR = 0x0d;
const blankLine = Buffer.from('\n\n');

/** Media types are case-insensitive (RFC 9110, 8.3.1). */
export function isEventStream(contentType: string | undefined): boolean {
  return contentType?.toLowerCase().startsWith('text/event-stream') === true;
}

/** Finds where events end in the bytes of one stream. */
export class EventEnds {
  #isAtLineStart = true;
  #isAfterCr = false;
  #isAfterBlankLine = true;

  /**
   * A line ends with LF, CR LF or CR; an empty line ends the event. The stream may be cut into chunks at any byte.
   * @param chunk the next bytes of the stream
   * @returns the position after the last event that ends in the chunk; 0 if none ends there
   */
  lastIn(chunk: Buffer): number {
    if (chunk.includes(CR) || (this.#isAfterCr && chunk[0] === LF)) return this.#lastAmongAllEnds(chunk);
    // Most streams have only line feeds. Then the event ends after two, of which the first may be in the previous chunk.
    const twoLineFeeds = chunk.lastIndexOf(blankLine);
    const isBlankFirst = this.#isAtLineStart && chunk[0] === LF;
    if (chunk.length > 0) this.#isAtLineStart = chunk.at(-1) === LF;
    this.#isAfterCr = false;
    if (twoLineFeeds !== -1) return twoLineFeeds + blankLine.length;
    return isBlankFirst ? 1 : 0;
  }

  #lastAmongAllEnds(chunk: Buffer): number {
    let end = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte === LF && this.#isAfterCr) {
        this.#isAfterCr = false;
        if (this.#isAfterBlankLine) end = at + 1;
      } else if (byte === LF || byte === CR) {
        this.#isAfterBlankLine = this.#isAtLineStart;
        if (this.#isAfterBlankLine) end = at + 1;
        this.#isAtLineStart = true;
        this.#isAfterCr = byte === CR;
      } else {
        this.#isAtLineStart = false;
        this.#isAfterCr = false;
      }
    }
    return end;
  }
}

/** Whether the event has its blank line. */
export function isWholeEvent(event: Buffer): boolean {
  return /(?:\r\n|\n|\r(?!\n)){2}$/.test(event.subarray(-4).toString('latin1'));
}

/** Each event with its blank line. The last one of a stream may have none. */
export function* eachEvent(events: Buffer): Generator<Buffer> {
  let start = 0;
  for (const match of events.toString('latin1').matchAll(/(?:\r\n|\n|\r(?!\n)){2}/g)) {
    const end = match.index + match[0].length;
    yield events.subarray(start, end);
    start = end;
  }
  if (start < events.length) yield events.subarray(start);
}

/** The fields of an event that clients read. */
export interface EventFields {
  /** The last `event` field. */
  readonly name: string | undefined;
  /** The `data` fields, joined by line feeds; undefined: it has none, like a comment. */
  readonly data: string | undefined;
}

export function fieldsOfEvent(event: Buffer): EventFields {
  let name: string | undefined;
  let data: string | undefined;
  // A byte order mark may precede the first line of a stream.
  const text = event.toString('utf8').replace(/^\uFEFF/, '');
  for (const line of text.split(/\r\n|\n|\r/)) {
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') name = value;
    else if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
  }
  return { name, data };
}
