import { inspect } from 'node:util';

/** The mask of a secret: `...` and its last four code points. The only form of a key that may be shown. */
export function maskOf(value: string): string {
  return `...${Array.from(value).slice(-4).join('')}`;
}

/**
 * A secret on its way from the request that brought it, or the row that held it, to the header that carries it.
 *
 * The text lives in a private field, so neither JSON, util.inspect, string concatenation, a structured clone nor an
 * error's attached object can show it: each prints `[secret ...xyz9]`. Only `expose()` gives it, and the call
 * belongs in the one expression that seals it or puts it in a header.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    Object.freeze(this);
  }

  /** `...` and the last four code points; nothing at all of a value so short that four would be half of it. */
  get mask(): string {
    return Array.from(this.#value).length < 8 ? '...' : maskOf(this.#value);
  }

  /** The text itself. */
  expose(): string {
    return this.#value;
  }

  toString(): string {
    return `[secret ${this.mask}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.toPrimitive](): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
