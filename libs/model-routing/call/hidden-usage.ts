import { type BodySink, dataOf, eachEvent, EventEnds, MAXIMUM_HELD_EVENT_BYTES } from '#egress';
import { eventDataWithoutUsage } from '#providers';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Hides the usage that Tenkey requested and the client did not, so that the client receives the stream that it requested: the
 * event that has only the usage, and the null that every other event then has. All other bytes pass, each event as soon as it
 * is complete.
 */
export class HiddenUsage implements BodySink {
  readonly #ends = new EventEnds();
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isAfterHiddenCr = false;

  constructor(private readonly next: BodySink) {}

  write(part: Buffer): boolean {
    const end = this.#ends.lastIn(part);
    // Skip the LF of a CR LF that terminated the hidden event.
    const start = this.#isAfterHiddenCr && part[0] === LF ? 1 : 0;
    this.#isAfterHiddenCr = false;
    let mayContinue = true;
    if (end > 0) {
      const complete = part.subarray(start, end);
      const events = this.#held.length === 0 ? complete : Buffer.concat([...this.#held, complete]);
      this.#held = [];
      this.#heldBytes = 0;
      const { visible, isEndHidden } = withoutUsage(events);
      this.#isAfterHiddenCr = isEndHidden && events.at(-1) === CR;
      if (visible.length > 0) mayContinue = this.next.write(visible);
    }
    if (end < part.length) {
      this.#held.push(part.subarray(end));
      this.#heldBytes += part.length - end;
    }
    if (this.#heldBytes > MAXIMUM_HELD_EVENT_BYTES) {
      mayContinue = this.next.write(Buffer.concat(this.#held));
      this.#held = [];
      this.#heldBytes = 0;
    }
    return mayContinue;
  }

  /** Some providers send no blank line after their last event. */
  end(): void {
    const last = visibleEvent(Buffer.concat(this.#held));
    if (last !== undefined && last.length > 0) this.next.write(last);
    this.next.end();
  }

  fail(error: Error): void {
    this.next.fail(error);
  }
}

function withoutUsage(events: Buffer): { visible: Buffer; isEndHidden: boolean } {
  // Where a provider sends no `"usage": null`, almost every part passes without being parsed.
  if (!events.includes('"usage"')) return { visible: events, isEndHidden: false };
  const visible: Buffer[] = [];
  let passed = 0;
  let isHidden = false;
  for (const event of eachEvent(events)) {
    passed += event.length;
    const kept = visibleEvent(event);
    isHidden = kept === undefined;
    visible.push(kept ?? lineEndsBefore(event));
  }
  const rest = events.subarray(passed);
  return { visible: Buffer.concat([...visible, rest]), isEndHidden: isHidden && rest.length === 0 };
}

/** The line ends before an event belong to the event before it, so they stay. */
function lineEndsBefore(event: Buffer): Buffer {
  const start = event.findIndex((byte) => byte !== LF && byte !== CR);
  return event.subarray(0, start);
}

/** @returns the event without a null usage; undefined for the event that has only the usage */
function visibleEvent(event: Buffer): Buffer | undefined {
  if (!event.includes('"usage"')) return event;
  const [line, ...others] = event.toString('latin1').matchAll(/^(?:\xef\xbb\xbf)?data:(.*)$/gm);
  if (line === undefined) return event;
  // No known provider writes its JSON on several lines. In such an event a null usage is left in place.
  if (others.length > 0) return eventDataWithoutUsage(Buffer.from(dataOf(event.toString('utf8')))) && event;
  const end = line.index + line[0].length;
  const start = end - line[1]!.length;
  const data = eventDataWithoutUsage(event.subarray(start, end));
  return data && Buffer.concat([event.subarray(0, start), data, event.subarray(end)]);
}
