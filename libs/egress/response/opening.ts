import type { Operation, StoredResponseOperation } from '#providers';
import { type BodySink } from '../stream/body-sink';
import { errorOfEvent } from '../stream/error-events';
import { eachEvent, fieldsOfEvent, isEventStream, isWholeEvent } from '../stream/events';
import { fieldsOf, isPresent, type UpstreamError, upstreamErrorOf } from '../upstream-error';

/** How long the head of a stream waits for its first event. */
const FIRST_EVENT_MS = 2000;
/** Some providers send blank lines while a model thinks; they must reach the client before its proxies lose patience. */
const LONGEST_HOLD_MS = 20_000;
/** No error is longer. */
const LONGEST_HELD_BYTES = 64 * 1024;
/** A transcript may be a text that begins like a page, or an empty one. */
const textOperations: ReadonlySet<string> = new Set<Operation>([
  'audio/transcriptions',
  'audio/translations',
]);
/** Its success may have no body. */
const deletion: StoredResponseOperation = 'responses/delete';
/** The members of the results of all operations. */
const resultNames = [
  'choices',
  'data',
  'output',
  'content',
  'text',
  'results',
  'result',
  'segments',
  'input_tokens',
];

/** What becomes of the response. Exactly one of `open`, `refuse` and `fail` is called, once. */
export interface OpeningReceiver {
  /** @returns where the body goes */
  open(): BodySink;
  /** @param error undefined: there is neither a result nor an error. The rest of the body is not needed */
  refuse(error: UpstreamError | undefined): void;
  /** The body broke off. */
  fail(error: Error): void;
  /** Runs a step that no call of the sink runs, and handles what it throws. */
  run(step: () => void): void;
}

/**
 * Holds back the beginning of a success until it is clear that it is one, so that an error in a response with status 200 gets its
 * real status. It holds a stream until its first event, for at most two seconds, and JSON until its end, up to 64 KB and 20 s.
 */
export class Opening implements BodySink {
  readonly #operation: Operation | StoredResponseOperation;
  readonly #isOfEvents: boolean;
  readonly #isJson: boolean;
  readonly #isPage: boolean;
  readonly #isTextual: boolean;
  readonly #receiver: OpeningReceiver;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #startedAt = performance.now();
  #sink: BodySink | undefined;
  #isOver = false;
  #held: Buffer | undefined;

  constructor(
    operation: Operation | StoredResponseOperation,
    contentType: string | undefined,
    receiver: OpeningReceiver,
  ) {
    this.#operation = operation;
    this.#isOfEvents = isEventStream(contentType);
    this.#isJson = contentType !== undefined && /^[^;]*\bjson\b/i.test(contentType);
    this.#receiver = receiver;
    this.#isPage = !this.#isJson && contentType !== undefined && /^[^;]*\bx?html\b/i.test(contentType);
    this.#isTextual =
      this.#isJson || this.#isPage || contentType === undefined || /^\s*text\/|\bxml\b/i.test(contentType);
    if (this.#isOfEvents)
      this.#timer = setTimeout(() => receiver.run(() => void this.#open()), FIRST_EVENT_MS);
  }

  write(part: Buffer): boolean {
    if (this.#sink !== undefined) return this.#sink.write(part);
    if (this.#isOver) return true;
    this.#held = this.#held === undefined ? part : Buffer.concat([this.#held, part]);
    if (performance.now() - this.#startedAt > LONGEST_HOLD_MS) return this.#open();
    return this.#decide(this.#held, false);
  }

  end(): void {
    if (this.#sink === undefined && !this.#isOver) this.#decide(this.#held ?? Buffer.alloc(0), true);
    this.#sink?.end();
  }

  fail(error: Error): void {
    if (this.#sink !== undefined) return this.#sink.fail(error);
    if (this.#close()) this.#receiver.fail(error);
  }

  #decide(held: Buffer, isWhole: boolean): boolean {
    const verdict = this.#isOfEvents ? verdictOnEvents(held, isWhole) : this.#verdictOn(held, isWhole);
    if (verdict === 'success' || held.length > LONGEST_HELD_BYTES) return this.#open();
    if (verdict === 'unknown') return true;
    if (this.#close()) this.#receiver.refuse(verdict === 'nothing' ? undefined : verdict);
    return true;
  }

  #verdictOn(held: Buffer, isWhole: boolean): Verdict {
    const isText = textOperations.has(this.#operation) && !this.#isJson && !this.#isPage;
    const mayBeEmpty = isText || this.#operation === deletion;
    if (held.length === 0) return !isWhole ? 'unknown' : mayBeEmpty ? 'success' : 'nothing';
    // Sound and images may begin with any byte.
    if (!this.#isTextual || isText) return 'success';
    const text = held.subarray(0, 3).equals(byteOrderMark) ? held.subarray(3) : held;
    const first = text.find((byte) => !blanks.includes(byte));
    if (first === undefined) return isWhole ? 'nothing' : 'unknown';
    if (first === LESS_THAN) return 'nothing';
    if (first !== BRACE && first !== BRACKET) return 'success';
    return isWhole ? verdictOnJson(text.toString('utf8')) : 'unknown';
  }

  #open(): boolean {
    if (!this.#close()) return true;
    this.#sink = this.#receiver.open();
    const held = this.#held;
    this.#held = undefined;
    return held === undefined || this.#sink.write(held);
  }

  #close(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    clearTimeout(this.#timer);
    return true;
  }
}

/** `nothing`: the body has no result. */
type Verdict = 'success' | 'unknown' | 'nothing' | UpstreamError;

const LESS_THAN = 0x3c;
const BRACE = 0x7b;
const BRACKET = 0x5b;
const blanks: readonly number[] = [0x20, 0x09, 0x0a, 0x0d];
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

function verdictOnEvents(held: Buffer, isWhole: boolean): Verdict {
  for (const event of eachEvent(held)) {
    if (!isWhole && !isWholeEvent(event)) return 'unknown';
    const error = errorOfEvent(event);
    if (error !== undefined) return error;
    const { name, data } = fieldsOfEvent(event);
    if (name !== undefined || data !== undefined) return 'success';
  }
  return isWhole ? 'nothing' : 'unknown';
}

function verdictOnJson(text: string): Verdict {
  // Almost no response contains one of these words.
  if (!/error|detail/.test(text)) return 'success';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'success';
  }
  const fields = fieldsOf(Array.isArray(json) ? json[0] : json);
  const { error, errors, detail, object, type } = fields;
  const isError = [error, errors, detail].some(isPresent) || object === 'error' || type === 'error';
  // A failed response of the Responses API has an error and an output, and its clients expect both.
  const hasResult = object === 'response' || resultNames.some((name) => isResult(fields[name]));
  return isError && !hasResult ? upstreamErrorOf(json) : 'success';
}

function isResult(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}
