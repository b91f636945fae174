import type { Operation } from '#providers';
import { type BodySink } from '../stream/body-sink';
import { errorOfEvent } from '../stream/error-events';
import { eachEvent, fieldsOfEvent, isEventStream } from '../stream/events';
import { fieldsOf, type UpstreamError, upstreamErrorOf } from '../upstream-error';

/** How long the head of a stream waits for its first event. */
const FIRST_EVENT_MS = 2000;
/** No error is longer. */
const LONGEST_HELD_BYTES = 64 * 1024;
/** A transcript may be a text that begins like a page, or an empty one. */
const textOperations: ReadonlySet<Operation> = new Set(['audio/transcriptions']);
/** The members of the results of all operations. */
const resultNames = ['choices', 'data', 'output', 'content', 'text', 'results', 'segments', 'input_tokens'];

/** What becomes of the response. Exactly one of the three is called, once. */
export interface OpeningReceiver {
  /** @returns where the body goes */
  open(): BodySink;
  /** @param error undefined: there is neither a result nor an error. The rest of the body is not needed */
  refuse(error: UpstreamError | undefined): void;
  /** The body broke off. */
  fail(error: Error): void;
}

/**
 * Holds back the beginning of a success until it is clear that it is one, so that an error in a response with status 200 gets its
 * real status. It holds a stream until its first event, for at most two seconds, and JSON until its end, up to 64 KB.
 */
export class Opening implements BodySink {
  readonly #operation: Operation;
  readonly #isOfEvents: boolean;
  readonly #isJson: boolean;
  readonly #receiver: OpeningReceiver;
  readonly #timer: NodeJS.Timeout | undefined;
  #sink: BodySink | undefined;
  #isOver = false;
  #held: Buffer | undefined;

  constructor(operation: Operation, contentType: string | undefined, receiver: OpeningReceiver) {
    this.#operation = operation;
    this.#isOfEvents = isEventStream(contentType);
    this.#isJson = contentType !== undefined && /^[^;]*\bjson\b/i.test(contentType);
    this.#receiver = receiver;
    if (this.#isOfEvents) this.#timer = setTimeout(() => this.#open(), FIRST_EVENT_MS);
  }

  write(part: Buffer): boolean {
    if (this.#sink !== undefined) return this.#sink.write(part);
    if (this.#isOver) return true;
    this.#held = this.#held === undefined ? part : Buffer.concat([this.#held, part]);
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
    const first = firstByteOf(held);
    const isText = textOperations.has(this.#operation) && !this.#isJson;
    if (first === undefined) return !isWhole ? 'unknown' : isText ? 'success' : 'nothing';
    if (first === LESS_THAN && !isText) return 'nothing';
    if (!this.#isJson) return 'success';
    return isWhole ? verdictOnJson(held) : 'unknown';
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
const SPACE = 0x20;

/** The first one that is not white space. */
function firstByteOf(bytes: Buffer): number | undefined {
  let at = 0;
  while (at < bytes.length && bytes[at]! <= SPACE) at += 1;
  return bytes[at];
}

function verdictOnEvents(held: Buffer, isWhole: boolean): Verdict {
  for (const event of eachEvent(held)) {
    const isComplete = isWhole || /(\r\n|\n|\r(?!\n)){2}$/.test(event.subarray(-4).toString('latin1'));
    if (!isComplete) return 'unknown';
    const error = errorOfEvent(event);
    if (error !== undefined) return error;
    const { name, data } = fieldsOfEvent(event);
    if (name !== undefined || data !== undefined) return 'success';
  }
  return isWhole ? 'nothing' : 'unknown';
}

function verdictOnJson(held: Buffer): Verdict {
  // Almost no response contains this word.
  if (!held.includes('error')) return 'success';
  let json: unknown;
  try {
    json = JSON.parse(held.toString('utf8'));
  } catch {
    return 'success';
  }
  const fields = fieldsOf(Array.isArray(json) ? json[0] : json);
  const { error = null, errors = null, object, type } = fields;
  const isError = error !== null || errors !== null || object === 'error' || type === 'error';
  // A failed response of the Responses API has an error and an output, and its clients expect both.
  const hasResult = object === 'response' || resultNames.some((name) => isResult(fields[name]));
  return isError && !hasResult ? upstreamErrorOf(json) : 'success';
}

function isResult(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}
