/** Server-sent events (WHATWG HTML, section 9.2), as bytes. */

/** The most bytes of an event that are held until the event is complete. */
export const LONGEST_HELD_EVENT = 16 * 1024 * 1024;
const LF = 0x0a;
const CR = 0x0d;

/** Media types are case-insensitive (RFC 9110, 8.3.1). */
export function isEventStream(contentType: string | undefined): boolean {
  return contentType?.toLowerCase().startsWith('text/event-stream') === true;
}

/** Where events end in the bytes of one stream. */
export class EventEnds {
  #atLineStart = true;
  #afterCr = false;
  #afterBlankLine = true;

  /**
   * A line ends with LF, CR LF or CR; an empty line ends the event. The state survives cuts at any byte.
   * @param chunk what follows the chunk before
   * @returns the position after the last event that ends in it; 0 when none does
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

/** One after the other, without a gap, each with its blank line; bytes after the last one are in none. */
export function* eachEvent(events: Buffer): Generator<Buffer> {
  for (const match of events.toString('latin1').matchAll(/[^]*?(?:\r\n|\n|\r(?!\n)){2}/g)) {
    yield events.subarray(match.index, match.index + match[0].length);
  }
}

/** A byte order mark may stand before the first line of a stream. */
export function linesOf(event: string): string[] {
  return event.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
}

/** Its data lines, joined. */
export function dataOf(event: string): string {
  return linesOf(event)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).trimStart())
    .join('\n');
}
