import { Readable } from 'node:stream';
import { Problem } from '../problems/problem';
import { Decoder } from './decoder';

/**
 * The decoded body of a request. It fails with a Problem, and then drops what the client still sends, so that the client can read
 * the response.
 */
export class DecodedBody extends Readable {
  readonly #decoder: Decoder | undefined;
  #receivedBytes = 0;
  #isReceived = false;
  #isDecoded = false;

  /**
   * @param encoding the header Content-Encoding; one that cannot be decoded is the Problem of the body
   * @param maximumBytes the limit of the encoded body; the reader limits the decoded one
   */
  constructor(
    encoding: string,
    private readonly payload: Readable,
    private readonly maximumBytes: number,
  ) {
    super();
    this.#decoder = Decoder.of(encoding, {
      data: (part) => {
        if (!this.push(part)) this.#decoder?.pause();
      },
      end: () => {
        this.#isDecoded = true;
        if (this.#isReceived) this.#end();
        else payload.resume();
      },
      fail: () => this.destroy(undecodable()),
      drain: () => payload.resume(),
    });
    payload.on('error', (error) => this.destroy(error));
    if (this.#decoder === undefined) this.destroy(unsupported());
    else payload.on('data', this.#receive).once('end', this.#complete);
  }

  readonly #receive = (part: Buffer): void => {
    this.#receivedBytes += part.length;
    if (this.#receivedBytes > this.maximumBytes) this.destroy(new Problem('payload_too_large'));
    else if (this.#isDecoded) this.destroy(undecodable());
    else if (this.#decoder?.write(part) === false) this.payload.pause();
  };

  readonly #complete = (): void => {
    this.#isReceived = true;
    if (this.#receivedBytes === 0) this.push(null);
    else if (this.#isDecoded) this.#end();
    else this.#decoder?.end();
  };

  /** Bytes after the encoded data are refused, because they would be lost. */
  #end(): void {
    if (this.#decoder?.decodedBytes === this.#receivedBytes) this.push(null);
    else this.destroy(undecodable());
  }

  override _read(): void {
    this.#decoder?.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#decoder?.stop();
    this.payload.off('data', this.#receive).off('end', this.#complete).resume();
    done(error);
  }
}

function undecodable(): Problem {
  return new Problem('malformed_request', {
    detail: 'The body is incomplete, or is not encoded as Content-Encoding says.',
  });
}

function unsupported(): Problem {
  return new Problem('unsupported_media_type', {
    detail: `A body may have only one content encoding: ${Decoder.encodings}.`,
    headers: { 'accept-encoding': Decoder.encodings },
  });
}
