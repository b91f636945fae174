import { doneMark, eventObject, namedEvent, streamFault } from '../sse';
import {
  type Json,
  type StreamEvent,
  type StreamTranslator,
  type TranslationContext,
  UnexpectedAnswer,
} from '../translation';
import { isAbsent, isObject } from '../values';
import { argumentsText, fallbackCallId, messageId, messageUsage, saidIn, stopFields } from './response';
import { BlockSequence } from './block-sequence';

/**
 * The events of https://platform.claude.com/docs/en/build-with-claude/streaming for the chunks of
 * https://platform.openai.com/docs/api-reference/chat-streaming. Servers that leave out `[DONE]`, ids or the index of a
 * call are understood; chunks without choices bring the usage or nothing (Azure's filters).
 */
export class MessageStream implements StreamTranslator {
  private readonly blocks = new BlockSequence();
  private id: string | undefined;
  private usage: unknown;
  private serviceTier: unknown;
  /** `finish_reason`, and vLLM's `stop_reason`. */
  private ending: Json = {};
  private refusal = '';
  /** The key that the last fragment of a call went to, by the index that the server gives. */
  private readonly keys = new Map<unknown, { key: number; id: string }>();
  private lastIndex: unknown;
  private calls = 0;
  private isOver = false;

  constructor(private readonly context: TranslationContext) {}

  push({ event, data }: StreamEvent): string {
    if (this.isOver) return '';
    if (data.trim() === doneMark) return this.finish();
    const chunk = eventObject(data);
    if (event === 'error' || !isAbsent(chunk.error)) throw streamFault(chunk.error ?? chunk);
    if (isObject(chunk.usage)) this.usage = chunk.usage;
    if (typeof chunk.service_tier === 'string') this.serviceTier = chunk.service_tier;
    if (!Array.isArray(chunk.choices)) {
      if (isObject(chunk.usage)) return '';
      throw new UnexpectedAnswer();
    }
    const choice = chunk.choices.filter(isObject).find(({ index = 0 }) => index === 0);
    return choice === undefined ? '' : this.start(chunk.id) + this.choice(choice);
  }

  end(): string {
    if (this.isOver) return '';
    if (isAbsent(this.ending.finish_reason)) throw new UnexpectedAnswer();
    return this.finish();
  }

  private start(id: unknown): string {
    if (this.id !== undefined) return '';
    this.id = messageId(id);
    return namedEvent({
      type: 'message_start',
      message: {
        id: this.id,
        type: 'message',
        role: 'assistant',
        model: this.context.model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: messageUsage(undefined, this.serviceTier),
      },
    });
  }

  private choice(choice: Json): string {
    for (const field of ['finish_reason', 'stop_reason']) {
      if (!isAbsent(choice[field])) this.ending[field] = choice[field];
    }
    const delta = isObject(choice.delta) ? choice.delta : {};
    const said = saidIn(delta);
    this.refusal += said.refusal;
    const calls: unknown[] = Array.isArray(delta.tool_calls) ? delta.tool_calls : [];
    return [
      said.reasoning === '' ? '' : this.blocks.thinking(said.reasoning),
      ...said.thinking.map((block) => this.blocks.signedThinking(block)),
      said.text === '' ? '' : this.blocks.text(said.text),
      ...calls.filter(isObject).map((call) => this.call(call)),
    ].join('');
  }

  private call(call: Json): string {
    const { name, arguments: written } = isObject(call.function) ? call.function : ({} as Json);
    const id = typeof call.id === 'string' ? call.id : '';
    const fragment = {
      id,
      name: typeof name === 'string' ? name : '',
      arguments: argumentsText(written),
    };
    const key = this.keyOf(call.index, fragment);
    return this.blocks.call(key, fragment, fallbackCallId(this.id ?? '', key));
  }

  /** A new id with a name begins a new call, even at an index that was used: some servers have no index or always 0. */
  private keyOf(given: unknown, { id, name }: { id: string; name: string }): number {
    const index = isAbsent(given) ? (this.lastIndex ?? 0) : given;
    this.lastIndex = index;
    const known = this.keys.get(index);
    const isOther = known !== undefined && id !== '' && name !== '' && known.id !== '' && known.id !== id;
    if (known !== undefined && !isOther) {
      known.id ||= id;
      return known.key;
    }
    const key = this.calls;
    this.calls += 1;
    this.keys.set(index, { key, id });
    return key;
  }

  private finish(): string {
    if (this.id === undefined) throw new UnexpectedAnswer();
    this.isOver = true;
    const { request } = this.context;
    const closed = this.blocks.close();
    const delta = stopFields(this.ending, {
      hasCalls: this.blocks.hasCalls,
      refusal: this.refusal,
      request,
    });
    return (
      closed +
      namedEvent({ type: 'message_delta', delta, usage: messageUsage(this.usage, undefined) }) +
      namedEvent({ type: 'message_stop' })
    );
  }
}
