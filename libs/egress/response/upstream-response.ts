import { PassThrough, pipeline, type Readable, type TransformCallback } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Secret } from '#crypto';
import { mentions } from './redact';

export const ERROR_BODY_BYTES = 64 * 1024;
const ERROR_BODY_MS = 5000;
const passedHeaders =
  /^(content-type|content-encoding|retry-after|retry-after-ms|x-ratelimit-.*|ratelimit.*|anthropic-ratelimit-.*|x-request-id|request-id|apim-request-id|x-ms-region|openai-processing-ms)$/;

/** Told of one call what happens on the wire, for its usage record. Must not throw. */
export interface WireEvents {
  /** A request goes out; once more for each time that it is tried again. */
  onAttempt(): void;
  /** The head of an answer; the last is what the call ends with. The type is undefined where what follows is not to be read. */
  onHead(status: number, contentType: string | undefined): void;
  /** A part of a success's body, as the provider sent it. */
  onChunk(chunk: Uint8Array): void;
}

/** Passes the bytes on as they arrive; turns the library's errors into ours. */
export class UpstreamBody extends PassThrough {
  readonly #fault: (error: unknown) => Error;
  readonly #wire: WireEvents | undefined;

  constructor(source: Readable, fault: (error: unknown) => Error, wire?: WireEvents) {
    super();
    this.#fault = fault;
    this.#wire = wire;
    pipeline(source, this, () => undefined);
  }

  override _transform(chunk: Buffer, encoding: BufferEncoding, callback: TransformCallback): void {
    this.#wire?.onChunk(chunk);
    super._transform(chunk, encoding, callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    callback(error === null ? null : this.#fault(error));
  }
}

/** An allow-list, and nothing that repeats a secret: a provider may echo what it was sent. */
export function headersOf(
  headers: Dispatcher.ResponseData['headers'],
  secrets: readonly Secret[],
): Record<string, string> {
  const passed: Record<string, string> = Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), [value ?? ''].flat().join(', ')] as const)
      .filter(([name, value]) => passedHeaders.test(name) && !mentions(`${name} ${value}`, secrets))
      // No encoding at all, said in so many words or in none; others take it for one.
      .filter(([name, value]) => name !== 'content-encoding' || !/^\s*(identity)?\s*$/i.test(value)),
  );
  const id = passed['x-request-id'] ?? passed['request-id'] ?? passed['apim-request-id'];
  // OpenAI's clients read the first, Anthropic's the second, whoever the provider is.
  return id === undefined ? passed : { 'x-request-id': id, 'request-id': id, ...passed };
}

/** As much of an error's body as arrives in bounded time and space. It is never needed, only helpful. */
export async function readError(body: Readable): Promise<string> {
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
    // What arrived is used.
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(parts).subarray(0, ERROR_BODY_BYTES).toString('utf8');
}
