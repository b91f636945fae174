import type { Operation } from '#providers';
import { fieldsOf } from '../upstream-error';
import { EndOfEvents, type EventStage } from './event-relay';
import { eachEvent, fieldsOfEvent } from './events';

const CR = 0x0d;
const dataField = Buffer.from('data');
const blankLine = Buffer.from('\n\n');
/** The usage may follow the event that completes an answer, in a batch of its own. Comments are not kept. */
const KEPT_BATCHES = 8;
const KEPT_BYTES = 64 * 1024;
/** Where the last event of a batch may be, if comments or blank lines follow it. */
const SEARCHED_BYTES = 512;

/** How the streams of one operation end. */
interface Ending {
  /** In every event after which nothing follows. */
  readonly marker: RegExp;
  /** Whether nothing follows the event. */
  isLast(data: string, type: unknown): boolean;
  /** Whether the answer is complete with these events, although some providers send one more. */
  isComplete(events: readonly Fields[]): boolean;
}

interface Fields {
  readonly type?: unknown;
  readonly choices?: unknown;
  readonly delta?: { readonly stop_reason?: unknown } | null;
}

interface Choice {
  readonly index?: unknown;
  readonly finish_reason?: unknown;
}

const isGiven = (reason: unknown) => typeof reason === 'string' && reason !== '';
const ofChoices: Ending = {
  marker: /\[DONE\]/,
  isLast: (data) => data.trim() === '[DONE]',
  isComplete: (events) => {
    const isFinished = new Map<unknown, boolean>();
    const choices = events.flatMap((event) =>
      Array.isArray(event.choices) ? (event.choices as (Choice | null)[]) : [],
    );
    for (const choice of choices) {
      const index = choice?.index ?? 0;
      isFinished.set(index, isFinished.get(index) === true || isGiven(choice?.finish_reason));
    }
    return isFinished.size > 0 && [...isFinished.values()].every(Boolean);
  },
};
const endings: Partial<Readonly<Record<Operation, Ending>>> = {
  'chat/completions': ofChoices,
  completions: ofChoices,
  messages: {
    marker: /message_stop/,
    isLast: (_, type) => type === 'message_stop',
    isComplete: (events) =>
      events.some(({ type, delta }) => type === 'message_delta' && isGiven(delta?.stop_reason)),
  },
  responses: {
    marker: /response\.(?:completed|incomplete|failed)/,
    isLast: (_, type) => /^response\.(?:completed|incomplete|failed)$/.test(String(type)),
    isComplete: () => false,
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
    const end = endOfAnswerIn(events, ending);
    if (end !== undefined) throw new EndOfEvents(events.subarray(0, end));
    if (events.includes(dataField)) {
      if (this.#newest.length === KEPT_BATCHES) this.#newest.shift();
      this.#newest.push(events.subarray(-KEPT_BYTES));
    }
    if (isLast && !this.#hadLongEvent && !this.isComplete(noBytes))
      throw new EndOfEvents(events, this.#toProblem());
    return events;
  }

  passPart(): void {
    // The last event may repeat the whole answer, so a stream with such an event may be complete.
    this.#hadLongEvent = true;
  }

  isComplete(rest: Buffer): boolean {
    const ending = this.#ending;
    if (ending === undefined) return false;
    if (rest.length > 0 && isLastEvent(rest, ending)) return true;
    const events = [...this.#newest, rest].flatMap((batch) => [...eachEvent(batch)]);
    return ending.isComplete(events.map((event) => parsed(fieldsOfEvent(event).data ?? '')));
  }
}

const noBytes = Buffer.alloc(0);

/** @returns the position after the event that ends the answer */
function endOfAnswerIn(events: Buffer, ending: Ending): number | undefined {
  const mayEnd = [lastEventOf(events), events.subarray(-SEARCHED_BYTES)].some((slice) =>
    ending.marker.test(slice.toString('latin1')),
  );
  if (!mayEnd) return undefined;
  let end = 0;
  for (const event of eachEvent(events)) {
    end += event.length;
    if (isLastEvent(event, ending)) return end;
  }
  return undefined;
}

/** A slice that contains the last event. It may contain more when lines end with CR. */
function lastEventOf(events: Buffer): Buffer {
  if (events.includes(CR)) return events;
  const end = events.subarray(-2).equals(blankLine) ? events.length - 2 : events.length;
  const before = events.subarray(0, end).lastIndexOf(blankLine);
  return before === -1 ? events : events.subarray(before + blankLine.length);
}

function isLastEvent(event: Buffer, ending: Ending): boolean {
  const { name, data = '' } = fieldsOfEvent(event);
  return ending.isLast(data, parsed(data).type ?? name);
}

function parsed(data: string): Fields {
  try {
    return fieldsOf(JSON.parse(data));
  } catch {
    return {};
  }
}
