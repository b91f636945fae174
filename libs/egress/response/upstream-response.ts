import { type IncomingHttpHeaders } from 'node:http';
import type { Secret } from '#crypto';
import type { Problem } from '#http';
import { type BodySink, type BodySource } from '../stream/body-sink';
import { mentions } from './redact';
import { type UpstreamError } from '../upstream-error';

/** The headers of a response that clients can use. */
const passedNames: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'x-request-id',
  'request-id',
  'apim-request-id',
  'x-ms-region',
  'openai-processing-ms',
  'x-ratelimit-limit-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-requests',
  'x-ratelimit-reset-tokens',
]);
/** Providers add further limits. Such a name may be anything, so it is searched for secrets too. */
const passedPrefix = /^(x-ratelimit-|ratelimit|anthropic-ratelimit-)/;
/** Most responses have one of these, which are not worth a search. */
const usualTypes: ReadonlySet<string> = new Set(['application/json', 'text/event-stream; charset=utf-8']);

/** Observes the traffic of one call, for its usage record. The functions must not throw. */
export interface WireEvents {
  /** Called before each upstream request, and again for each retry. */
  onAttempt(): void;
  /**
   * Called with the head of each upstream response; the last one belongs to the response that is used.
   * @param contentType undefined if the body that follows cannot be read
   */
  onHead(status: number, contentType: string | undefined): void;
  /** Called with each part of the body of a success, as the provider sent it. */
  onChunk(chunk: Uint8Array): void;
}

/** The head of a success (2xx), while its body is still arriving. */
export interface UpstreamResponse {
  readonly status: number;
  /** Lower-case names, only those on the allow-list. */
  readonly headers: Readonly<Record<string, string>>;
  readonly source: BodySource;
  /** Makes a Problem from an error that the body reports. Its texts are cleaned. */
  problemOf(error: UpstreamError): Problem;
  /**
   * @param onMasked called once at the end, with the number of bytes overwritten, if there are any
   * @returns a sink that overwrites the key of the call before it passes bytes on
   */
  withoutKey(sink: BodySink, onMasked: (bytes: number) => void): BodySink;
}

/** Receives the response of one call: its head or a failure, once. */
export interface UpstreamReceiver {
  /**
   * Called with the head of a success.
   * @returns where its body goes
   * @throws what the call fails with; the upstream connection is then closed
   */
  head(response: UpstreamResponse): BodySink;
  /** @param error a Problem, ClientDisconnected, or whatever is wrong with the call */
  fail(error: unknown): void;
}

/**
 * The response headers on the allow-list, without those that repeat a secret: a provider may echo what it was sent.
 * @param headers with names in lower case
 */
export function passedHeaders(
  headers: IncomingHttpHeaders,
  secrets: readonly Secret[],
): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name in headers) {
    const isKnown = passedNames.has(name);
    if (!isKnown && (!passedPrefix.test(name) || mentions(name, secrets))) continue;
    const lines = headers[name] ?? '';
    const value = typeof lines === 'string' ? lines : lines.join(', ');
    // An empty or `identity` encoding means none, but some clients take it for an encoding.
    if (name === 'content-encoding' && /^\s*(identity)?\s*$/i.test(value)) continue;
    if (!usualTypes.has(value) && mentions(value, secrets)) continue;
    passed[name] = value;
  }
  const id = passed['x-request-id'] ?? passed['request-id'] ?? passed['apim-request-id'];
  if (id !== undefined) {
    // OpenAI's clients read the first and Anthropic's the second, whatever the provider is.
    passed['x-request-id'] ??= id;
    passed['request-id'] ??= id;
  }
  return passed;
}
