/** A JSON object. */
export type Json = Record<string, unknown>;

/** One server-sent event, parsed: its `event` field, if any, and its data lines joined. */
export interface StreamEvent {
  readonly event?: string;
  readonly data: string;
}

/** What a translation needs to know of the call beside the bodies. */
export interface TranslationContext {
  /** The name that the client asked for, which its answer bears. */
  readonly model: string;
  /** The client's request. */
  readonly request: Json;
}

/** Turns the provider's stream into the client's, event by event. One for each call. */
export interface StreamTranslator {
  /**
   * @returns what the client gets for it: complete events with their blank lines, or the empty text
   * @throws StreamFault when the provider reports an error, UnexpectedAnswer when the event makes no sense
   */
  push(event: StreamEvent): string;
  /**
   * The provider's stream is over.
   * @returns the client's last events
   * @throws UnexpectedAnswer when it ended before its own end
   */
  end(): string;
}

/** From the format that a client speaks to the one that a provider speaks, and back. Pure. */
export interface Translation {
  /** Parameters of the provider's request that no client sent: a provider without them takes nothing from the client. */
  readonly added: readonly string[];
  /** The client's name of a parameter of the provider's request. */
  clientName(name: string): string;
  /**
   * @returns the provider's request, and the parameters without a counterpart that are not in it, in the client's spelling
   * @throws UnsupportedParameter for what cannot be left out without changing what is asked, and for wrong values
   */
  encode(request: Json, upstreamModel: string): { readonly body: Json; readonly dropped: readonly string[] };
  /** @throws UnexpectedAnswer */
  decode(answer: unknown, context: TranslationContext): Json;
  stream(context: TranslationContext): StreamTranslator;
}

/** A parameter that the provider's format cannot express. `param` is the client's spelling, e.g. `messages[0].content`. */
export class UnsupportedParameter extends Error {
  override readonly name = 'UnsupportedParameter';
  constructor(
    readonly param: string,
    message: string,
  ) {
    super(message);
  }
}

/** An answer of the provider that is not what its documentation says. It carries none of the answer. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
  constructor() {
    super('The provider answered with something that is not an answer.');
  }
}

/** The provider reported an error inside its stream. The message is the provider's text: clean it before it is shown. */
export class StreamFault extends Error {
  override readonly name = 'StreamFault';
}
