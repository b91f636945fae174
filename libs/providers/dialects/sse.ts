import { type Json, StreamFault, UnexpectedResponse } from './translation';
import { isObject, parsedObject } from './values';

/** The data of the last event in a stream of chat completions. It is not JSON. */
export const doneMarker = '[DONE]';

/** An event of chat completions, which has only data. */
export function dataEvent(data: Json | typeof doneMarker): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

/** An event of messages, which has the name of its `type`. */
export function namedEvent(data: Json & { readonly type: string }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** @throws UnexpectedResponse when the data is not a JSON object */
export function eventObject(data: string): Json {
  const object = parsedObject(data);
  if (object === undefined) throw new UnexpectedResponse();
  return object;
}

/** @param error the `error` of an event in a provider's stream: an object with a message, or a string */
export function streamFault(error: unknown): StreamFault {
  const message = isObject(error) ? error.message : error;
  return new StreamFault(typeof message === 'string' && message !== '' ? message : 'No reason was given.');
}
