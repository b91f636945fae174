import { type IncomingHttpHeaders } from 'node:http';
import type { Secret } from '#crypto';
import type { Problem } from '#http';
import { type BodySink, type BodySource } from '../stream/body-sink';
import { mentions } from './redact';

const passedHeaderNames =
  /^(content-type|content-encoding|retry-after|retry-after-ms|x-ratelimit-.*|ratelimit.*|anthropic-ratelimit-.*|x-request-id|request-id|apim-request-id|x-ms-region|openai-processing-ms)$/;

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
  /** Makes a Problem from the message of an error event inside the stream. The message is cleaned. */
  problemOfErrorEvent(message: string): Problem;
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

/** The response headers on the allow-list, without those that repeat a secret: a provider may echo what it was sent. */
export function passedHeaders(
  headers: IncomingHttpHeaders,
  secrets: readonly Secret[],
): Record<string, string> {
  const passed: Record<string, string> = {};
  let all = '';
  for (const given of Object.keys(headers)) {
    const name = given.toLowerCase();
    if (!passedHeaderNames.test(name)) continue;
    const value = [headers[given] ?? ''].flat().join(', ');
    // An empty or `identity` encoding means none, but some clients take it for an encoding.
    if (name === 'content-encoding' && /^\s*(identity)?\s*$/i.test(value)) continue;
    passed[name] = value;
    all += `${name} ${value}\n`;
  }
  // One search for all of them: almost no response mentions a secret.
  if (mentions(all, secrets)) {
    for (const name of Object.keys(passed)) {
      if (mentions(`${name} ${passed[name]}`, secrets)) delete passed[name];
    }
  }
  const id = passed['x-request-id'] ?? passed['request-id'] ?? passed['apim-request-id'];
  // OpenAI's clients read the first and Anthropic's the second, whatever the provider is.
  return id === undefined ? passed : { 'x-request-id': id, 'request-id': id, ...passed };
}
