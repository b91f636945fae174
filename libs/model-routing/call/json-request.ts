import { Problem } from '#http';
import {
  type Json,
  type Member,
  type ScannedObject,
  scanObject,
  TooDeeplyNested,
  TooManyParameters,
} from '#providers';

/** A tree takes up to a hundred times its bytes in memory, and building it blocks the process. */
const MAXIMUM_VALUES = 250_000;

/**
 * The body of a JSON request. It is scanned once, without building its values, which is all that a call needs whose bytes are
 * passed on. A tree is built only where a translation, a token limit or a provider needs one.
 */
export class JsonRequest {
  readonly #scanned: ScannedObject;
  #tree: Json | undefined;

  /** @throws Problem malformed_request when the bytes are not a JSON object, or have too many parameters or levels */
  constructor(readonly bytes: Buffer) {
    try {
      this.#scanned = scanObject(bytes);
    } catch (error) {
      if (error instanceof TooManyParameters || error instanceof TooDeeplyNested) {
        throw new Problem('malformed_request', { detail: error.message });
      }
      throw new Problem('malformed_request', { detail: 'The body must be a JSON object in UTF-8.' });
    }
  }

  get members(): readonly Member[] {
    return this.#scanned.members;
  }

  /** The text of a parameter; undefined when it is absent or not a text. Of several with this name, JSON parsers use the last. */
  text(name: string): string | undefined {
    const member = this.members.findLast((each) => each.name === name);
    if (member === undefined || this.bytes[member.valueStart] !== 0x22) return undefined;
    return JSON.parse(this.bytes.toString('utf8', member.valueStart, member.valueEnd)) as string;
  }

  /** @throws Problem malformed_request when it would have too many values */
  get tree(): Json {
    return (this.#tree ??= this.#build());
  }

  #build(): Json {
    if (this.#scanned.values > MAXIMUM_VALUES) {
      throw new Problem('malformed_request', {
        detail: `The request has more than ${MAXIMUM_VALUES} values, which is more than a call to this model can have.`,
      });
    }
    return JSON.parse(this.bytes.toString('utf8')) as Json;
  }
}
