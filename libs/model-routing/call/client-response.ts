import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type BodySink, type BodySource, isEventStream } from '#egress';
import { type RoutedHead } from './call.service';

/**
 * Writes the response to a call to the client's connection. A JSON body that arrives in one part goes out in one write, together
 * with the head; everything else goes out as it arrives.
 */
export class ClientResponse implements BodySink {
  readonly #request: FastifyRequest;
  readonly #raw: FastifyReply['raw'];
  readonly #source: BodySource;
  readonly #acceptsLastEvent: boolean;
  /** The first part of a JSON body. */
  #held: Buffer | undefined;
  #holdsFirst: boolean;
  #waitsForDrain = false;

  /**
   * @param headers of ours, which name the credential that pays
   * @param pauseMs how long the client may pause
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
    const { 'content-type': type, 'content-encoding': encoding } = passed;
    this.#acceptsLastEvent = isEventStream(type) && encoding === undefined;
    this.#holdsFirst = type?.startsWith('application/json') === true;
    const head: Record<string, string> = {};
    for (const name in passed) head[name] = passed[name]!;
    for (const name in headers) head[name] = headers[name]!;
    head['x-tenkey-request-id'] = request.id;
    if (receipt !== undefined) head['x-tenkey-receipt'] = receipt;
    // Node checks the head before `hijack`: Fastify can then still send a problem when it cannot be written.
    if (this.#holdsFirst) {
      // Written with the body, whose length Node then knows.
      raw.statusCode = status;
      for (const name in head) raw.setHeader(name, head[name]!);
    } else {
      raw.writeHead(status, head);
      raw.flushHeaders();
    }
    reply.hijack();
    raw.setTimeout(pauseMs, () => raw.destroy());
  }

  write(part: Buffer): boolean {
    if (this.#holdsFirst) {
      this.#holdsFirst = false;
      this.#held = part;
      return true;
    }
    this.#flush();
    const mayContinue = this.#raw.write(part);
    if (!mayContinue && !this.#waitsForDrain) {
      this.#waitsForDrain = true;
      this.#raw.on('drain', () => this.#source.resume());
    }
    return mayContinue;
  }

  end(): void {
    this.#raw.end(this.#held);
  }

  fail(error: Error): void {
    const { tenkey } = this.#request;
    if (this.#raw.destroyed) return;
    this.#flush();
    const problem = tenkey.report(error);
    // The status has been sent. A client of an event stream has received whole events, so the problem is one more event.
    if (this.#acceptsLastEvent) this.#raw.end(tenkey.renderLastEvent(problem));
    else this.#raw.destroy();
  }

  #flush(): void {
    if (this.#held === undefined) return;
    this.#raw.write(this.#held);
    this.#held = undefined;
  }
}
