import { ClientDisconnected } from '../cancellation';
import { type BodySink, type BodySource } from './body-sink';
import { eachEvent, EventEnds } from './events';
import { type ResponseMemory, UNCOUNTED_BYTES } from './whole-body';

/** An incomplete event is held up to this size, if there is memory for it. */
const MAXIMUM_HELD_BYTES = 16 * 1024 * 1024;

/** How long the connection may stay open after the last event. */
const LINGERING_MS = 1000;

/** What happens to the events of a stream on their way to the client. */
export interface EventStage {
  /**
   * @param events whole events, in the bytes of the stream; none when the stream ends after a whole event
   * @param isLast true once, when the stream has ended. The last event may have no blank line
   * @returns what the next stage gets; it may be empty
   * @throws EndOfEvents
   */
  pass(events: Buffer, isLast: boolean): Buffer;
  /**
   * Called in place of `pass` with each part of an event that is too long to hold. The part goes on as it is.
   * @throws EndOfEvents when the stage needs whole events
   */
  passPart(part: Buffer): void;
  /** Whether the stream is complete with what has passed and `rest`, which is an event or the beginning of one. */
  isComplete?(rest: Buffer): boolean;
}

/** What a stream gets when nothing has arrived for some time. */
export interface Heartbeat {
  readonly ms: number;
  /** A whole event that clients ignore. */
  readonly event: Buffer;
}

/** A stage throws it to end the stream. */
export class EndOfEvents extends Error {
  /**
   * @param before is still passed on
   * @param reason the error with which the stream ends; undefined: it is complete
   * @param isLost true when the client cannot have the rest of the answer, even if the provider has completed it
   */
  constructor(
    readonly before: Buffer,
    readonly reason?: Error,
    readonly isLost = false,
  ) {
    super('the stream ends here');
  }
}

/**
 * Passes the events of a stream through the stages, each as soon as it is complete, and holds back only an incomplete event. So the
 * reader has whole events at any moment.
 */
export class EventRelay implements BodySink, BodySource {
  readonly #ends = new EventEnds();
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** How many bytes of it may be held without asking for memory. */
  #allowedBytes = UNCOUNTED_BYTES;
  /** True while an event is passed on in parts. */
  #isInLongEvent = false;
  #isOver = false;
  #lingering: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(
    private readonly stages: readonly EventStage[],
    private readonly next: BodySink,
    private readonly source: BodySource,
    heartbeat?: Heartbeat,
    private readonly memory?: ResponseMemory,
  ) {
    if (heartbeat === undefined) return;
    this.#heartbeat = setInterval(() => {
      // In the middle of an event, it would become a part of the event.
      if (!this.#isInLongEvent) this.next.write(heartbeat.event);
    }, heartbeat.ms);
  }

  write(part: Buffer): boolean {
    if (this.#isOver) return true;
    this.#heartbeat?.refresh();
    const end = this.#ends.lastIn(part);
    let mayContinue = true;
    if (end > 0) mayContinue = this.#passEvents(this.#takeHeld(part.subarray(0, end)));
    if (end < part.length) {
      this.#held.push(part.subarray(end));
      this.#heldBytes += part.length - end;
    }
    if (this.#mayHold()) return mayContinue;
    this.#isInLongEvent = true;
    return this.#passPart(this.#takeHeld());
  }

  end(): void {
    if (this.#isOver) return clearTimeout(this.#lingering);
    const last = this.#takeHeld();
    if (this.#isInLongEvent) this.#passPart(last);
    this.#pass(this.#isInLongEvent ? noBytes : last, true);
    clearTimeout(this.#lingering);
    if (this.#close()) this.next.end();
  }

  /**
   * Drops the incomplete event, or terminates it if a part of it was passed on. A stream that breaks off after its answer was
   * complete has succeeded.
   */
  fail(error: Error): void {
    clearTimeout(this.#lingering);
    if (!this.#isOver && !(error instanceof ClientDisconnected)) {
      const isComplete = (rest: Buffer) => this.stages.some((stage) => stage.isComplete?.(rest) === true);
      if (isComplete(noBytes)) {
        this.#held = [];
        return this.end();
      }
      if (isComplete(Buffer.concat(this.#held))) return this.end();
    }
    this.#break(error);
  }

  #break(error: Error): void {
    if (!this.#close()) return;
    this.#held = [];
    if (this.#isInLongEvent) this.next.write(Buffer.from('\n\n'));
    this.next.fail(error);
  }

  resume(): void {
    this.source.resume();
  }

  /** Called by a later sink that cannot continue. That sink ends the client's stream. */
  stop(): void {
    clearTimeout(this.#lingering);
    this.#close();
    this.source.stop();
  }

  #close(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    clearInterval(this.#heartbeat);
    return true;
  }

  /** The longest event decides how much memory the stream takes. */
  #mayHold(): boolean {
    if (this.#heldBytes <= this.#allowedBytes) return true;
    if (this.#heldBytes > MAXIMUM_HELD_BYTES) return false;
    if (this.memory?.take(this.#heldBytes - this.#allowedBytes) !== undefined) return false;
    this.#allowedBytes = this.#heldBytes;
    return true;
  }

  #takeHeld(rest: Buffer = noBytes): Buffer {
    if (this.#held.length === 0) return rest;
    const all = Buffer.concat([...this.#held, rest]);
    this.#held = [];
    this.#heldBytes = 0;
    return all;
  }

  #passEvents(events: Buffer): boolean {
    if (!this.#isInLongEvent) return this.#pass(events, false);
    const [rest = noBytes] = eachEvent(events);
    const mayContinue = this.#passPart(rest);
    this.#isInLongEvent = false;
    return rest.length === events.length ? mayContinue : this.#pass(events.subarray(rest.length), false);
  }

  #passPart(part: Buffer): boolean {
    return this.#through((stage, bytes) => {
      stage.passPart(bytes);
      return bytes;
    }, part);
  }

  #pass(events: Buffer, isLast: boolean): boolean {
    return this.#through((stage, bytes, end) => {
      // For the stages after the one that ends the stream, the events are the last ones if the stream is complete.
      const isLastForStage = end === undefined ? isLast : end.reason === undefined;
      return bytes.length > 0 || isLastForStage ? stage.pass(bytes, isLastForStage) : bytes;
    }, events);
  }

  #through(
    step: (stage: EventStage, bytes: Buffer, end: EndOfEvents | undefined) => Buffer,
    given: Buffer,
  ): boolean {
    if (this.#isOver) return true;
    let bytes = given;
    let end: EndOfEvents | undefined;
    for (const stage of this.stages) {
      try {
        bytes = step(stage, bytes, end);
      } catch (error) {
        if (!(error instanceof EndOfEvents)) throw error;
        // The later stages still get what came before, and one of them may end the stream earlier.
        end = error;
        bytes = error.before;
      }
    }
    const mayContinue = bytes.length === 0 || this.next.write(bytes);
    if (end === undefined) return mayContinue;
    if (end.reason !== undefined) {
      this.source.stop();
      if (end.isLost) this.#break(end.reason);
      else this.fail(end.reason);
      return true;
    }
    if (this.#close()) this.next.end();
    // Usually the end of the body follows at once, and the connection can be used again.
    this.#lingering = setTimeout(() => this.source.stop(), LINGERING_MS);
    return true;
  }
}

const noBytes = Buffer.alloc(0);
