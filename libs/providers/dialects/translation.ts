import { type RequestDifferences } from '../provider';

/** A JSON object. */
export type Json = Record<string, unknown>;

/** A parsed server-sent event: its `event` field, if any, and its joined data lines. */
export interface StreamEvent {
  readonly event?: string;
  readonly data: string;
}

/** What the translation of a response needs to know about the call. */
export interface TranslationContext {
  /** The model's name in the client's request, which the response repeats. */
  readonly model: string;
  /** What `encode` returned as `forResponse`. */
  readonly request: Json;
}

/** Translates the provider's stream event by event. Each call has its own translator. */
export interface StreamTranslator {
  /**
   * @returns complete events for the client, with their blank lines, or the empty string
   * @throws UnexpectedResponse when the event is not in the documented format or order
   */
  push(event: StreamEvent): string;
  /**
   * To be called after the last event of the provider's stream.
   * @returns the last events for the client
   * @throws UnexpectedResponse when the stream broke off
   */
  end(): string;
}

/** A request as the provider gets it. */
export interface TranslatedRequest {
  readonly body: Json;
  /** The client's names of the parameters that have no counterpart and were left out. */
  readonly dropped: readonly string[];
  /** What the response depends on. Everything else of the request is forgotten when it is sent, so this must be small. */
  readonly forResponse: Json;
  /** The client's path for a path in `body`, as an error names it. Absent: the paths are the same. */
  clientPath?(this: void, path: string): string;
}

/** Translates requests from the client's format to the provider's, and responses back, without side effects. */
export interface Translation {
  /** Parameters that the translation adds. If a provider does not support one of them, the client is not notified. */
  readonly added: readonly string[];
  /** The client's name for a parameter of the provider's request. */
  clientName(name: string): string;
  /**
   * @param differences the provider's, in its own format. The caller applies those that concern the body as it is
   * @throws UnsupportedParameter for invalid values, and when leaving something out would change the request's meaning
   */
  encode(request: Json, upstreamModel: string, differences?: RequestDifferences): TranslatedRequest;
  /** @throws UnexpectedResponse */
  decode(response: unknown, context: TranslationContext): Json;
  stream(context: TranslationContext): StreamTranslator;
}

/** Many more blocks, items or calls than a model writes in one response. They stay in memory until it is complete. */
const mostParts = 10_000;

/** @throws UnexpectedResponse when a response has too many parts */
export function checkParts(count: number): void {
  if (count > mostParts) throw new UnexpectedResponse();
}

/** The provider's format has no counterpart for a parameter, or its value is invalid. */
export class UnsupportedParameter extends Error {
  override readonly name = 'UnsupportedParameter';
  constructor(
    /** Path in the client's format, such as `messages[0].content`. */
    readonly param: string,
    message: string,
  ) {
    super(message);
  }
}

/** The provider's response is not in the documented format. The error contains nothing of the response. */
export class UnexpectedResponse extends Error {
  override readonly name = 'UnexpectedResponse';
  constructor() {
    super('The response of the provider is not in the documented format.');
  }
}
