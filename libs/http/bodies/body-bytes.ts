import { type Problem } from '../problems/problem';

/** A longer body gets one buffer for all of its bytes. */
const LONG_BYTES = 1024 * 1024;
/** It gets it when this part of the announced length has arrived, so that an announcement alone takes no memory. */
const ARRIVED_SHARE = 64;

/**
 * The bytes of a body while it arrives. The parts of a long body would have to be kept until its end and then be copied, so that it
 * would take twice its length. Its announced length is taken at once, because of many long bodies that arrive together most would
 * otherwise fill the memory and then be refused.
 */
export class BodyBytes {
  #parts: Buffer[] = [];
  #buffer: Buffer | undefined;
  #length = 0;

  /**
   * @param announced 0: unknown
   * @param take takes the memory. It returns why that cannot be had, or undefined
   */
  constructor(
    private readonly announced: number,
    private readonly take: (bytes: number) => Problem | undefined,
  ) {}

  get length(): number {
    return this.#length;
  }

  /** @returns why the part cannot be kept, or undefined */
  add(part: Buffer): Problem | undefined {
    const end = this.#length + part.length;
    if (this.#buffer === undefined) {
      const isWhole = this.announced >= LONG_BYTES && end * ARRIVED_SHARE >= this.announced;
      const refusal = this.take(isWhole ? this.announced - this.#length : part.length);
      if (refusal !== undefined) return refusal;
      if (isWhole) this.#allocate();
    }
    // Node never passes on more than the announced length.
    if (this.#buffer === undefined) this.#parts.push(part);
    else part.copy(this.#buffer, this.#length);
    this.#length = end;
    return undefined;
  }

  whole(): Buffer {
    if (this.#buffer !== undefined) return this.#buffer.subarray(0, this.#length);
    const [first] = this.#parts;
    return this.#parts.length === 1 ? first! : Buffer.concat(this.#parts, this.#length);
  }

  #allocate(): void {
    this.#buffer = Buffer.allocUnsafeSlow(this.announced);
    let at = 0;
    for (const each of this.#parts) at += each.copy(this.#buffer, at);
    this.#parts = [];
  }
}
