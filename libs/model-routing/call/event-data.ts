import { fieldsOfEvent } from '#egress';

/**
 * The event with new data. Its other lines and the line endings do not change.
 * @param change returns undefined when the event is left out
 * @returns undefined when the event is left out
 */
export function withData(event: Buffer, change: (data: Buffer) => Buffer | undefined): Buffer | undefined {
  const [line, ...others] = event.toString('latin1').matchAll(/^(?:\xef\xbb\xbf)?data: ?(.*)$/gm);
  if (line === undefined) return event;
  // No known provider writes its JSON on several lines. Such an event can be left out, but its data stays.
  if (others.length > 0) return change(Buffer.from(fieldsOfEvent(event).data ?? '')) && event;
  const end = line.index + line[0].length;
  const start = end - line[1]!.length;
  const given = event.subarray(start, end);
  const data = change(given);
  if (data === given) return event;
  return data && Buffer.concat([event.subarray(0, start), data, event.subarray(end)]);
}
