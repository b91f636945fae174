import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { dataOf, eachEvent, EventEnds, linesOf, MAXIMUM_HELD_EVENT_BYTES } from './event-stream';

/**
 * Forwards each server-sent event as soon as it is complete, with its bytes unchanged, and holds back only an incomplete
 * event. So the reader has whole events at any moment. An error of the source, or one that an event reports, becomes the
 * error of this stream, after everything before it has been read.
 */
export class SseRelay extends Transform {
  readonly #source: Readable;
  readonly #toError: (message: string) => Error;
  readonly #ends = new EventEnds();
  #tail: Buffer[] = [];
  #tailBytes = 0;
  /** True while an event is forwarded in parts because it is too long to hold. */
  #isInsideEvent = false;
  #error: Error | undefined;

  /**
   * @param toError makes the error from the message of an error event. The event itself is not passed on, because the
   *   provider's text may repeat the key
   */
  constructor(source: Readable, toError: (message: string) => Error) {
    // Hands out one chunk at a time: an error discards what is buffered, so it must wait until nothing is.
    super({ readableHighWaterMark: 1 });
    this.#source = source;
    this.#toError = toError;
    source.once('error', (error: Error) => this.#fail(error));
    source.pipe(this);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#error !== undefined) return done();
    const end = this.#ends.lastIn(chunk);
    if (end > 0) {
      const events = Buffer.concat([...this.#tail, chunk.subarray(0, end)]);
      this.#tail = [];
      this.#tailBytes = 0;
      this.#isInsideEvent = false;
      if (this.#forward(events)) return done();
    }
    if (end < chunk.length) {
      this.#tail.push(chunk.subarray(end));
      this.#tailBytes += chunk.length - end;
    }
    if (this.#tailBytes > MAXIMUM_HELD_EVENT_BYTES) {
      this.#forwardTail();
      this.#isInsideEvent = true;
    }
    done();
  }

  /** @returns true if the stream failed because of an error event */
  #forward(events: Buffer): boolean {
    // Almost no chunk contains this word; the others are passed on without being parsed.
    if (!events.includes('error')) {
      this.push(events);
      return false;
    }
    let passed = 0;
    for (const event of eachEvent(events)) {
      const message = errorMessageOf(event.toString('utf8'));
      if (message !== undefined) {
        this.push(events.subarray(0, passed));
        this.#fail(this.#toError(message));
        return true;
      }
      passed += event.length;
    }
    this.push(events);
    return false;
  }

  override _flush(done: TransformCallback): void {
    if (this.#error !== undefined || this.#endsInError()) return;
    this.#forwardTail();
    done();
  }

  /** Clients accept the last event of a stream without its blank line, so it is checked for an error too. */
  #endsInError(): boolean {
    const tail = Buffer.concat(this.#tail);
    const message =
      this.#isInsideEvent || !tail.includes('error') ? undefined : errorMessageOf(tail.toString('utf8'));
    if (message !== undefined) this.#fail(this.#toError(message));
    return message !== undefined;
  }

  #forwardTail(): void {
    for (const part of this.#tail) this.push(part);
    this.#tail = [];
    this.#tailBytes = 0;
  }

  /** Drops the incomplete event, or terminates it if a part was forwarded. */
  #fail(error: Error): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#tail = [];
    this.#source.destroy();
    if (this.#isInsideEvent) this.push('\n\n');
    if (this.readableLength === 0) this.destroy(error);
  }

  override _read(size: number): void {
    if (this.#error === undefined) return super._read(size);
    // `_read` is called before the buffered bytes are handed out. The push makes a reader that took only a part read again.
    setImmediate(() => (this.readableLength === 0 ? this.destroy(this.#error) : this.push('')));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#source.destroy();
    callback(error ?? this.#error ?? null);
  }
}

/**
 * The message of an event that reports an error, or undefined. Chat completions and Anthropic have `error` at the top level,
 * some providers as a string. The Responses API has an event of type `error`, and `response.failed` with the error inside.
 * vLLM had `"object":"error"`. An event named `error` is an error whatever its data.
 */
function errorMessageOf(event: string): string | undefined {
  const isNamed = linesOf(event).some((line) => /^event: ?error$/.test(line));
  const data = dataOf(event);
  if (!isNamed && (!data.startsWith('{') || !data.includes('"error"'))) return undefined;
  let fields: ErrorFields | null;
  try {
    fields = JSON.parse(data) as ErrorFields | null;
  } catch {
    return isNamed ? data : undefined;
  }
  const { type, object, message, response, error = null } = fields ?? {};
  const nested = error ?? (type === 'response.failed' ? (response?.error ?? null) : null);
  if (nested === null) return isNamed || type === 'error' || object === 'error' ? textOr(message) : undefined;
  return textOr(typeof nested === 'object' ? (nested as { message?: unknown }).message : nested);
}

interface ErrorFields {
  readonly error?: unknown;
  readonly type?: unknown;
  readonly object?: unknown;
  readonly message?: unknown;
  readonly response?: { readonly error?: unknown } | null;
}

function textOr(message: unknown): string {
  return typeof message === 'string' ? message : '';
}
