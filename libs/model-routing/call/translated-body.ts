import {
  type BodySink,
  type BodySource,
  ClientDisconnected,
  eachEvent,
  EndOfEvents,
  type EventStage,
  fieldsOfEvent,
} from '#egress';
import { Problem } from '#http';
import {
  jsonText,
  parseJson,
  type StreamTranslator,
  type Translation,
  type TranslationContext,
  UnexpectedResponse,
} from '#providers';

/** More than any model writes; a response without an end must not fill the memory. */
const MAXIMUM_RESPONSE_BYTES = 64 * 1024 * 1024;
/** Larger than the limit for a whole response, because events are many times longer than their text. */
const MAXIMUM_STREAM_BYTES = 256 * 1024 * 1024;

/** Translates the provider's events to the client's format. */
export class TranslatedEvents implements EventStage {
  #bytes = 0;

  /** @param toProblem makes the error of a stream that cannot be translated */
  constructor(
    private readonly translator: StreamTranslator,
    private readonly toProblem: (error: unknown) => Error,
  ) {}

  pass(events: Buffer, isLast: boolean): Buffer {
    let text = '';
    try {
      this.#bytes += events.length;
      if (this.#bytes > MAXIMUM_STREAM_BYTES) throw new UnexpectedResponse();
      for (const event of eachEvent(events)) {
        const { name, data } = fieldsOfEvent(event);
        if (data !== undefined) text += this.translator.push({ event: name, data });
      }
      if (isLast) text += this.translator.end();
    } catch (error) {
      // What came before a fault was valid.
      throw new EndOfEvents(Buffer.from(text), this.toProblem(error), true);
    }
    return Buffer.from(text);
  }

  passPart(): void {
    throw new EndOfEvents(Buffer.alloc(0), this.toProblem(new UnexpectedResponse()), true);
  }
}

/** Translates a response as a whole. The client gets its head only when the whole response has arrived. */
export class TranslatedWhole implements BodySink {
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  #isOver = false;

  /**
   * @param onBody called with the translated body
   * @param onFail called when there is none
   */
  constructor(
    private readonly translation: Translation,
    private readonly context: TranslationContext,
    private readonly source: BodySource,
    private readonly toProblem: (error: unknown) => Error,
    private readonly onBody: (body: Buffer) => void,
    private readonly onFail: (error: Error) => void,
  ) {}

  write(part: Buffer): boolean {
    if (this.#isOver) return true;
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes > MAXIMUM_RESPONSE_BYTES) {
      this.source.stop();
      this.fail(this.toProblem(new UnexpectedResponse()));
    }
    return true;
  }

  end(): void {
    if (this.#isOver) return;
    let body: Buffer;
    try {
      const response = parseJson(Buffer.concat(this.#parts).toString('utf8'));
      body = Buffer.from(jsonText(this.translation.decode(response, this.context)));
    } catch (error) {
      return this.fail(this.toProblem(error));
    }
    this.#isOver = true;
    this.onBody(body);
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.length = 0;
    this.onFail(error);
  }
}

/** @param label the provider's */
export function translationProblem(error: unknown, label: string): Error {
  if (error instanceof Problem || error instanceof ClientDisconnected) return error;
  return new Problem('upstream_unavailable', {
    detail: `${label} broke off its response or sent one that cannot be read.`,
    // The cause names only the error's type: JSON.parse quotes the provider's text, which may repeat the key.
    cause: new Error(
      `the response is not as documented (${error instanceof Error ? error.name : typeof error})`,
    ),
  });
}
