import { eachEvent, type EventStage } from '#egress';
import { eventDataWithoutUsage, usageName } from '#providers';
import { withData } from './event-data';

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
  return event.includes(usageName) ? withData(event, eventDataWithoutUsage) : event;
}
