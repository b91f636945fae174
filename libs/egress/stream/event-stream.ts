// Server-sent events (WHATWG HTML, section 9.2), as bytes.

/** An incomplete event is held up to this size. */
export const MAXIMUM_HELD_EVENT_BYTES = 16 * 1024 * 1024;
const LF = 0x0a;
const CR = 0x0d;

/** Media types are case-insensitive (RFC 9110, 8.3.1). */
export function isEventStream(contentType: string | undefined): boolean {
  return contentType?.toLowerCase().startsWith('text/event-stream') === true;
}

/** Finds where events end in the bytes of one stream. */
export class EventEnds {
  #atLineStart = true;
  #afterCr = false;
  #afterBlankLine = true;

  /**
   * A line ends with LF, CR LF or CR; an empty line ends the event. The stream may be cut into chunks at any byte.
   * @param chunk the next bytes of the stream
   * @returns the position after the last event that ends in the chunk; 0 if none ends there
   */
  lastIn(chunk: Buffer): number {
    let end = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === LF && this.#afterCr) {
        this.#afterCr = false;
        if (this.#afterBlankLine) end = i + 1;
      } else if (byte === LF || byte === CR) {
        this.#afterBlankLine = this.#atLineStart;
        if (this.#afterBlankLine) end = i + 1;
        this.#atLineStart = true;
        this.#afterCr = byte === CR;
      } else {
        this.#atLineStart = false;
        this.#afterCr = false;
      }
    }
    return end;
  }
}

/** Each complete event with its blank line. Bytes after the last complete event are left out. */
export function* eachEvent(events: Buffer): Generator<Buffer> {
  for (const match of events.toString('latin1').matchAll(/[^]*?(?:\r\n|\n|\r(?!\n)){2}/g)) {
    yield events.subarray(match.index, match.index + match[0].length);
  }
}

/** The lines of an event, without the byte order mark that may precede the first line of a stream. */
export function linesOf(event: string): string[] {
  return event.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
}

/** The data lines of an event, joined. */
export function dataOf(event: string): string {
  return linesOf(event)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).trimStart())
    .join('\n');
}
