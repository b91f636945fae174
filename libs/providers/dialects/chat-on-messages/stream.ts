import { jsonText } from '../json/json-numbers';
import { dataEvent, doneMarker, eventObject } from '../sse';
import {
  checkParts,
  type Json,
  type StreamEvent,
  type StreamTranslator,
  type TranslationContext,
  UnexpectedResponse,
} from '../translation';
import { isObject, textOrEmpty } from '../values';
import { chatUsage, finishReason, nowSeconds, refusalOf, serviceTier, thinkingBlock } from './response';

/** A content block that is not complete yet. */
interface OpenBlock {
  /** The block as it started. The text and the signature of thinking are added to it. */
  readonly block: Json;
  /** Index of the tool call, if the block is one. */
  readonly toolCallIndex?: number;
  hasArguments: boolean;
}

/**
 * Translates the events of https://platform.claude.com/docs/en/build-with-claude/streaming into the chunks of
 * https://platform.openai.com/docs/api-reference/chat-streaming. Unknown events and blocks are ignored, because Anthropic
 * may add some.
 */
export class ChatStream implements StreamTranslator {
  private readonly created = nowSeconds();
  private readonly withUsage: boolean;
  private readonly blocks = new Map<unknown, OpenBlock>();
  private id: string | undefined;
  private usage: Json = {};
  private stopReason: unknown;
  private toolCallCount = 0;
  private thinkingBlockCount = 0;
  private isFinished = false;

  constructor(private readonly context: TranslationContext) {
    const options = context.request.stream_options;
    this.withUsage = isObject(options) && options.include_usage === true;
  }

  push({ event, data }: StreamEvent): string {
    if (this.isFinished) return '';
    const body = eventObject(data);
    const type: unknown = body.type ?? event;
    switch (type) {
      case 'message_start':
        return this.start(body.message);
      case 'content_block_start':
        return this.startBlock(body);
      case 'content_block_delta':
        return this.delta(body);
      case 'content_block_stop':
        return this.stopBlock(body.index);
      case 'message_delta':
        return this.messageDelta(body);
      case 'message_stop':
        return this.stop();
      default:
        return '';
    }
  }

  end(): string {
    if (this.isFinished) return '';
    // Some servers send no message_stop.
    if (typeof this.stopReason !== 'string') throw new UnexpectedResponse();
    return this.stop();
  }

  private start(message: unknown): string {
    if (!isObject(message) || this.id !== undefined) throw new UnexpectedResponse();
    this.id = typeof message.id === 'string' ? message.id : '';
    this.addUsage(message.usage);
    return this.chunk({ role: 'assistant', content: '' });
  }

  private startBlock({ index, content_block: block }: Json): string {
    if (!isObject(block) || this.id === undefined || this.blocks.has(index)) throw new UnexpectedResponse();
    checkParts(this.blocks.size + 1);
    if (block.type !== 'tool_use') {
      this.blocks.set(index, { block: { ...block }, hasArguments: false });
      if (block.type === 'text') return this.textChunk('content', block.text);
      return block.type === 'thinking' ? this.textChunk('reasoning_content', block.thinking) : '';
    }
    const { id, name } = block;
    if (typeof id !== 'string' || typeof name !== 'string') throw new UnexpectedResponse();
    const toolCallIndex = this.toolCallCount;
    this.toolCallCount += 1;
    this.blocks.set(index, { block, toolCallIndex, hasArguments: false });
    return this.chunk({
      tool_calls: [{ index: toolCallIndex, id, type: 'function', function: { name, arguments: '' } }],
    });
  }

  private delta({ index, delta }: Json): string {
    const open = this.blocks.get(index);
    if (open === undefined || !isObject(delta)) throw new UnexpectedResponse();
    const { block, toolCallIndex } = open;
    switch (delta.type) {
      case 'text_delta':
        return this.textChunk('content', delta.text);
      case 'thinking_delta':
        block.thinking = `${textOrEmpty(block.thinking)}${textOrEmpty(delta.thinking)}`;
        return this.textChunk('reasoning_content', delta.thinking);
      case 'signature_delta':
        block.signature = delta.signature;
        return '';
      case 'input_json_delta': {
        const fragment = delta.partial_json;
        if (toolCallIndex === undefined || typeof fragment !== 'string' || fragment === '') return '';
        open.hasArguments = true;
        return this.argumentsChunk(toolCallIndex, fragment);
      }
      default:
        return '';
    }
  }

  private stopBlock(index: unknown): string {
    const open = this.blocks.get(index);
    if (open === undefined) throw new UnexpectedResponse();
    this.blocks.delete(index);
    const { block, toolCallIndex, hasArguments } = open;
    if (toolCallIndex !== undefined) {
      // The stream of a call without arguments has none, but the client needs JSON.
      return hasArguments ? '' : this.argumentsChunk(toolCallIndex, jsonText(block.input ?? {}));
    }
    return thinkingBlock(block)
      .map((thinking) => this.chunk({ thinking_blocks: [{ index: this.thinkingBlockCount++, ...thinking }] }))
      .join('');
  }

  private messageDelta({ delta, usage }: Json): string {
    if (!isObject(delta) || this.id === undefined) throw new UnexpectedResponse();
    this.addUsage(usage);
    if (typeof delta.stop_reason === 'string') this.stopReason = delta.stop_reason;
    const refusal = refusalOf(delta.stop_details);
    return refusal === null ? '' : this.chunk({ refusal });
  }

  private stop(): string {
    if (this.id === undefined) throw new UnexpectedResponse();
    const unfinished = [...this.blocks.keys()].map((index) => this.stopBlock(index)).join('');
    this.isFinished = true;
    const last = this.chunk({}, finishReason(this.stopReason));
    const usage = this.withUsage ? this.event({ choices: [], usage: chatUsage(this.usage) }) : '';
    return unfinished + last + usage + dataEvent(doneMarker);
  }

  /** Each count is the total so far. A null count is ignored. */
  private addUsage(usage: unknown): void {
    if (!isObject(usage)) return;
    const counts = Object.entries(usage).filter(([, value]) => value !== null);
    this.usage = { ...this.usage, ...Object.fromEntries(counts) };
  }

  private textChunk(field: 'content' | 'reasoning_content', text: unknown): string {
    return typeof text === 'string' && text !== '' ? this.chunk({ [field]: text }) : '';
  }

  private argumentsChunk(index: number, fragment: string): string {
    return this.chunk({ tool_calls: [{ index, function: { arguments: fragment } }] });
  }

  private chunk(delta: Json, finish: string | null = null): string {
    return this.event({
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      ...(this.withUsage && { usage: null }),
    });
  }

  private event(fields: Json): string {
    const { model } = this.context;
    return dataEvent({
      id: this.id,
      object: 'chat.completion.chunk',
      created: this.created,
      model,
      ...serviceTier(this.usage),
      ...fields,
    });
  }
}
