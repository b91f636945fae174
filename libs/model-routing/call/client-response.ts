import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type BodySink, type BodySource, isEventStream } from '#egress';
import { type RoutedHead } from './dispatch.service';

const noBytes = Buffer.alloc(0);
/** What a header cannot hold (RFC 9110, 5.5). Node refuses to write it. */
const unwritable = /[^\t\x20-\x7e\x80-\xff]/;
/** A longer body is not worth the copy. */
const MAXIMUM_JOINED_BYTES = 16 * 1024;

/**
 * Writes the response to a call to the client's connection. A JSON body that arrives in one part goes out in one write, together
 * with the head; everything else goes out as it arrives.
 */
export class ClientResponse implements BodySink {
  readonly #request: FastifyRequest;
  readonly #raw: FastifyReply['raw'];
  readonly #source: BodySource;
  readonly #acceptsLastEvent: boolean;
  readonly #pauseMs: number;
  /** The head of a JSON body, and its first part once it is there. */
  #unsent: { readonly status: number; readonly head: string[]; part?: Buffer } | undefined;
  #isHeadSent = false;
  #waitsForDrain = false;

  /**
   * @param headers of ours, which name the credential that pays
   * @param pauseMs how long the client may stop reading while there is something to read
   */
  constructor(
    request: FastifyRequest,
    reply: FastifyReply,
    { status, headers: passed, receipt, source }: RoutedHead,
    headers: Readonly<Record<string, string>> | undefined,
    pauseMs: number,
  ) {
    const { raw } = reply;
    this.#request = request;
    this.#raw = raw;
    this.#source = source;
    this.#pauseMs = pauseMs;
    const { 'content-type': type, 'content-encoding': encoding } = passed;
    this.#acceptsLastEvent = isEventStream(type) && encoding === undefined;
    // Names and values in turn, which Node writes as they are.
    const head: string[] = [];
    for (const name in passed) head.push(name, passed[name]!);
    for (const name in headers) head.push(name, headers[name]!);
    head.push('x-tenkey-request-id', request.id);
    const { clientRequestId } = request.tenkey;
    if (clientRequestId !== undefined) head.push('x-client-request-id', clientRequestId);
    if (receipt !== undefined) head.push('x-tenkey-receipt', receipt);
    // A proxy that buffers would hold the events back; nginx reads the second.
    if (isEventStream(type)) head.push('cache-control', 'no-cache', 'x-accel-buffering', 'no');
    // The head is checked before `hijack`: Fastify can then still send a problem when it cannot be written.
    if (type?.startsWith('application/json') === true) {
      if (head.some((text) => unwritable.test(text))) throw new TypeError('a header cannot be written');
      this.#unsent = { status, head };
    } else {
      raw.writeHead(status, head);
      // A first part that arrived together with the head is written in the next tick. After that tick, the head goes out alone.
      process.nextTick(() =>
        process.nextTick(() => {
          if (!this.#isHeadSent) raw.flushHeaders();
        }),
      );
    }
    reply.hijack();
    raw.on('timeout', () => raw.destroy());
  }

  write(part: Buffer): boolean {
    if (this.#unsent !== undefined && this.#unsent.part === undefined) {
      this.#unsent.part = part;
      return true;
    }
    this.#flush();
    this.#isHeadSent = true;
    const mayContinue = this.#raw.write(part);
    if (!mayContinue && !this.#waitsForDrain) {
      this.#waitsForDrain = true;
      this.#raw.setTimeout(this.#pauseMs);
      this.#raw.once('drain', () => {
        this.#waitsForDrain = false;
        // From here on it is the provider's turn, whose silence is none of the client.
        this.#raw.setTimeout(0);
        this.#source.resume();
      });
    }
    return mayContinue;
  }

  end(): void {
    this.#isHeadSent = true;
    this.#raw.setTimeout(this.#pauseMs);
    const unsent = this.#unsent;
    if (unsent === undefined) {
      this.#raw.end();
      return;
    }
    this.#unsent = undefined;
    const { status, head, part = noBytes } = unsent;
    head.push('content-length', String(part.length));
    this.#raw.writeHead(status, head);
    // Node sends a head and a text as one piece, but a head and bytes as two.
    if (part.length <= MAXIMUM_JOINED_BYTES) this.#raw.end(part.toString('latin1'), 'latin1');
    else this.#raw.end(part);
  }

  fail(error: Error): void {
    const { tenkey } = this.#request;
    if (this.#raw.destroyed) return;
    this.#isHeadSent = true;
    this.#raw.setTimeout(this.#pauseMs);
    this.#flush();
    const problem = tenkey.report(error);
    // The status has been sent. A client of an event stream has received whole events, so the problem is one more event.
    if (this.#acceptsLastEvent) this.#raw.end(tenkey.renderLastEvent(problem));
    else this.#raw.destroy();
  }

  #flush(): void {
    if (this.#unsent === undefined) return;
    const { status, head, part } = this.#unsent;
    this.#unsent = undefined;
    this.#raw.writeHead(status, head);
    if (part !== undefined) this.#raw.write(part);
  }
}
