const lineFeed = 10;
const framesEnd = Buffer.from('\n\n');

/** Reads the body of a response, and counts the server-sent events in it without looking at anything else. */
export class BodyReader {
  frames = 0;
  /** False when a stream did not end as its dialect says. */
  isComplete = true;
  #isChunked;
  #isStream;
  #remaining;
  #line = '';
  #endedWithLineFeed = false;
  #tail = '';

  /** @param head the head of the response in lower case */
  constructor(head) {
    this.#isChunked = head.includes('\r\ntransfer-encoding: chunked');
    this.#isStream = head.includes('\r\ncontent-type: text/event-stream');
    const at = head.indexOf('\r\ncontent-length: ');
    this.#remaining = at < 0 ? 0 : parseInt(head.slice(at + 18), 10);
  }

  /** True when the body has been read whole. */
  read(bytes) {
    if (!this.#isChunked) {
      this.#remaining -= bytes.length;
      if (this.#isStream) this.#observe(bytes);
      return this.#remaining <= 0 && this.#end();
    }
    let at = 0;
    while (at < bytes.length) {
      if (this.#remaining > 0) {
        const end = Math.min(bytes.length, at + this.#remaining);
        if (this.#isStream) this.#observe(bytes.subarray(at, end));
        this.#remaining -= end - at;
        at = end;
        continue;
      }
      const lineEnd = bytes.indexOf(lineFeed, at);
      this.#line += bytes.latin1Slice(at, lineEnd < 0 ? bytes.length : lineEnd + 1);
      if (lineEnd < 0) return false;
      at = lineEnd + 1;
      if (this.#readLine()) return this.#end();
    }
    return false;
  }

  /** Reads a size line, or the empty line after a chunk. True at the end of the body. */
  #readLine() {
    const line = this.#line.trim();
    this.#line = '';
    if (this.#isLast) return true;
    if (line === '') return false;
    this.#remaining = parseInt(line, 16);
    // After the last chunk comes one more line. Trailers are not expected.
    this.#isLast = this.#remaining === 0;
    return false;
  }
  #isLast = false;

  #observe(part) {
    if (this.#endedWithLineFeed && part[0] === lineFeed) this.frames += 1;
    for (let at = part.indexOf(framesEnd); at >= 0; at = part.indexOf(framesEnd, at + 2)) this.frames += 1;
    const { length } = part;
    this.#endedWithLineFeed = part[length - 1] === lineFeed && part[length - 2] !== lineFeed;
    this.#tail = length >= 64 ? part.latin1Slice(length - 64) : (this.#tail + part.latin1Slice()).slice(-64);
  }

  #end() {
    if (this.#isStream) this.isComplete = /\[done\]|message_stop/i.test(this.#tail);
    return true;
  }
}
