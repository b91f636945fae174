import { Readable } from 'node:stream';

/** Where the body of a response goes, part by part. After `end` or `fail`, nothing more is called. */
export interface BodySink {
  /** @returns false when the reader is slow: the source then pauses until it is resumed */
  write(part: Buffer): boolean;
  end(): void;
  /** @param error a Problem or ClientDisconnected. What was written before it is passed on */
  fail(error: Error): void;
}

/** Where a body comes from. */
export interface BodySource {
  resume(): void;
  /** Closes the upstream connection. Nothing more is written to the sink. */
  stop(): void;
}

/** A body for code that reads streams: the error of the body becomes the error of the stream. */
export class ReadableBody extends Readable implements BodySink {
  readonly #source: BodySource;
  readonly #onAbandon: () => void;
  #error: Error | undefined;
  #hasEnded = false;

  /** @param onAbandon called when the reader destroys the stream before its end */
  constructor(source: BodySource, onAbandon: () => void) {
    // Hands out one part at a time: an error discards what is buffered, so it must wait until nothing is.
    super({ highWaterMark: 1 });
    this.#source = source;
    this.#onAbandon = onAbandon;
    // A body that fails before somebody reads it must not stop the process.
    this.on('error', () => undefined);
  }

  write(part: Buffer): boolean {
    return this.push(part);
  }

  end(): void {
    this.#hasEnded = true;
    this.push(null);
  }

  fail(error: Error): void {
    this.#hasEnded = true;
    this.#error = error;
    if (this.readableLength === 0) this.destroy(error);
  }

  override _read(): void {
    if (this.#error === undefined) return this.#source.resume();
    // `_read` is called before the buffered bytes are handed out. The push makes a reader that took only a part read again.
    setImmediate(() => (this.readableLength === 0 ? this.destroy(this.#error) : this.push('')));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#hasEnded) this.#onAbandon();
    callback(error ?? this.#error ?? null);
  }
}
