import { fieldsOf, isPresent, noError, type UpstreamError, upstreamErrorOf } from '../upstream-error';
import { EndOfEvents, type EventStage } from './event-relay';
import { eachEvent, fieldsOfEvent } from './events';

/**
 * What every event that reports an error contains: a member with one of these names, also if a letter of it is escaped; a type that
 * says so; an event or a text that begins with the word; JSON without a field before it. Other events are not parsed.
 */
const suspicious =
  /"(?:errors?|detail)"\s*:(?!\s*null)|"(?:type|object)"\s*:\s*"(?:error|response\.failed)"|\\u00[4-7][0-9a-fA-F]|(?:[\n\r]|^(?:\xef\xbb\xbf)?)(?:(?:data|event):[ \t]*[Ee][Rr][Rr][Oo][Rr]|[ \t]*[[{])/;

/** Ends the stream at an event that reports an error. The event itself is not passed on, because its text may repeat the key. */
export class ErrorEvents implements EventStage {
  constructor(private readonly toProblem: (error: UpstreamError) => Error) {}

  pass(events: Buffer): Buffer {
    if (!suspicious.test(events.toString('latin1'))) return events;
    let passed = 0;
    for (const event of eachEvent(events)) {
      const error = errorOfEvent(event);
      if (error !== undefined) throw new EndOfEvents(events.subarray(0, passed), this.toProblem(error));
      passed += event.length;
    }
    return events;
  }

  passPart(): void {
    // An error is never that long.
  }
}

/** The error that an event reports, or undefined. */
export function errorOfEvent(event: Buffer): UpstreamError | undefined {
  if (!suspicious.test(event.toString('latin1'))) return undefined;
  const { name, data } = fieldsOfEvent(event);
  const isNamed = name?.trim().toLowerCase() === 'error';
  const text = (data ?? (name === undefined ? event.toString('utf8') : '')).replace(/^\uFEFF/, '').trim();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return isNamed || /^error\b/i.test(text) ? { ...noError, message: text } : undefined;
  }
  const fields = fieldsOf(Array.isArray(json) ? json[0] : json);
  const nested = nestedError(fields);
  if (isPresent(nested)) return upstreamErrorOf({ error: nested });
  return isNamed || isError(fields) ? upstreamErrorOf(json) : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Whether the object itself is an error, as all APIs have it at the top level. */
function isError({ error, errors, detail, type, object, choices }: Fields): boolean {
  if (isPresent(error) || type === 'error' || object === 'error') return true;
  if (choices !== undefined) return false;
  // FastAPI's errors have nothing else.
  return isPresent(errors) || (isPresent(detail) && type === undefined && object === undefined);
}

/** The error of a choice, as OpenRouter has it, or that of a `response.failed` of the Responses API. */
function nestedError({ type, response, choices }: Fields): unknown {
  if (type === 'response.failed') return fieldsOf(response).error;
  return Array.isArray(choices) ? choices.map((choice) => fieldsOf(choice).error).find(isPresent) : undefined;
}
