import { Problem } from '#http';
import { type BodySink, type BodySource } from './body-sink';

/** More than any model writes; a response without an end must not fill the memory. */
const MAXIMUM_BYTES = 64 * 1024 * 1024;
/** A usual response is not counted: it must arrive also when long requests take all the memory. */
export const UNCOUNTED_BYTES = 64 * 1024;
/** An object or a list takes up to 30 times its bytes in memory, and a second of time for some millions. No response needs as many. */
const MAXIMUM_OBJECTS = 1_000_000;
/** Embeddings have many numbers. */
const MAXIMUM_SEPARATORS = 5_000_000;

const comma = 0x2c;
const bracket = 0x5b;
const brace = 0x7b;

/** The memory for what has to be held of responses. Other calls take from it too. */
export interface ResponseMemory {
  /** @returns why so many bytes cannot be held, or undefined */
  take(bytes: number): Problem | undefined;
}

/** Holds a body until it is complete. */
export class WholeBody implements BodySink {
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  #isOver = false;

  /**
   * @param memory undefined: nobody counts
   * @param onBody called with the whole body; what it throws is the failure of the body
   * @param onFail called when there is no body
   */
  constructor(
    private readonly source: BodySource,
    private readonly memory: ResponseMemory | undefined,
    private readonly onBody: (body: Buffer) => void,
    private readonly onFail: (error: unknown) => void,
  ) {}

  write(part: Buffer): boolean {
    if (this.#isOver) return true;
    this.#bytes += part.length;
    const refusal = this.#refusalOf(part.length);
    if (refusal === undefined) this.#parts.push(part);
    else {
      this.source.stop();
      this.fail(refusal);
    }
    return true;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const parts = this.#parts.splice(0);
    try {
      this.onBody(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
    } catch (error) {
      this.onFail(error);
    }
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.length = 0;
    this.onFail(error);
  }

  #refusalOf(bytes: number): Problem | undefined {
    if (this.#bytes > MAXIMUM_BYTES) return tooLarge(`more than ${MAXIMUM_BYTES} bytes`);
    return this.#bytes > UNCOUNTED_BYTES ? this.memory?.take(bytes) : undefined;
  }
}

/**
 * For JSON whose values are built: that takes much more memory than its bytes.
 * @throws Problem upstream_unavailable
 */
export function refuseTooManyValues(json: Buffer): void {
  // Shorter bodies cannot have as many, because each needs three bytes.
  if (json.length < 3 * MAXIMUM_OBJECTS) return;
  let objects = 0;
  let separators = 0;
  // Those in texts count too, so that the texts need not be found.
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === comma) separators += 1;
    else if (byte === brace || byte === bracket) objects += 1;
  }
  if (objects > MAXIMUM_OBJECTS || separators > MAXIMUM_SEPARATORS) throw tooLarge('too many values');
}

function tooLarge(what: string): Problem {
  return new Problem('upstream_unavailable', { detail: `The response of the provider has ${what}.` });
}
