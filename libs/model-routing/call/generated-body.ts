import { Readable } from 'node:stream';

/**
 * A response body that a generator produces, part by part, from the provider's body. `Readable.from` does not work here: when
 * the client disconnects it waits for the generator, and so for a provider that may be silent.
 */
export class GeneratedBody extends Readable {
  constructor(
    private readonly source: Readable,
    private readonly parts: AsyncGenerator<Buffer>,
  ) {
    // Buffer one part at most: an error discards what is buffered.
    super({ highWaterMark: 1 });
    // The generator reports errors, but it may not have started yet, and an error without a listener stops the process.
    source.on('error', () => undefined);
  }

  override _read(): void {
    this.parts.next().then(
      ({ done, value }) => this.push(done === true ? null : value),
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.source.destroy();
    callback(error);
  }
}
