import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { dataOf, eachEvent, EventEnds, linesOf, LONGEST_HELD_EVENT } from './event-stream';

/**
 * Forwards server-sent events as soon as each is complete, bytes unchanged, and holds back only the beginning of the next
 * one. So at any moment the reader has whole events. A fault, of the source or reported in an event, is the error of this
 * stream, after everything before it was read.
 */
export class SseRelay extends Transform {
  readonly #source: Readable;
  readonly #faultOf: (message: string) => Error;
  readonly #ends = new EventEnds();
  #tail: Buffer[] = [];
  #tailBytes = 0;
  /** Whether a part of an event was forwarded because the whole was too long to hold. */
  #isInsideEvent = false;
  #fault: Error | undefined;

  /**
   * @param faultOf makes the error from the message of an error event, which is not passed on: it is the provider's own
   *   text and may repeat the key
   */
  constructor(source: Readable, faultOf: (message: string) => Error) {
    // One part at a time: an error destroys what waits in the stream, and so it must be seen when nothing waits.
    super({ readableHighWaterMark: 1 });
    this.#source = source;
    this.#faultOf = faultOf;
    source.once('error', (error: Error) => this.#fail(error));
    source.pipe(this);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#fault !== undefined) return done();
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
    if (this.#tailBytes > LONGEST_HELD_EVENT) {
      this.#forwardTail();
      this.#isInsideEvent = true;
    }
    done();
  }

  /** @returns true when an error event ended the stream */
  #forward(events: Buffer): boolean {
    // Almost every part holds no such word and is passed on unread.
    if (!events.includes('error')) {
      this.push(events);
      return false;
    }
    let passed = 0;
    for (const event of eachEvent(events)) {
      const message = errorMessageOf(event.toString('utf8'));
      if (message !== undefined) {
        this.push(events.subarray(0, passed));
        this.#fail(this.#faultOf(message));
        return true;
      }
      passed += event.length;
    }
    this.push(events);
    return false;
  }

  override _flush(done: TransformCallback): void {
    if (this.#fault !== undefined || this.#endsInError()) return;
    this.#forwardTail();
    done();
  }

  /** Clients take an event without its blank line, when the stream ends there, for what it is. */
  #endsInError(): boolean {
    const tail = Buffer.concat(this.#tail);
    const message =
      this.#isInsideEvent || !tail.includes('error') ? undefined : errorMessageOf(tail.toString('utf8'));
    if (message !== undefined) this.#fail(this.#faultOf(message));
    return message !== undefined;
  }

  #forwardTail(): void {
    for (const part of this.#tail) this.push(part);
    this.#tail = [];
    this.#tailBytes = 0;
  }

  /** Drops the incomplete event, or closes one that was forwarded in part. */
  #fail(fault: Error): void {
    if (this.#fault !== undefined) return;
    this.#fault = fault;
    this.#tail = [];
    this.#source.destroy();
    if (this.#isInsideEvent) this.push('\n\n');
    if (this.readableLength === 0) this.destroy(fault);
  }

  override _read(size: number): void {
    if (this.#fault === undefined) return super._read(size);
    // Asked before what waits is handed out. A reader that takes a part of it has to ask again, and does after a push.
    setImmediate(() => (this.readableLength === 0 ? this.destroy(this.#fault) : this.push('')));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#source.destroy();
    callback(error ?? this.#fault ?? null);
  }
}

/**
 * The message of an event that reports an error, or undefined. Chat completions and Anthropic have `error` at the top, some
 * providers as a text; the Responses API has an event of type `error`, and `response.failed` with the error inside; vLLM had
 * `"object":"error"`; and what is named `error` is one, whatever its data.
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
  const inside = error ?? (type === 'response.failed' ? (response?.error ?? null) : null);
  if (inside === null) return isNamed || type === 'error' || object === 'error' ? textOr(message) : undefined;
  return textOr(typeof inside === 'object' ? (inside as { message?: unknown }).message : inside);
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
