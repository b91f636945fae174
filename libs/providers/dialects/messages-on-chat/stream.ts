import { contentOf } from '../chat-content';
import { doneMarker, eventObject, namedEvent } from '../sse';
import { callFragment, ToolCallKeys } from '../tool-calls';
import {
  type Json,
  type StreamEvent,
  type StreamTranslator,
  type TranslationContext,
  UnexpectedResponse,
} from '../translation';
import { isAbsent, isObject } from '../values';
import { BlockSequence } from './block-sequence';
import { fallbackToolCallId, messageId, messageUsage, signatureBlock, stopFields } from './response';

/**
 * Translates the chunks of https://platform.openai.com/docs/api-reference/chat-streaming into the events of
 * https://platform.claude.com/docs/en/build-with-claude/streaming. Servers may leave out `[DONE]`, ids and the index of a
 * tool call. A chunk without choices contains the usage, or the results of Azure's filters.
 */
export class MessageStream implements StreamTranslator {
  private readonly blocks = new BlockSequence();
  private id: string | undefined;
  private usage: unknown;
  private serviceTier: unknown;
  /** The last `finish_reason`, and vLLM's `stop_reason`. */
  private ending: Json = {};
  private refusal = '';
  private readonly keys = new ToolCallKeys();
  private isFinished = false;

  constructor(private readonly context: TranslationContext) {}

  push({ data }: StreamEvent): string {
    if (this.isFinished) return '';
    if (data.trim() === doneMarker) return this.finish();
    const chunk = eventObject(data);
    if (isObject(chunk.usage)) this.usage = chunk.usage;
    if (typeof chunk.service_tier === 'string') this.serviceTier = chunk.service_tier;
    if (!Array.isArray(chunk.choices)) {
      if (isObject(chunk.usage)) return '';
      throw new UnexpectedResponse();
    }
    const choice = chunk.choices.filter(isObject).find(({ index = 0 }) => index === 0);
    return choice === undefined ? '' : this.start(chunk.id) + this.choice(choice);
  }

  end(): string {
    if (this.isFinished) return '';
    if (isAbsent(this.ending.finish_reason)) throw new UnexpectedResponse();
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
    const content = contentOf(delta);
    this.refusal += content.refusal;
    const toolCalls: unknown[] = Array.isArray(delta.tool_calls) ? delta.tool_calls : [];
    return [
      content.reasoning === '' ? '' : this.blocks.thinking(content.reasoning),
      ...content.thinking.map((block) => this.blocks.signedThinking(block)),
      content.text === '' ? '' : this.blocks.text(content.text),
      ...toolCalls.filter(isObject).map((toolCall) => this.toolCall(toolCall)),
    ].join('');
  }

  private toolCall(toolCall: Json): string {
    const fragment = callFragment(toolCall);
    const key = this.keys.keyOf(toolCall.index, fragment);
    const signed = signatureBlock(fragment.signature).map((block) => this.blocks.signedThinking(block));
    return signed.join('') + this.blocks.toolCall(key, fragment, fallbackToolCallId(this.id ?? '', key));
  }

  private finish(): string {
    if (this.id === undefined) throw new UnexpectedResponse();
    this.isFinished = true;
    const { request } = this.context;
    const { id } = this;
    const closed = this.blocks.close((key) => fallbackToolCallId(id, key));
    const delta = stopFields(this.ending, {
      hasToolCalls: this.blocks.hasToolCalls,
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
