import {
  type BodySink,
  type BodySource,
  eachEvent,
  type EventStage,
  refuseTooManyValues,
  type ResponseMemory,
  WholeBody,
} from '#egress';
import { type Correction } from '#providers';
import { withData } from './event-data';

/** Corrects the events of a stream. */
export class CorrectedEvents implements EventStage {
  constructor(private readonly correction: Correction) {}

  pass(events: Buffer): Buffer {
    const { correction } = this;
    if (!correction.concerns(events)) return events;
    return Buffer.concat([...eachEvent(events)].map((event) => withData(event, correction.apply)!));
  }

  passPart(): void {
    // An event that is too long to hold passes as it is.
  }
}

/** Corrects a whole body. It is held until its end, unless its beginning shows that it passes unchanged. */
export class CorrectedBody implements BodySink {
  readonly #whole: WholeBody;
  /** Where the body goes that passes unchanged. */
  #unchanged: BodySink | undefined;
  #hasBegun = false;

  /**
   * @param open sends the head; returns where the body goes
   * @param onFail called when there is no body
   */
  constructor(
    private readonly correction: Correction,
    source: BodySource,
    memory: ResponseMemory | undefined,
    private readonly open: () => BodySink,
    onFail: (error: unknown) => void,
  ) {
    this.#whole = new WholeBody(source, memory, (body) => this.#pass(body), onFail);
  }

  write(part: Buffer): boolean {
    if (!this.#hasBegun && this.correction.isRightFrom?.(part)) this.#unchanged = this.open();
    this.#hasBegun = true;
    return (this.#unchanged ?? this.#whole).write(part);
  }

  end(): void {
    (this.#unchanged ?? this.#whole).end();
  }

  fail(error: Error): void {
    (this.#unchanged ?? this.#whole).fail(error);
  }

  #pass(body: Buffer): void {
    const isConcerned = this.correction.concerns(body);
    if (isConcerned) refuseTooManyValues(body);
    const corrected = isConcerned ? this.correction.apply(body) : body;
    const sink = this.open();
    if (corrected.length > 0) sink.write(corrected);
    sink.end();
  }
}
