import { type BodySink, type BodySource } from './body-sink';
import { dataOf, eachEvent, EventEnds, linesOf, MAXIMUM_HELD_EVENT_BYTES } from './event-stream';

/**
 * Passes each server-sent event on as soon as it is complete, with its bytes unchanged, and holds back only an incomplete event. So
 * the reader has whole events at any moment. An event that reports an error ends the body with that error.
 */
export class WholeEvents implements BodySink {
  readonly #ends = new EventEnds();
  #tail: Buffer[] = [];
  #tailBytes = 0;
  /** True while an event is passed on in parts because it is too long to hold. */
  #isInsideEvent = false;
  #isOver = false;

  /**
   * @param toError makes the error from the message of an error event. The event itself is not passed on, because the
   *   provider's text may repeat the key
   */
  constructor(
    private readonly next: BodySink,
    private readonly source: BodySource,
    private readonly toError: (message: string) => Error,
  ) {}

  write(part: Buffer): boolean {
    if (this.#isOver) return true;
    const end = this.#ends.lastIn(part);
    let mayContinue = true;
    if (end > 0) {
      const complete = end === part.length ? part : part.subarray(0, end);
      const events = this.#tail.length === 0 ? complete : Buffer.concat([...this.#tail, complete]);
      this.#tail = [];
      this.#tailBytes = 0;
      this.#isInsideEvent = false;
      mayContinue = this.#pass(events);
      if (this.#isOver) return true;
    }
    if (end < part.length) {
      this.#tail.push(part.subarray(end));
      this.#tailBytes += part.length - end;
    }
    if (this.#tailBytes > MAXIMUM_HELD_EVENT_BYTES) {
      mayContinue = this.#passTail();
      this.#isInsideEvent = true;
    }
    return mayContinue;
  }

  /** Clients accept the last event of a stream without its blank line, so it is checked for an error too. */
  end(): void {
    if (this.#isOver) return;
    const tail = Buffer.concat(this.#tail);
    const mayReportError = !this.#isInsideEvent && tail.includes('error');
    const message = mayReportError ? errorMessageOf(tail.toString('utf8')) : undefined;
    if (message !== undefined) return this.fail(this.toError(message));
    this.#isOver = true;
    this.#passTail();
    this.next.end();
  }

  /** Drops the incomplete event, or terminates it if a part of it was passed on. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tail = [];
    if (this.#isInsideEvent) this.next.write(Buffer.from('\n\n'));
    this.next.fail(error);
  }

  #pass(events: Buffer): boolean {
    // Almost no part contains this word; the others are passed on without being parsed.
    if (!events.includes('error')) return this.next.write(events);
    let passed = 0;
    for (const event of eachEvent(events)) {
      const message = errorMessageOf(event.toString('utf8'));
      if (message !== undefined) {
        if (passed > 0) this.next.write(events.subarray(0, passed));
        this.source.stop();
        this.fail(this.toError(message));
        return true;
      }
      passed += event.length;
    }
    return this.next.write(events);
  }

  #passTail(): boolean {
    let mayContinue = true;
    for (const part of this.#tail) mayContinue = this.next.write(part);
    this.#tail = [];
    this.#tailBytes = 0;
    return mayContinue;
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
