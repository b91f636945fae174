import { type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

const decoders: ReadonlyMap<string, () => Transform> = new Map([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
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
  readonly #stream: Transform;

  /** @returns undefined when Tenkey cannot decode the encoding, or when there is more than one */
  static of(encoding: string | undefined, receiver: Receiver): Decoder | undefined {
    const create = encoding === undefined ? undefined : decoders.get(encoding.trim().toLowerCase());
    return create && new Decoder(create(), receiver);
  }

  private constructor(stream: Transform, receiver: Receiver) {
    this.#stream = stream;
    stream.on('data', (part: Buffer) => receiver.data(part));
    stream.on('end', () => receiver.end());
    stream.on('error', (error) => receiver.fail(error));
    stream.on('drain', () => receiver.drain());
  }

  /** @returns false when it has enough for now */
  write(part: Buffer): boolean {
    return this.#stream.write(part);
  }

  end(): void {
    this.#stream.end();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  stop(): void {
    this.#stream.destroy();
  }
}
