import { Transform, type TransformCallback } from 'node:stream';

const MAXIMUM_TAIL_BYTES = 16 * 1024 * 1024;
const LF = 0x0a;
const CR = 0x0d;

/**
 * Forwards server-sent events (WHATWG HTML, section 9.2) as soon as each is complete, bytes unchanged, and holds back
 * only the beginning of the next one. So at any moment the client has whole events, and `endWith` can append one more.
 */
export class SseRelay extends Transform {
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #atLineStart = true;
  #afterCr = false;
  #afterBlankLine = true;
  /** Whether a part of an event was forwarded because the whole was too long to hold. */
  #isInsideEvent = false;
  #last: string | undefined;

  /**
   * After an upstream fault: drops the incomplete event, sends this one and ends.
   * @param event the complete event with its blank line, `data: {...}\n\n`
   */
  endWith(event: string): void {
    if (this.writableEnded) return;
    this.#last = event;
    this.end();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const end = this.#endOfLastEvent(chunk);
    if (end > 0) {
      this.#forwardTail();
      this.push(chunk.subarray(0, end));
      this.#isInsideEvent = false;
    }
    if (end < chunk.length) {
      this.#tail.push(chunk.subarray(end));
      this.#tailBytes += chunk.length - end;
    }
    if (this.#tailBytes > MAXIMUM_TAIL_BYTES) {
      this.#forwardTail();
      this.#isInsideEvent = true;
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.#last === undefined) this.#forwardTail();
    else this.push((this.#isInsideEvent ? '\n\n' : '') + this.#last);
    done();
  }

  #forwardTail(): void {
    for (const part of this.#tail) this.push(part);
    this.#tail = [];
    this.#tailBytes = 0;
  }

  /** A line ends with LF, CR LF or CR; an empty line ends the event. The state survives cuts at any byte. */
  #endOfLastEvent(chunk: Buffer): number {
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
