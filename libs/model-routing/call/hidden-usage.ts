import { eachEvent, type EventStage, fieldsOfEvent } from '#egress';
import { eventDataWithoutUsage, usageName } from '#providers';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Hides the usage that Tenkey requested and the client did not, so that the client receives the stream that it requested: the
 * event that has only the usage, and the null that every other event then has.
 */
export class HiddenUsage implements EventStage {
  #isAfterHiddenCr = false;

  pass(given: Buffer): Buffer {
    // Skip the LF of a CR LF that terminated the hidden event.
    const events = this.#isAfterHiddenCr && given[0] === LF ? given.subarray(1) : given;
    this.#isAfterHiddenCr = false;
    // Where a provider sends no `"usage": null`, almost every event passes without being parsed.
    if (!events.includes(usageName)) return events;
    const visible: Buffer[] = [];
    let isHidden = false;
    for (const event of eachEvent(events)) {
      const kept = visibleEvent(event);
      isHidden = kept === undefined;
      visible.push(kept ?? lineEndsBefore(event));
    }
    this.#isAfterHiddenCr = isHidden && events.at(-1) === CR;
    return Buffer.concat(visible);
  }

  passPart(): void {
    // Usage is never that long.
  }
}

/** The line ends before an event belong to the event before it, so they stay. */
function lineEndsBefore(event: Buffer): Buffer {
  const start = event.findIndex((byte) => byte !== LF && byte !== CR);
  return event.subarray(0, start);
}

/** @returns the event without a null usage; undefined for the event that has only the usage */
function visibleEvent(event: Buffer): Buffer | undefined {
  if (!event.includes(usageName)) return event;
  const [line, ...others] = event.toString('latin1').matchAll(/^(?:\xef\xbb\xbf)?data:(.*)$/gm);
  if (line === undefined) return event;
  // No known provider writes its JSON on several lines. In such an event a null usage is left in place.
  if (others.length > 0) return eventDataWithoutUsage(Buffer.from(fieldsOfEvent(event).data ?? '')) && event;
  const end = line.index + line[0].length;
  const start = end - line[1]!.length;
  const data = eventDataWithoutUsage(event.subarray(start, end));
  return data && Buffer.concat([event.subarray(0, start), data, event.subarray(end)]);
}
