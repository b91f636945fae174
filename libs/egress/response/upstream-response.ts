import { PassThrough, pipeline, type Readable, type TransformCallback } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Secret } from '#crypto';
import type { Problem } from '#http';
import { mentions } from './redact';

export const ERROR_BODY_BYTES = 64 * 1024;
const ERROR_BODY_MS = 5000;
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

/** A success (2xx). The receiver must read or destroy the body; an error of the body is a Problem or `ClientDisconnected`. */
export interface UpstreamResponse {
  readonly status: number;
  /** Lower-case names, only those on the allow-list. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
  /** Makes a Problem from the message of an error event inside the stream. The message is cleaned. */
  problemOfErrorEvent(message: string): Problem;
}

/** Passes the bytes on as they arrive, and replaces the errors of the HTTP library with ours. */
export class UpstreamBody extends PassThrough {
  readonly #toProblem: (error: unknown) => Error;
  readonly #wire: WireEvents | undefined;

  constructor(source: Readable, toProblem: (error: unknown) => Error, wire?: WireEvents) {
    super();
    this.#toProblem = toProblem;
    this.#wire = wire;
    pipeline(source, this, () => undefined);
  }

  override _transform(chunk: Buffer, encoding: BufferEncoding, callback: TransformCallback): void {
    this.#wire?.onChunk(chunk);
    super._transform(chunk, encoding, callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    callback(error === null ? null : this.#toProblem(error));
  }
}

/** The response headers on the allow-list, without those that repeat a secret: a provider may echo what it was sent. */
export function passedHeaders(
  headers: Dispatcher.ResponseData['headers'],
  secrets: readonly Secret[],
): Record<string, string> {
  const passed: Record<string, string> = Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), [value ?? ''].flat().join(', ')] as const)
      .filter(([name, value]) => passedHeaderNames.test(name) && !mentions(`${name} ${value}`, secrets))
      // An empty or `identity` encoding means none, but some clients take it for an encoding.
      .filter(([name, value]) => name !== 'content-encoding' || !/^\s*(identity)?\s*$/i.test(value)),
  );
  const id = passed['x-request-id'] ?? passed['request-id'] ?? passed['apim-request-id'];
  // OpenAI's clients read the first and Anthropic's the second, whatever the provider is.
  return id === undefined ? passed : { 'x-request-id': id, 'request-id': id, ...passed };
}

/** Reads the body of an error within a limit of time and size. Its text is helpful but never required. */
export async function readErrorBody(body: Readable): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  const timer = setTimeout(() => body.destroy(), ERROR_BODY_MS);
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= ERROR_BODY_BYTES) break;
    }
  } catch {
    // The parts that arrived are used.
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(parts).subarray(0, ERROR_BODY_BYTES).toString('utf8');
}
