import { type Readable, Transform } from 'node:stream';
import { type FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem';
import { BodyBytes } from './body-bytes';
import { DecodedBody } from './decoded-body';

/** The largest body of the sysadmin API. */
const SYSADMIN_BODY_BYTES = 1024 * 1024;

/** Ends a parser of Fastify. */
type Done = (error: Error | null, body?: unknown) => void;

/**
 * Reads the bodies of requests, as Fastify's content type parsers, and decodes them. A body of a call takes its bytes of the memory
 * for bodies as it arrives. The sysadmin API has small bodies and is not counted, since it must work when there is too much to do.
 */
export class BodyReader {
  readonly #maxBodyBytes: number;

  /** @param limits the largest body of a call */
  constructor({ maxBodyBytes }: { readonly maxBodyBytes: number }) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Reads a JSON body as bytes: /v1 passes them on, and the sysadmin routes parse them after their other checks. */
  readonly json = (request: FastifyRequest, payload: Readable, done: Done): void => {
    const refusal = this.#earlyRefusalOf(request);
    if (refusal !== undefined) return done(refusal);
    const source = this.#sourceOf(request, payload);
    // A decoded body is longer than its announced length.
    const announced = source === payload ? Number(request.headers['content-length'] ?? 0) : 0;
    const { isPlatform, memory } = request.tenkey;
    const body = new BodyBytes(announced, (bytes) => (isPlatform ? memory.take(bytes) : undefined));
    const end = (error: Error | null) => {
      source.off('data', onData);
      source.off('end', onEnd);
      source.off('error', end);
      if (error !== null && source !== payload) source.destroy();
      if (error !== null || body.length === 0) return done(error);
      done(null, body.whole());
    };
    const onData = (part: Buffer) => {
      const isTooLong = body.length + part.length > this.#limitOf(request);
      const late = isTooLong ? new Problem('payload_too_large') : body.add(part);
      if (late !== undefined) end(late);
    };
    const onEnd = () => end(null);
    source.on('data', onData);
    source.on('end', onEnd);
    source.on('error', end);
  };

  /** Leaves a form to its route, which passes it on while it arrives and may hold parts of it. */
  readonly form = (request: FastifyRequest, payload: Readable, done: Done): void => {
    const refusal = this.#earlyRefusalOf(request);
    if (refusal !== undefined) return done(refusal);
    const source = this.#sourceOf(request, payload);
    let received = 0;
    const counted = new Transform({
      transform: (part: Buffer, _, next) => {
        received += part.length;
        next(this.#refusalOf(request, part.length, received), part);
      },
    });
    // Not with `pipeline`, which takes the connection from a request whose body is refused, so that the client gets no response.
    source.on('error', (error) => counted.destroy(error));
    // The route gets the error too, unless it does not read the body.
    counted.on('error', () => undefined).once('close', () => source.unpipe(counted).resume());
    source.pipe(counted);
    done(null, counted);
  };

  /** The body without its encoding. */
  #sourceOf(request: FastifyRequest, payload: Readable): Readable {
    const encoding = request.headers['content-encoding'];
    if (encoding === undefined || /^\s*(identity)?\s*$/i.test(encoding)) return payload;
    return new DecodedBody(encoding, payload, this.#limitOf(request));
  }

  #limitOf(request: FastifyRequest): number {
    return request.tenkey.isPlatform ? this.#maxBodyBytes : SYSADMIN_BODY_BYTES;
  }

  /** A body whose length says that it cannot be accepted is not read. It takes no bytes yet: the client may never send them. */
  #earlyRefusalOf(request: FastifyRequest): Problem | undefined {
    const length = Number(request.headers['content-length'] ?? 0);
    if (length > this.#limitOf(request)) return new Problem('payload_too_large');
    return request.tenkey.isPlatform ? request.tenkey.memory.refusalOf(length) : undefined;
  }

  /**
   * Takes the bytes of a part of a body.
   * @param received the bytes of the body up to the end of the part
   * @returns why they cannot be accepted, or undefined
   */
  #refusalOf(request: FastifyRequest, bytes: number, received: number): Problem | undefined {
    if (received > this.#limitOf(request)) return new Problem('payload_too_large');
    return request.tenkey.isPlatform ? request.tenkey.memory.take(bytes) : undefined;
  }
}
