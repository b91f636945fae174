import { jsonText } from './json/json-numbers';
import { type Json, type StreamEvent, UnexpectedResponse } from './translation';
import { parsedObject } from './values';

/** The data of the last event in a stream of chat completions. It is not JSON. */
export const doneMarker = '[DONE]';

/** An event of chat completions, which has only data. */
export function dataEvent(data: Json | typeof doneMarker): string {
  return `data: ${typeof data === 'string' ? data : jsonText(data)}\n\n`;
}

/** An event of messages or responses, which has the name of its `type`. */
export function namedEvent(data: Json & { readonly type: string }): string {
  return `event: ${data.type}\ndata: ${jsonText(data)}\n\n`;
}

/** Reads events that `dataEvent` and `namedEvent` wrote. */
export function eventsIn(text: string): StreamEvent[] {
  return [...text.matchAll(/(?:event: ([^\n]*)\n)?data: ([^\n]*)\n\n/g)].map(([, event, data = '']) => ({
    event,
    data,
  }));
}

/** @throws UnexpectedResponse when the data is not a JSON object */
export function eventObject(data: string): Json {
  const object = parsedObject(data);
  if (object === undefined) throw new UnexpectedResponse();
  return object;
}
