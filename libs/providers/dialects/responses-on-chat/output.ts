import { type CallFragment } from '../tool-calls';
import { checkParts, type Json, UnexpectedResponse } from '../translation';
import { FunctionCall } from './function-call';
import { added, done, type Status } from './item-events';
import { contentOfBlock, unsigned } from './reasoning';
import { type ClientTools } from './tool-names';

/** Many more than the calls that a model interleaves. Each new item looks at all open calls. */
const mostOpenCalls = 128;

interface OpenReasoning {
  readonly type: 'reasoning';
  readonly id: string;
  readonly index: number;
  text: string;
}

interface OpenMessage {
  readonly type: 'message';
  readonly id: string;
  readonly index: number;
  /** The parts that are complete. */
  readonly content: Json[];
  part: MessagePart | undefined;
}

interface MessagePart {
  readonly type: 'output_text' | 'refusal';
  text: string;
  readonly logprobs: unknown[];
}

/**
 * The output items of one response. Each method returns the events that a stream needs for the change, without sequence numbers
 * (https://platform.openai.com/docs/api-reference/responses-streaming). An item is complete when the next one begins; only
 * calls whose fragments are interleaved are open at the same time.
 */
export class OutputItems {
  /** By their index. An item that is not complete has no entry. */
  private readonly items: Json[] = [];
  private count = 0;
  private current: OpenReasoning | OpenMessage | undefined;
  private readonly calls = new Map<unknown, FunctionCall>();
  private readonly openCalls = new Set<FunctionCall>();
  private hasMessage = false;

  /**
   * @param suffix what the ids of the items have in common
   * @param clientTools the tools whose calls are not items of plain functions
   */
  constructor(
    private readonly suffix: string,
    private readonly clientTools: ClientTools,
  ) {}

  /** All items, once they are complete. */
  get all(): readonly Json[] {
    return this.items;
  }

  reasoning(text: string): Json[] {
    const events: Json[] = [];
    const item = this.openReasoning(events);
    const summary = { item_id: item.id, output_index: item.index, summary_index: 0 };
    if (item.text === '') {
      events.push({
        type: 'response.reasoning_summary_part.added',
        ...summary,
        part: { type: 'summary_text', text: '' },
      });
    }
    item.text += text;
    events.push({ type: 'response.reasoning_summary_text.delta', ...summary, delta: text });
    return events;
  }

  /** A complete thinking block, which completes the item. Its text may already have arrived in fragments. */
  signedThinking(block: Json): Json[] {
    const events: Json[] = [];
    const isKnown = block.type === 'thinking' && this.current?.type === 'reasoning';
    if (!isKnown) {
      events.push(...this.endCurrent());
      this.openReasoning(events);
      if (block.type === 'thinking' && typeof block.thinking === 'string' && block.thinking !== '') {
        events.push(...this.reasoning(block.thinking));
      }
    }
    events.push(...this.endCurrent('completed', contentOfBlock(block)));
    return events;
  }

  /** @param logprobs of the text, in OpenAI's form */
  text(text: string, logprobs: readonly unknown[]): Json[] {
    return this.addToPart('output_text', text, logprobs);
  }

  refusal(text: string): Json[] {
    return this.addToPart('refusal', text, []);
  }

  /**
   * @param key identifies the call within the response
   * @param fallbackId id of a call that has none
   */
  call(key: unknown, fragment: CallFragment, fallbackId: string): Json[] {
    let call = this.calls.get(key);
    const events: Json[] = [];
    if (call === undefined) {
      events.push(...this.endOthers());
      if (fragment.signature !== undefined) {
        this.openReasoning(events);
        events.push(...this.endCurrent('completed', fragment.signature));
      }
      if (this.openCalls.size === mostOpenCalls) throw new UnexpectedResponse();
      call = new FunctionCall(fallbackId, this.clientTools);
      this.calls.set(key, call);
      this.openCalls.add(call);
    }
    events.push(...call.add(fragment, () => this.next('fc')));
    return events;
  }

  /**
   * Completes all items. A complete response has at least a message or a call.
   * @throws UnexpectedResponse when a call has no name
   */
  end(status: Status): Json[] {
    const events = this.endCurrent(status);
    for (const call of this.openCalls) {
      events.push(...call.open(() => this.next('fc')));
      if (!call.isOpen) throw new UnexpectedResponse();
    }
    const calls = [...this.openCalls].sort((one, other) => one.index - other.index);
    for (const call of calls) events.push(...this.endCall(call, status));
    if (status === 'completed' && !this.hasMessage && this.calls.size === 0) {
      events.push(...this.text('', []), ...this.endCurrent());
    }
    return events;
  }

