import { Readable } from 'node:stream';

/**
 * What a generator makes of an answer's body, part by part. Not `Readable.from`: that waits for the generator when a
 * client leaves, and so for a provider that may be silent.
 */
export class GeneratedBody extends Readable {
  constructor(
    private readonly source: Readable,
    private readonly parts: AsyncGenerator<Buffer>,
  ) {
    // One part at a time: an error destroys what waits in the stream, so nothing may wait there.
    super({ highWaterMark: 1 });
    // The generator tells of an error, but it may not have begun, and an error that nobody listens to ends the process.
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
