import { type BodySink, type BodySource } from './body-sink';
import { eachEvent, EventEnds } from './events';

/** An incomplete event is held up to this size. */
const MAXIMUM_HELD_BYTES = 16 * 1024 * 1024;

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
}

/** A stage throws it to end the stream with an error. */
export class EndOfEvents extends Error {
  /** @param before is still passed on */
  constructor(
    readonly before: Buffer,
    readonly reason: Error,
  ) {
    super('the stream ends here');
  }
}

/**
 * Passes the events of a stream through the stages, each as soon as it is complete, and holds back only an incomplete event. So the
 * reader has whole events at any moment.
 */
export class EventRelay implements BodySink {
  readonly #ends = new EventEnds();
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** True while an event is passed on in parts. */
  #isInLongEvent = false;
  #isOver = false;

  constructor(
    private readonly stages: readonly EventStage[],
    private readonly next: BodySink,
    private readonly source: BodySource,
  ) {}

  write(part: Buffer): boolean {
    if (this.#isOver) return true;
    const end = this.#ends.lastIn(part);
    let mayContinue = true;
    if (end > 0) mayContinue = this.#passEvents(this.#takeHeld(part.subarray(0, end)));
    if (end < part.length) {
      this.#held.push(part.subarray(end));
      this.#heldBytes += part.length - end;
    }
    if (this.#heldBytes <= MAXIMUM_HELD_BYTES) return mayContinue;
    this.#isInLongEvent = true;
    return this.#passPart(this.#takeHeld());
  }

  end(): void {
    if (this.#isOver) return;
    const last = this.#takeHeld();
    if (this.#isInLongEvent) this.#passPart(last);
    this.#pass(this.#isInLongEvent ? noBytes : last, true);
    if (this.#isOver) return;
    this.#isOver = true;
    this.next.end();
  }

  /** Drops the incomplete event, or terminates it if a part of it was passed on. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#held = [];
    if (this.#isInLongEvent) this.next.write(Buffer.from('\n\n'));
    this.next.fail(error);
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
    return this.#through(
      (stage, bytes) => (bytes.length > 0 || isLast ? stage.pass(bytes, isLast) : bytes),
      events,
    );
  }

  #through(step: (stage: EventStage, bytes: Buffer) => Buffer, given: Buffer): boolean {
    if (this.#isOver) return true;
    let bytes = given;
    let fault: EndOfEvents | undefined;
    try {
      for (const stage of this.stages) bytes = step(stage, bytes);
    } catch (error) {
      if (!(error instanceof EndOfEvents)) throw error;
      fault = error;
      bytes = error.before;
    }
    const mayContinue = bytes.length === 0 || this.next.write(bytes);
    if (fault === undefined) return mayContinue;
    this.source.stop();
    this.fail(fault.reason);
    return true;
  }
}

const noBytes = Buffer.alloc(0);
