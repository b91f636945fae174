import { dataEvent, doneMark, eventObject, streamFault } from '../sse';
import {
  type Json,
  type StreamEvent,
  type StreamTranslator,
  type TranslationContext,
  UnexpectedAnswer,
} from '../translation';
import { isObject } from '../values';
import { chatUsage, finishReason, nowSeconds, refusalOf, serviceTier, thinkingBlock } from './response';

/** A content block that has begun and not ended. */
interface OpenBlock {
  /** As it began; thinking gathers its text and signature here. */
  readonly block: Json;
  /** Its place among the calls, of a tool's block. */
  readonly call?: number;
  hasArguments: boolean;
}

/**
 * The chunks of https://platform.openai.com/docs/api-reference/chat-streaming for the events of
 * https://platform.claude.com/docs/en/build-with-claude/streaming. Events and blocks of unknown kinds are passed over:
 * Anthropic says that it may add some.
 */
export class ChatStream implements StreamTranslator {
  private readonly created = nowSeconds();
  private readonly withUsage: boolean;
  private readonly blocks = new Map<unknown, OpenBlock>();
  private id: string | undefined;
  private usage: Json = {};
  private stopReason: unknown;
  private calls = 0;
  private thoughts = 0;
  private isOver = false;

  constructor(private readonly context: TranslationContext) {
    const options = context.request.stream_options;
    this.withUsage = isObject(options) && options.include_usage === true;
  }

  push({ event, data }: StreamEvent): string {
    if (this.isOver) return '';
    const body = eventObject(data);
    const type: unknown = body.type ?? event;
    switch (type) {
      case 'error':
        throw streamFault(body.error);
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
    if (!this.isOver) throw new UnexpectedAnswer();
    return '';
  }

  private start(message: unknown): string {
    if (!isObject(message) || this.id !== undefined) throw new UnexpectedAnswer();
    this.id = typeof message.id === 'string' ? message.id : '';
    this.addUsage(message.usage);
    return this.chunk({ role: 'assistant', content: '' });
  }

  private startBlock({ index, content_block: block }: Json): string {
    if (!isObject(block) || this.id === undefined || this.blocks.has(index)) throw new UnexpectedAnswer();
    if (block.type !== 'tool_use') {
      this.blocks.set(index, { block: { ...block }, hasArguments: false });
      if (block.type === 'text') return this.textChunk('content', block.text);
      return block.type === 'thinking' ? this.textChunk('reasoning_content', block.thinking) : '';
    }
    const { id, name } = block;
    if (typeof id !== 'string' || typeof name !== 'string') throw new UnexpectedAnswer();
    const call = this.calls;
    this.calls += 1;
    this.blocks.set(index, { block, call, hasArguments: false });
    return this.chunk({
      tool_calls: [{ index: call, id, type: 'function', function: { name, arguments: '' } }],
    });
  }

  private delta({ index, delta }: Json): string {
    const open = this.blocks.get(index);
    if (open === undefined || !isObject(delta)) throw new UnexpectedAnswer();
    const { block, call } = open;
    switch (delta.type) {
      case 'text_delta':
        return this.textChunk('content', delta.text);
      case 'thinking_delta':
        block.thinking = `${asText(block.thinking)}${asText(delta.thinking)}`;
        return this.textChunk('reasoning_content', delta.thinking);
      case 'signature_delta':
        block.signature = delta.signature;
        return '';
      case 'input_json_delta': {
        const fragment = delta.partial_json;
        if (call === undefined || typeof fragment !== 'string' || fragment === '') return '';
        open.hasArguments = true;
        return this.argumentsChunk(call, fragment);
      }
      default:
        return '';
    }
  }

  private stopBlock(index: unknown): string {
    const open = this.blocks.get(index);
    if (open === undefined) throw new UnexpectedAnswer();
    this.blocks.delete(index);
    const { block, call, hasArguments } = open;
    if (call !== undefined) {
      // A tool without arguments streams none, and no text is no JSON.
      return hasArguments ? '' : this.argumentsChunk(call, JSON.stringify(block.input ?? {}));
    }
    return thinkingBlock(block)
      .map((thought) => this.chunk({ thinking_blocks: [{ index: this.thoughts++, ...thought }] }))
      .join('');
  }

  private messageDelta({ delta, usage }: Json): string {
    if (!isObject(delta) || this.id === undefined) throw new UnexpectedAnswer();
    this.addUsage(usage);
    if (typeof delta.stop_reason === 'string') this.stopReason = delta.stop_reason;
    const refusal = refusalOf(delta.stop_details);
    return refusal === null ? '' : this.chunk({ refusal });
  }

  private stop(): string {
    if (this.id === undefined) throw new UnexpectedAnswer();
    const rest = [...this.blocks.keys()].map((index) => this.stopBlock(index)).join('');
    this.isOver = true;
    const last = this.chunk({}, finishReason(this.stopReason));
    const usage = this.withUsage ? this.event({ choices: [], usage: chatUsage(this.usage) }) : '';
    return rest + last + usage + dataEvent(doneMark);
  }

  /** The counts are totals so far, not additions. A null says nothing. */
  private addUsage(usage: unknown): void {
    if (!isObject(usage)) return;
    const said = Object.entries(usage).filter(([, value]) => value !== null);
    this.usage = { ...this.usage, ...Object.fromEntries(said) };
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

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
