import { setImmediate as nextTurn } from 'node:timers/promises';
import { Problem } from '#http';
import {
  type Json,
  type Member,
  parseJson,
  type ScannedObject,
  scanObject,
  scanSteps,
  textOf,
  TooDeeplyNested,
  TooManyParameters,
} from '#providers';
import { watchedNames } from '../stored-objects/named-ids';

/** A tree takes up to a hundred times its bytes in memory, and building it blocks the process. */
const MAXIMUM_VALUES = 250_000;
/** A parameter of this size has not too many values, whatever it contains. */
const SMALL_BYTES = 512 * 1024;
/** A longer body is scanned in steps, and other requests have their turn in between. A step takes some milliseconds. */
const STEP_BYTES = 512 * 1024;

let lastTurn: Promise<void> = Promise.resolve();

/** Waits for a turn of the event loop that no other long body uses, so that many of them do not make the turns longer. */
function ownTurn(): Promise<void> {
  lastTurn = lastTurn.then(() => nextTurn());
  return lastTurn;
}

/**
 * The body of a JSON request. It is scanned once, without building its values, which is all that a call needs whose bytes are
 * passed on. A tree is built only where a translation, a token limit or a provider needs one.
 */
export class JsonRequest {
  readonly #scanned: ScannedObject;
  #tree: Json | undefined;

  private constructor(
    readonly bytes: Buffer,
    scanned: ScannedObject,
  ) {
    this.#scanned = scanned;
  }

  /** @throws Problem malformed_request when the bytes are not a JSON object, or have too many parameters or levels */
  static async read(bytes: Buffer): Promise<JsonRequest> {
    try {
      if (bytes.length <= STEP_BYTES) return new JsonRequest(bytes, scanObject(bytes, watchedNames));
      const steps = scanSteps(bytes, STEP_BYTES, watchedNames);
      for (;;) {
        const step = steps.next();
        if (step.done) return new JsonRequest(bytes, step.value);
        await ownTurn();
      }
    } catch (error) {
      if (error instanceof TooManyParameters || error instanceof TooDeeplyNested) {
        throw new Problem('malformed_request', { detail: error.message });
      }
      if (!(error instanceof SyntaxError)) throw error;
      throw new Problem('malformed_request', { detail: 'The body must be a JSON object in UTF-8.' });
    }
  }

  get members(): readonly Member[] {
    return this.#scanned.members;
  }

  /** The bits of the names that may name stored objects, at any depth. */
  get watched(): number {
    return this.#scanned.watched;
  }

  /** Whether an object in it has a name twice. Parsers differ in which of the two they use, and a tree has only the last. */
  get hasRepeatedName(): boolean {
    return countOfNames(this.tree) !== this.#scanned.names;
  }

  /** Whether a parameter is `false` wherever it is given. */
  isFalse(name: string): boolean {
    const given = this.members.filter((each) => each.name === name);
    const isFalse = ({ valueStart, valueEnd }: Member) =>
      this.bytes.toString('latin1', valueStart, valueEnd) === 'false';
    return given.length > 0 && given.every(isFalse);
  }

  /** The text of a parameter; undefined when it is absent or not a text. Of several with this name, JSON parsers use the last. */
  text(name: string): string | undefined {
    const member = this.members.findLast((each) => each.name === name);
    if (member === undefined || this.bytes[member.valueStart] !== 0x22) return undefined;
    return textOf(this.bytes, member.valueStart, member.valueEnd);
  }

  /**
   * For what takes time for each value of a parameter.
   * @throws Problem malformed_request when the parameter may have too many
   */
  requireFewValues({ valueStart, valueEnd }: Member): void {
    if (valueEnd - valueStart > SMALL_BYTES) this.#refuseTooManyValues();
  }

  /** @throws Problem malformed_request when it would have too many values */
  get tree(): Json {
    return (this.#tree ??= this.#build());
  }

  #refuseTooManyValues(): void {
    if (this.#scanned.values <= MAXIMUM_VALUES) return;
    throw new Problem('malformed_request', {
      detail: `The request has more than ${MAXIMUM_VALUES} values, which is the limit for calls to this model.`,
    });
  }

  #build(): Json {
    this.#refuseTooManyValues();
    return parseJson(this.bytes.toString('utf8')) as Json;
  }
}

/** Does not recurse. */
function countOfNames(tree: Json): number {
  let names = 0;
  const waiting: object[] = [tree];
  for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
    const values: unknown[] = Array.isArray(item) ? item : Object.values(item);
    if (!Array.isArray(item)) names += values.length;
    for (const value of values) if (typeof value === 'object' && value !== null) waiting.push(value);
  }
  return names;
}
