import { type Readable } from 'node:stream';
import {
  dataOf,
  eachEvent,
  EventEnds,
  isEventStream,
  LONGEST_HELD_EVENT,
  type UpstreamResponse,
} from '#egress';
import { eventDataWithoutUsage } from '#providers';
import { GeneratedBody } from './generated-body';

const LF = 0x0a;
const CR = 0x0d;

/**
 * The answer for a client that did not ask for the usage of its stream, when the provider was asked for it: the stream as it
 * is when nobody asks. Every other byte passes, as soon as its event is complete.
 */
export function withoutUnaskedUsage(answer: UpstreamResponse): UpstreamResponse {
  const { 'content-type': type, 'content-encoding': encoding } = answer.headers;
  if (!isEventStream(type) || encoding !== undefined) return answer;
  return { ...answer, body: new GeneratedBody(answer.body, otherEvents(answer.body)) };
}

async function* otherEvents(body: Readable): AsyncGenerator<Buffer> {
  const ends = new EventEnds();
  let held: Buffer[] = [];
  let heldBytes = 0;
  let isAfterHiddenCr = false;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const end = ends.lastIn(chunk);
    // The second half of the CR LF that ended the hidden event.
    const start = isAfterHiddenCr && chunk[0] === LF ? 1 : 0;
    isAfterHiddenCr = false;
    if (end > 0) {
      const events = Buffer.concat([...held, chunk.subarray(start, end)]);
      held = [];
      heldBytes = 0;
      const { others, isEndHidden } = withoutUsage(events);
      isAfterHiddenCr = isEndHidden && events.at(-1) === CR;
      if (others.length > 0) yield others;
    }
    if (end < chunk.length) {
      held.push(chunk.subarray(end));
      heldBytes += chunk.length - end;
    }
    if (heldBytes > LONGEST_HELD_EVENT) {
      yield Buffer.concat(held);
      held = [];
      heldBytes = 0;
    }
  }
  // Not every provider ends its last event with a blank line.
  const last = Buffer.concat(held);
  const unasked = unaskedEvent(last);
  if (unasked !== undefined && unasked.length > 0) yield unasked;
}

function withoutUsage(events: Buffer): { others: Buffer; isEndHidden: boolean } {
  // Almost every part is passed on unread where a provider has no null in place of the usage.
  if (!events.includes('"usage"')) return { others: events, isEndHidden: false };
  const others: Buffer[] = [];
  let passed = 0;
  let isHidden = false;
  for (const event of eachEvent(events)) {
    passed += event.length;
    const unasked = unaskedEvent(event);
    isHidden = unasked === undefined;
    others.push(unasked ?? lineEndsBefore(event));
  }
  const rest = events.subarray(passed);
  return { others: Buffer.concat([...others, rest]), isEndHidden: isHidden && rest.length === 0 };
}

/** They belong to what came before. */
function lineEndsBefore(event: Buffer): Buffer {
  const start = event.findIndex((byte) => byte !== LF && byte !== CR);
  return event.subarray(0, start);
}

/** @returns undefined for the event that nobody asked for */
function unaskedEvent(event: Buffer): Buffer | undefined {
  if (!event.includes('"usage"')) return event;
  const [line, ...others] = event.toString('latin1').matchAll(/^(?:\xef\xbb\xbf)?data:(.*)$/gm);
  if (line === undefined) return event;
  // No provider writes its JSON in several lines; one that does may have its null.
  if (others.length > 0) return eventDataWithoutUsage(Buffer.from(dataOf(event.toString('utf8')))) && event;
  const end = line.index + line[0].length;
  const start = end - line[1]!.length;
  const data = eventDataWithoutUsage(event.subarray(start, end));
  return data && Buffer.concat([event.subarray(0, start), data, event.subarray(end)]);
}
