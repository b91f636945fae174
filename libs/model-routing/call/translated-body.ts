import {
  ClientDisconnected,
  eachEvent,
  EndOfEvents,
  type EventStage,
  fieldsOfEvent,
  refuseTooManyValues,
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

/**
 * Translates a whole response.
 * @throws Problem upstream_unavailable, or what the translation finds wrong
 */
export function translatedWhole(translation: Translation, body: Buffer, context: TranslationContext): Buffer {
  refuseTooManyValues(body);
  return Buffer.from(jsonText(translation.decode(parseJson(body.toString('utf8')), context)));
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
