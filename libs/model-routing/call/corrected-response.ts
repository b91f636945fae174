import { type BodySink, type BodySource, eachEvent, type EventStage } from '#egress';
import { type Correction, UnexpectedResponse } from '#providers';
import { withData } from './event-data';

/** More than any response that needs a correction; one without an end must not fill the memory. */
const MAXIMUM_BYTES = 64 * 1024 * 1024;

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
  #held: Buffer[] | undefined = [];
  #heldBytes = 0;
  #isOver = false;

  /** @param toProblem makes the error of a body that is too long to be corrected */
  constructor(
    private readonly correction: Correction,
    private readonly next: BodySink,
    private readonly source: BodySource,
    private readonly toProblem: (error: unknown) => Error,
  ) {}

  write(part: Buffer): boolean {
    if (this.#isOver) return true;
    if (this.#held === undefined) return this.next.write(part);
    if (this.#held.length === 0 && this.correction.isRightFrom?.(part)) {
      this.#held = undefined;
      return this.next.write(part);
    }
    this.#held.push(part);
    this.#heldBytes += part.length;
    if (this.#heldBytes <= MAXIMUM_BYTES) return true;
    this.source.stop();
    this.fail(this.toProblem(new UnexpectedResponse()));
    return true;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const [first, ...others] = this.#held ?? [];
    this.#held = undefined;
    if (first !== undefined) {
      const body = others.length === 0 ? first : Buffer.concat([first, ...others]);
      this.next.write(this.correction.concerns(body) ? this.correction.apply(body) : body);
    }
    this.next.end();
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#held = undefined;
    this.next.fail(error);
  }
}
