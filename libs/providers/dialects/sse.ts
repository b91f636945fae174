import { type Json, StreamFault, UnexpectedAnswer } from './translation';
import { isObject, parsedObject } from './values';

/** The end of a stream of chat completions, in place of JSON. */
export const doneMark = '[DONE]';

/** An event as chat completions have them: data alone. */
export function dataEvent(data: Json | typeof doneMark): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

/** An event as messages have them: named after its `type`. */
export function namedEvent(data: Json & { readonly type: string }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** @throws UnexpectedAnswer when the data is not a JSON object */
export function eventObject(data: string): Json {
  const object = parsedObject(data);
  if (object === undefined) throw new UnexpectedAnswer();
  return object;
}

/** @param error what a provider puts under `error` inside a stream: an object with a message, or text */
export function streamFault(error: unknown): StreamFault {
  const message = isObject(error) ? error.message : error;
  return new StreamFault(typeof message === 'string' && message !== '' ? message : 'No reason was given.');
}
