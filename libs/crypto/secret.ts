import { inspect } from 'node:util';

/** The mask of a key, `...` and its last four code points. It is the only form in which a key may be shown. */
export function maskOf(value: string): string {
  return `...${Array.from(value).slice(-4).join('')}`;
}

/**
 * A secret that cannot be printed by accident.
 *
 * The text is in a private field: JSON, `util.inspect` and string concatenation print `[secret ...xyz9]`, and a structured
 * clone has nothing. Only `expose()` returns the text, and belongs in the one expression that seals it or puts it in a header.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    Object.freeze(this);
  }

  /** `...` and the last four code points; only `...` for a value of fewer than eight, where four would be too much. */
  get mask(): string {
    return Array.from(this.#value).length < 8 ? '...' : maskOf(this.#value);
  }

  expose(): string {
    return this.#value;
  }

  /** Whether both hold the same text. */
  isSame(other: Secret): boolean {
    return this.#value === other.#value;
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
