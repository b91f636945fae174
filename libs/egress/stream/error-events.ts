import { EndOfEvents, type EventStage } from './event-relay';
import { eachEvent, fieldsOfEvent } from './events';

/** Ends the stream at an event that reports an error. The event itself is not passed on, because its text may repeat the key. */
export class ErrorEvents implements EventStage {
  /** @param toError makes the error from the provider's message */
  constructor(private readonly toError: (message: string) => Error) {}

  pass(events: Buffer): Buffer {
    // Almost no event contains this word; the others are passed on without being parsed.
    if (!events.includes('error')) return events;
    let passed = 0;
    for (const event of eachEvent(events)) {
      const message = errorMessageOf(event);
      if (message !== undefined) throw new EndOfEvents(events.subarray(0, passed), this.toError(message));
      passed += event.length;
    }
    return events;
  }

  passPart(): void {
    // An error is never that long.
  }
}

/**
 * The message of an event that reports an error, or undefined. Chat completions and Anthropic have `error` at the top level,
 * some providers as a string. The Responses API has an event of type `error`, and `response.failed` with the error inside.
 * vLLM had `"object":"error"`. An event named `error` is an error whatever its data.
 */
function errorMessageOf(event: Buffer): string | undefined {
  const { name, data: written = '' } = fieldsOfEvent(event);
  const data = written.trimStart();
  const isNamed = name === 'error';
  if (!isNamed && (!data.startsWith('{') || !data.includes('"error"'))) return undefined;
  let fields: ErrorFields | null;
  try {
    fields = JSON.parse(data) as ErrorFields | null;
  } catch {
    return isNamed ? data : undefined;
  }
  const { type, object, message, response, error = null } = fields ?? {};
  const nested = error ?? (type === 'response.failed' ? (response?.error ?? null) : null);
  if (nested === null) return isNamed || type === 'error' || object === 'error' ? textOr(message) : undefined;
  return textOr(typeof nested === 'object' ? (nested as { message?: unknown }).message : nested);
}

interface ErrorFields {
  readonly error?: unknown;
  readonly type?: unknown;
  readonly object?: unknown;
  readonly message?: unknown;
  readonly response?: { readonly error?: unknown } | null;
}

function textOr(message: unknown): string {
  return typeof message === 'string' ? message : '';
}
