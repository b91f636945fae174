import { type Transform } from 'node:stream';
import * as zlib from 'node:zlib';

type Stream = Transform & { readonly bytesWritten: number };
/** Makes a decoder for a body that begins with this byte. */
type Create = (first: number | undefined) => Stream;

/** Newer versions of Node have it. */
const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: object) => Stream };
/** 8 MiB, as RFC 9659 demands. A larger window would be memory that a few bytes can claim. */
const zstdOptions = { params: { [(zlib.constants as Record<string, number>).ZSTD_d_windowLogMax ?? 0]: 23 } };

/** By encoding. Many programs send `deflate` without the header of zlib (RFC 1950, 2.2). */
const decoders = new Map<string, Create>([
  ['gzip', () => zlib.createGunzip()],
  ['x-gzip', () => zlib.createGunzip()],
  ['deflate', (first) => ((first ?? 0) % 16 === 8 ? zlib.createInflate() : zlib.createInflateRaw())],
  ['br', () => zlib.createBrotliDecompress()],
]);
if (createZstdDecompress !== undefined) decoders.set('zstd', () => createZstdDecompress(zstdOptions));

/** Receives a decoded body. */
interface Receiver {
  data(part: Buffer): void;
  /** The encoded data is complete. */
  end(): void;
  fail(error: Error): void;
  /** The decoder takes bytes again after `write` has returned false. */
  drain(): void;
}

/** Decodes a body in one of the content encodings of HTTP (RFC 9110, 8.4.1). */
export class Decoder {
  /** For the header Accept-Encoding. */
  static readonly encodings = [...decoders.keys()].filter((name) => name !== 'x-gzip').join(', ');
  #stream: Stream | undefined;

  /** @returns undefined when Tenkey cannot decode the encoding, or when there is more than one */
  static of(encoding: string | undefined, receiver: Receiver): Decoder | undefined {
    const create = encoding === undefined ? undefined : decoders.get(encoding.trim().toLowerCase());
    return create && new Decoder(create, receiver);
  }

  private constructor(
    private readonly create: Create,
    private readonly receiver: Receiver,
  ) {}

  /** How many of the bytes belong to the encoded data; those after its end do not. */
  get decodedBytes(): number {
    return this.#stream?.bytesWritten ?? 0;
  }

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

  #streamFor(first: number | undefined): Stream {
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
