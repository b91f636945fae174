import { type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';

/** Makes a decoder for a body that begins with this byte. */
type Create = (first: number | undefined) => Transform;
/** By encoding. Many servers send `deflate` without the header of zlib (RFC 1950, 2.2). */
const decoders: ReadonlyMap<string, Create> = new Map<string, Create>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', (first) => ((first ?? 0) % 16 === 8 ? createInflate() : createInflateRaw())],
  ['br', () => createBrotliDecompress()],
]);

/** Receives a decoded body. */
interface Receiver {
  data(part: Buffer): void;
  end(): void;
  fail(error: Error): void;
  /** The decoder takes bytes again after `write` has returned false. */
  drain(): void;
}

/** Decodes a body that the provider compressed although the request allows no compression. */
export class Decoder {
  #stream: Transform | undefined;

  /** @returns undefined when Tenkey cannot decode the encoding, or when there is more than one */
  static of(encoding: string | undefined, receiver: Receiver): Decoder | undefined {
    const create = encoding === undefined ? undefined : decoders.get(encoding.trim().toLowerCase());
    return create && new Decoder(create, receiver);
  }

  private constructor(
    private readonly create: Create,
    private readonly receiver: Receiver,
  ) {}

  /** @returns false when it has enough for now */
  write(part: Buffer): boolean {
    return this.#streamFor(part[0]).write(part);
  }

  end(): void {
    this.#streamFor(undefined).end();
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  stop(): void {
    this.#stream?.destroy();
  }

  #streamFor(first: number | undefined): Transform {
    if (this.#stream !== undefined) return this.#stream;
    const stream = this.create(first);
    stream.on('data', (part: Buffer) => this.receiver.data(part));
    stream.on('end', () => this.receiver.end());
    stream.on('error', (error) => this.receiver.fail(error));
    stream.on('drain', () => this.receiver.drain());
    this.#stream = stream;
    return stream;
  }
}
