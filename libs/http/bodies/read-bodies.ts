import { type Readable, Transform } from 'node:stream';
import { type FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem';
import { DecodedBody } from './decoded-body';

/** The largest body of the sysadmin API. */
const SYSADMIN_BODY_BYTES = 1024 * 1024;

/** Ends a parser of Fastify. */
type Done = (error: Error | null, body?: unknown) => void;

/**
 * Reads the bodies of requests, as Fastify's content type parsers, and decodes them. A body of a call takes its bytes of the memory for
 * bodies before it is read, or as it arrives when its length is not known. The sysadmin API has small bodies and is not counted, since it
 * must work when there is too much to do.
 */
export class BodyReader {
  readonly #maxBodyBytes: number;

  /** @param limits the largest body of a call */
  constructor({ maxBodyBytes }: { readonly maxBodyBytes: number }) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Reads a JSON body as bytes: /v1 passes them on, and the sysadmin routes parse them after their other checks. */
  readonly json = (request: FastifyRequest, payload: Readable, done: Done): void => {
    const source = this.#sourceOf(request, payload);
    const length = source === payload ? lengthOf(request) : undefined;
    const refusal = this.#refusalOf(request, length ?? 0);
    if (refusal !== undefined) return done(refusal);
    const whole = length === undefined ? undefined : Buffer.allocUnsafe(length);
    const parts: Buffer[] = [];
    let received = 0;
    const end = (error: Error | null) => {
      source.off('data', onData);
      source.off('end', onEnd);
      source.off('error', end);
      if (error !== null && source !== payload) source.destroy();
      if (error !== null || received === 0) return done(error);
      done(null, whole?.subarray(0, received) ?? Buffer.concat(parts, received));
    };
    const onData = (part: Buffer) => {
      received += part.length;
      // Node passes no more bytes than the header Content-Length says.
      if (whole !== undefined) return void part.copy(whole, received - part.length);
      const late = this.#refusalOf(request, part.length, received);
      if (late !== undefined) return end(late);
      parts.push(part);
    };
    const onEnd = () => end(null);
    source.on('data', onData);
    source.on('end', onEnd);
    source.on('error', end);
  };

  /** Leaves a form to its route, which passes it on while it arrives and may hold parts of it. */
  readonly form = (request: FastifyRequest, payload: Readable, done: Done): void => {
    const source = this.#sourceOf(request, payload);
    const length = source === payload ? lengthOf(request) : undefined;
    if (length !== undefined) return done(this.#refusalOf(request, length) ?? null, payload);
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

  /**
   * Takes the bytes of a body, or of a part of it.
   * @param received the bytes of the body up to the end of the part
   * @returns why they cannot be accepted, or undefined
   */
  #refusalOf(request: FastifyRequest, bytes: number, received = bytes): Problem | undefined {
    if (received > this.#limitOf(request)) return new Problem('payload_too_large');
    return request.tenkey.isPlatform ? request.tenkey.memory.take(bytes) : undefined;
  }
}

/** Undefined for a body that comes in chunks. */
function lengthOf({ headers }: FastifyRequest): number | undefined {
  return headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
}
