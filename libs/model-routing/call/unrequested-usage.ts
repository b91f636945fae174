import { type Readable } from 'node:stream';
import {
  dataOf,
  eachEvent,
  EventEnds,
  isEventStream,
  MAXIMUM_HELD_EVENT_BYTES,
  type UpstreamResponse,
} from '#egress';
import { eventDataWithoutUsage } from '#providers';
import { GeneratedBody } from './generated-body';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Hides the usage that Tenkey requested and the client did not, so that the client receives the stream that it requested: the
 * event that has only the usage, and the null that every other event then has. All other bytes pass, each event as soon as it
 * is complete.
 */
export function hideUnrequestedUsage(response: UpstreamResponse): UpstreamResponse {
  const { 'content-type': type, 'content-encoding': encoding } = response.headers;
  if (!isEventStream(type) || encoding !== undefined) return response;
  return { ...response, body: new GeneratedBody(response.body, visibleEvents(response.body)) };
}

async function* visibleEvents(body: Readable): AsyncGenerator<Buffer> {
  const ends = new EventEnds();
  let held: Buffer[] = [];
  let heldBytes = 0;
  let isAfterHiddenCr = false;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const end = ends.lastIn(chunk);
    // Skip the LF of a CR LF that terminated the hidden event.
    const start = isAfterHiddenCr && chunk[0] === LF ? 1 : 0;
    isAfterHiddenCr = false;
    if (end > 0) {
      const events = Buffer.concat([...held, chunk.subarray(start, end)]);
      held = [];
      heldBytes = 0;
      const { visible, isEndHidden } = withoutUsage(events);
      isAfterHiddenCr = isEndHidden && events.at(-1) === CR;
      if (visible.length > 0) yield visible;
    }
    if (end < chunk.length) {
      held.push(chunk.subarray(end));
      heldBytes += chunk.length - end;
    }
    if (heldBytes > MAXIMUM_HELD_EVENT_BYTES) {
      yield Buffer.concat(held);
      held = [];
      heldBytes = 0;
    }
  }
  // Some providers send no blank line after their last event.
  const last = visibleEvent(Buffer.concat(held));
  if (last !== undefined && last.length > 0) yield last;
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
