import { type BodySink, type BodySource, ClientDisconnected } from '#egress';
import { type Recording } from './recording';

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

/**
 * Records the ids in a whole response, and then passes it on. The client gets its head only then.
 * @param open sends the head; returns where the body goes
 * @param onFail called when the ids cannot be recorded
 */
export function recordWhole(
  recording: Pick<Recording, 'whole'>,
  body: Buffer,
  open: () => BodySink,
  onFail: (error: unknown) => void,
): void {
  const pass = () => {
    const sink = open();
    if (body.length > 0) sink.write(body);
    sink.end();
  };
  const recorded = recording.whole(body);
  if (recorded === undefined) pass();
  else recorded.then(pass).catch(onFail);
}
