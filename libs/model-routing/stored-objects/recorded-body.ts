import { type BodySink, type BodySource, ClientDisconnected } from '#egress';
import { Problem } from '#http';
import { type Recording } from './recording';

/** More than any model writes; a response without an end must not fill the memory. */
const MAXIMUM_RESPONSE_BYTES = 64 * 1024 * 1024;

/**
 * Passes the events of a stream on once the ids in them are recorded. Meanwhile the provider's connection is paused, and what arrives
 * nevertheless waits.
 */
export class RecordedEvents implements BodySink {
  /** What arrived while ids are being recorded; undefined: none are. */
  #waiting: Buffer[] | undefined;
  /** How the body has ended meanwhile. */
  #end: (() => void) | undefined;
  #isOver = false;

  /** @param source is stopped when the ids cannot be recorded */
  constructor(
    private readonly recording: Pick<Recording, 'events'>,
    private readonly next: BodySink,
    private readonly source: BodySource,
  ) {}

  write(events: Buffer): boolean {
    if (this.#isOver) return true;
    if (this.#waiting !== undefined) {
      this.#waiting.push(events);
      return false;
    }
    const recorded = this.recording.events(events);
    if (recorded === undefined) return this.next.write(events);
    this.#waiting = [];
    recorded.then(() => this.#goOn(events)).catch((error: unknown) => this.#stop(error as Error));
    return false;
  }

  end(): void {
    if (this.#isOver) return;
    if (this.#waiting === undefined) this.next.end();
    else this.#end = () => this.next.end();
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    if (this.#waiting !== undefined && !(error instanceof ClientDisconnected)) {
      this.#end = () => this.next.fail(error);
      return;
    }
    this.#isOver = true;
    this.next.fail(error);
  }

  #goOn(events: Buffer): void {
    if (this.#isOver) return;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    let mayContinue = this.next.write(events);
    if (waiting.length > 0) mayContinue = this.write(Buffer.concat(waiting)) && mayContinue;
    if (this.#waiting !== undefined) return;
    this.#end?.();
    if (mayContinue) this.source.resume();
  }

  #stop(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.source.stop();
    this.next.fail(error);
  }
}

/** Holds a whole response until the ids in it are recorded. The client gets its head only then. */
export class RecordedWhole implements BodySink {
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  #isOver = false;

  /**
   * @param open sends the head; returns where the body goes
   * @param onFail called when there is no response
   */
  constructor(
    private readonly recording: Pick<Recording, 'whole'>,
    private readonly source: BodySource,
    private readonly open: () => BodySink,
    private readonly onFail: (error: unknown) => void,
  ) {}

  write(part: Buffer): boolean {
    if (this.#isOver) return true;
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes > MAXIMUM_RESPONSE_BYTES) {
      this.source.stop();
      this.fail(
        new Problem('upstream_unavailable', {
          detail: `The response has more than ${MAXIMUM_RESPONSE_BYTES} bytes.`,
        }),
      );
    }
    return true;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const body = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    const recorded = this.recording.whole(body);
    if (recorded === undefined) this.#pass(body);
    else recorded.then(() => this.#pass(body), this.onFail);
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.length = 0;
    this.onFail(error);
  }

  #pass(body: Buffer): void {
    try {
      const sink = this.open();
      if (body.length > 0) sink.write(body);
      sink.end();
    } catch (error) {
      this.onFail(error);
    }
  }
}