  private next(prefix: string): { id: string; index: number } {
    const index = this.count;
    this.count += 1;
    checkParts(this.count);
    return { id: `${prefix}_${this.suffix}_${index}`, index };
  }

  private openReasoning(events: Json[]): OpenReasoning {
    if (this.current?.type === 'reasoning') return this.current;
    events.push(...this.endOthers());
    const item: OpenReasoning = { type: 'reasoning', ...this.next('rs'), text: '' };
    this.current = item;
    events.push(added(item.index, { id: item.id, type: 'reasoning', summary: [] }));
    return item;
  }

  private addToPart(type: MessagePart['type'], text: string, logprobs: readonly unknown[]): Json[] {
    const events: Json[] = [];
    const message = this.openMessage(events);
    if (message.part?.type !== type) {
      events.push(...endPart(message));
      message.part = { type, text: '', logprobs: [] };
      events.push({ type: 'response.content_part.added', ...placeOf(message), part: partOf(message.part) });
    }
    message.part.text += text;
    message.part.logprobs.push(...logprobs);
    if (text === '') return events;
    events.push(
      type === 'refusal'
        ? { type: 'response.refusal.delta', ...placeOf(message), delta: text }
        : { type: 'response.output_text.delta', ...placeOf(message), delta: text, logprobs },
    );
    return events;
  }

  private openMessage(events: Json[]): OpenMessage {
    if (this.current?.type === 'message') return this.current;
    events.push(...this.endOthers());
    const item: OpenMessage = { type: 'message', ...this.next('msg'), content: [], part: undefined };
    this.current = item;
    this.hasMessage = true;
    events.push(added(item.index, messageOf(item, 'in_progress')));
    return item;
  }

  /** Completes what can be complete, because another item begins. */
  private endOthers(): Json[] {
    const events = this.endCurrent();
    for (const call of this.openCalls) {
      events.push(...call.open(() => this.next('fc')));
      if (call.isComplete) events.push(...this.endCall(call, 'completed'));
    }
    return events;
  }

  private endCall(call: FunctionCall, status: Status): Json[] {
    const { events, item } = call.end(status);
    this.openCalls.delete(call);
    this.items[call.index] = item;
    return events;
  }

  /** @param encryptedContent of reasoning */
  private endCurrent(status: Status = 'completed', encryptedContent = unsigned): Json[] {
    const item = this.current;
    if (item === undefined) return [];
    this.current = undefined;
    const events: Json[] = [];
    if (item.type === 'message') {
      events.push(...endPart(item));
      this.items[item.index] = messageOf(item, status);
    } else {
      events.push(...endSummary(item));
      this.items[item.index] = {
        id: item.id,
        type: 'reasoning',
        summary: item.text === '' ? [] : [{ type: 'summary_text', text: item.text }],
        encrypted_content: encryptedContent,
      };
    }
    events.push(done(item.index, this.items[item.index]!));
    return events;
  }
}

function messageOf({ id, content }: OpenMessage, status: Status | 'in_progress'): Json {
  return { id, type: 'message', status, role: 'assistant', content: [...content] };
}

function placeOf({ id, index, content }: OpenMessage): Json {
  return { item_id: id, output_index: index, content_index: content.length };
}

function partOf({ type, text, logprobs }: MessagePart): Json {
  return type === 'refusal'
    ? { type, refusal: text }
    : { type, text, annotations: [], logprobs: [...logprobs] };
}

function endPart(message: OpenMessage): Json[] {
  const { part } = message;
  if (part === undefined) return [];
  const place = placeOf(message);
  const whole = partOf(part);
  message.content.push(whole);
  message.part = undefined;
  return [
    part.type === 'refusal'
      ? { type: 'response.refusal.done', ...place, refusal: part.text }
      : { type: 'response.output_text.done', ...place, text: part.text, logprobs: whole.logprobs },
    { type: 'response.content_part.done', ...place, part: whole },
  ];
}

function endSummary({ id, index, text }: OpenReasoning): Json[] {
  if (text === '') return [];
  const summary = { item_id: id, output_index: index, summary_index: 0 };
  return [
    { type: 'response.reasoning_summary_text.done', ...summary, text },
    { type: 'response.reasoning_summary_part.done', ...summary, part: { type: 'summary_text', text } },
  ];
}
