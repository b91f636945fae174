import { type ChatChunk, ChatChunks } from '../chat-chunks';
import { contentOf } from '../chat-content';
import { doneMarker, namedEvent } from '../sse';
import { type CallFragment } from '../tool-calls';
import {
  type StreamEvent,
  type StreamTranslator,
  type TranslationContext,
  UnexpectedResponse,
} from '../translation';
import { BlockSequence } from './block-sequence';
import { fallbackToolCallId, messageId, messageUsage, signatureBlock, stopFields } from './response';

/**
 * Translates the chunks of a chat completion into the events of
 * https://platform.claude.com/docs/en/build-with-claude/streaming.
 */
export class MessageStream implements StreamTranslator {
  private readonly chunks = new ChatChunks();
  private readonly blocks = new BlockSequence();
  private id: string | undefined;
  private refusal = '';
  private isFinished = false;

  constructor(private readonly context: TranslationContext) {}

  push({ data }: StreamEvent): string {
    if (this.isFinished) return '';
    if (data.trim() === doneMarker) return this.finish();
    const chunk = this.chunks.read(data);
    return chunk === undefined ? '' : this.start(chunk.id) + this.add(chunk);
  }

  end(): string {
    if (this.isFinished) return '';
    if (!this.chunks.hasFinishReason) throw new UnexpectedResponse();
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
        usage: messageUsage(undefined, this.chunks.serviceTier),
      },
    });
  }

  private add({ delta, calls }: ChatChunk): string {
    const content = contentOf(delta);
    this.refusal += content.refusal;
    return [
      content.reasoning === '' ? '' : this.blocks.thinking(content.reasoning),
      ...content.thinking.map((block) => this.blocks.signedThinking(block)),
      content.text === '' ? '' : this.blocks.text(content.text),
      ...calls.map(([key, fragment]) => this.toolCall(key, fragment)),
    ].join('');
  }

  private toolCall(key: number, fragment: CallFragment): string {
    const signed = signatureBlock(fragment.signature).map((block) => this.blocks.signedThinking(block));
    return signed.join('') + this.blocks.toolCall(key, fragment, fallbackToolCallId(this.id ?? '', key));
  }

  private finish(): string {
    if (this.id === undefined) throw new UnexpectedResponse();
    this.isFinished = true;
    const { request } = this.context;
    const { id } = this;
    const closed = this.blocks.close((key) => fallbackToolCallId(id, key));
    const delta = stopFields(this.chunks.ending, {
      hasToolCalls: this.blocks.hasToolCalls,
      refusal: this.refusal,
      request,
    });
    return (
      closed +
      namedEvent({ type: 'message_delta', delta, usage: messageUsage(this.chunks.usage, undefined) }) +
      namedEvent({ type: 'message_stop' })
    );
  }
}
