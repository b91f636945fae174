import { type Readable } from 'node:stream';

export const ERROR_BODY_BYTES = 64 * 1024;
const ERROR_BODY_MS = 5000;

/** The body of an error, within a limit of time and size. Its text is helpful but never required. */
export class ErrorBody {
  /** Resolves with the text that has arrived when the body ends or a limit is reached. */
  readonly text: Promise<string>;
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  #finish: () => void = () => undefined;
  readonly #timer: NodeJS.Timeout;

  /** @param stop called when a limit is reached: the rest of the body is not needed */
  constructor(private readonly stop: () => void) {
    this.text = new Promise((resolve) => {
      this.#finish = () => resolve(Buffer.concat(this.#parts).subarray(0, ERROR_BODY_BYTES).toString('utf8'));
    });
    this.#timer = setTimeout(() => this.#reachLimit(), ERROR_BODY_MS);
  }

  push(part: Buffer): void {
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes >= ERROR_BODY_BYTES) this.#reachLimit();
  }

  /** The body has ended or broken off. */
  end(): void {
    clearTimeout(this.#timer);
    this.#finish();
  }

  #reachLimit(): void {
    this.end();
    this.stop();
  }
}

/** Reads the body of an error from a stream. */
export async function readErrorBody(body: Readable): Promise<string> {
  const read = new ErrorBody(() => body.destroy());
  body.on('data', (part: Buffer) => read.push(part));
  for (const event of ['end', 'error', 'close']) body.once(event, () => read.end());
  return read.text;
}
