import type { Operation } from '#providers';
import { EndOfEvents, type EventStage } from './event-relay';
import { eachEvent, fieldsOfEvent } from './events';

const CR = 0x0d;
const blankLine = Buffer.from('\n\n');
/** Comments and the usage may follow the event that completes an answer, each in a batch of its own. */
const KEPT_BATCHES = 8;
const KEPT_BYTES = 64 * 1024;

/** How the streams of one operation end. */
interface Ending {
  /** In every event after which nothing follows. */
  readonly marker: RegExp;
  /** Whether nothing follows the event. */
  isLast(data: string, type: unknown): boolean;
  /** Whether the answer is complete with the event, although some providers send one more. */
  completes(fields: Fields): boolean;
}

interface Fields {
  readonly type?: unknown;
  readonly choices?: unknown;
  readonly delta?: { readonly stop_reason?: unknown } | null;
}

const ofChoices: Ending = {
  marker: /\[DONE\]/,
  isLast: (data) => data.trim() === '[DONE]',
  completes: ({ choices }) =>
    Array.isArray(choices) &&
    choices.some((choice: { finish_reason?: unknown } | null) => typeof choice?.finish_reason === 'string'),
};
const endings: Partial<Readonly<Record<Operation, Ending>>> = {
  'chat/completions': ofChoices,
  completions: ofChoices,
  messages: {
    marker: /message_stop/,
    isLast: (_, type) => type === 'message_stop',
    completes: ({ type, delta }) => type === 'message_delta' && typeof delta?.stop_reason === 'string',
  },
  responses: {
    marker: /response\.(?:completed|incomplete|failed)/,
    isLast: (_, type) => /^response\.(?:completed|incomplete|failed)$/.test(String(type)),
    completes: () => false,
  },
};

/**
 * Ends the stream with the last event of the answer, even if the provider keeps the connection open, and makes an error of a stream
 * that ends before its answer is complete. Streams of operations whose last event is not known pass as they are.
 */
export class EndOfAnswer implements EventStage {
  readonly #ending: Ending | undefined;
  readonly #toProblem: () => Error;
  #newest: Buffer[] = [];
  #hadLongEvent = false;

  /** @param toProblem makes the error of an answer that is not complete */
  constructor(operation: Operation, toProblem: () => Error) {
    this.#ending = endings[operation];
    this.#toProblem = toProblem;
  }

  pass(events: Buffer, isLast: boolean): Buffer {
    const ending = this.#ending;
    if (ending === undefined) return events;
    if (events.length > 0) {
      if (endsAnswer(lastEventOf(events), ending)) throw new EndOfEvents(events);
      if (this.#newest.length === KEPT_BATCHES) this.#newest.shift();
      this.#newest.push(events.subarray(-KEPT_BYTES));
    }
    if (isLast && !this.#hadLongEvent && !this.#newest.some((batch) => completesAnswer(batch, ending)))
      throw new EndOfEvents(events, this.#toProblem());
    return events;
  }

  passPart(): void {
    // The last event may repeat the whole answer, so a stream with such an event may be complete.
    this.#hadLongEvent = true;
  }
}

/** A slice that contains the last event. It may contain more when lines end with CR. */
function lastEventOf(events: Buffer): Buffer {
  if (events.includes(CR)) return events;
  const end = events.subarray(-2).equals(blankLine) ? events.length - 2 : events.length;
  const before = events.subarray(0, end).lastIndexOf(blankLine);
  return before === -1 ? events : events.subarray(before + blankLine.length);
}

function endsAnswer(slice: Buffer, ending: Ending): boolean {
  if (!ending.marker.test(slice.toString('latin1'))) return false;
  const last = [...eachEvent(slice)].at(-1);
  return last !== undefined && isLastEvent(last, ending);
}

function isLastEvent(event: Buffer, ending: Ending): boolean {
  const { name, data = '' } = fieldsOfEvent(event);
  return ending.isLast(data, parsed(data)?.type ?? name);
}

function completesAnswer(batch: Buffer, ending: Ending): boolean {
  for (const event of eachEvent(batch)) {
    const fields = parsed(fieldsOfEvent(event).data ?? '');
    if (isLastEvent(event, ending) || (fields !== undefined && ending.completes(fields))) return true;
  }
  return false;
}

function parsed(data: string): Fields | undefined {
  try {
    const fields = JSON.parse(data) as Fields | null;
    return fields ?? undefined;
  } catch {
    return undefined;
  }
}
