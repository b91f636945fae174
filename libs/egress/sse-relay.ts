import { Transform, type TransformCallback } from 'node:stream';
import { dataOf, eachEvent, EventEnds, linesOf, LONGEST_HELD_EVENT } from './event-stream';

/**
 * Forwards server-sent events as soon as each is complete, bytes unchanged, and holds back only the beginning of the next
 * one. So at any moment the client has whole events, and `endWith` can append one more.
 */
export class SseRelay extends Transform {
  /**
   * @param faultOf makes the last event of a stream from the message of an error event, which is not passed on: it is
   *   the provider's own text and may repeat the key
   */
  constructor(private readonly faultOf: (message: string) => string) {
    super();
  }

  readonly #ends = new EventEnds();
  #tail: Buffer[] = [];
  #tailBytes = 0;
  /** Whether a part of an event was forwarded because the whole was too long to hold. */
  #isInsideEvent = false;
  #last: string | undefined;
  #isOver = false;

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
    if (this.#isOver) return done();
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
        this.push(this.faultOf(message));
        this.#isOver = true;
        this.push(null);
        return true;
      }
      passed += event.length;
    }
    this.push(events);
    return false;
  }

  override _flush(done: TransformCallback): void {
    if (this.#isOver) return done();
    if (this.#last !== undefined) this.push((this.#isInsideEvent ? '\n\n' : '') + this.#last);
    else if (!this.#endsInError()) this.#forwardTail();
    done();
  }

  /** Clients take an event without its blank line, when the stream ends there, for what it is. */
  #endsInError(): boolean {
    const tail = Buffer.concat(this.#tail);
    const message =
      this.#isInsideEvent || !tail.includes('error') ? undefined : errorMessageOf(tail.toString('utf8'));
    if (message !== undefined) this.push(this.faultOf(message));
    return message !== undefined;
  }

  #forwardTail(): void {
    for (const part of this.#tail) this.push(part);
    this.#tail = [];
    this.#tailBytes = 0;
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
