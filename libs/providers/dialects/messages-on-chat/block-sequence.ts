import { namedEvent } from '../sse';
import { type Json, UnexpectedResponse } from '../translation';
import { ObjectEnd } from './object-end';

interface WaitingBlock {
  readonly kind: 'text' | 'thinking' | 'tool_use' | 'redacted_thinking';
  /** The block in `content_block_start`. A tool call has none until its name arrives. */
  start?: Json;
  isStarted: boolean;
  /** Later fragments belong to another block, even while this one is the last. */
  isClosed: boolean;
  /** Deltas that are not sent yet. */
  deltas: Json[];
  /** Id of a tool call. */
  id: string;
  /** Finds the end of a tool call's arguments. */
  readonly end: ObjectEnd;
}

/** A fragment of a tool call. Absent values are empty strings. */
export interface ToolCallFragment {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/**
 * Anthropic's blocks never overlap, but OpenAI's fragments may arrive in any order. The fragments of the first block are
 * sent as they arrive, and those of later blocks wait. When a later block exists, the first one is closed as soon as it is
 * complete: text at once, a tool call when its arguments are a JSON object.
 */
export class BlockSequence {
  private readonly queue: WaitingBlock[] = [];
  private readonly toolCalls = new Map<unknown, WaitingBlock>();
  private index = 0;

  get hasToolCalls(): boolean {
    return this.toolCalls.size > 0;
  }

  text(text: string): string {
    return this.append('text', { type: 'text', text: '' }, { type: 'text_delta', text });
  }

  thinking(thinking: string): string {
    const start = { type: 'thinking', thinking: '', signature: '' };
    return this.append('thinking', start, { type: 'thinking_delta', thinking });
  }

  /** A complete thinking block. Its text may already have arrived in fragments. */
  signedThinking(block: Json): string {
    const last = this.queue.at(-1);
    if (block.type === 'redacted_thinking') return this.add('redacted_thinking', block);
    const signature: Json = { type: 'signature_delta', signature: block.signature };
    if (last?.kind === 'thinking' && !last.isClosed) {
      last.deltas.push(signature);
      last.isClosed = true;
      return this.advance();
    }
    const deltas = [{ type: 'thinking_delta', thinking: block.thinking }, signature];
    return this.add('thinking', { type: 'thinking', thinking: '', signature: '' }, deltas, true);
  }

  /**
   * @param key identifies the tool call within the response
   * @param fallbackId id of a tool call that has none
   */
  toolCall(key: unknown, fragment: ToolCallFragment, fallbackId: string): string {
    let block = this.toolCalls.get(key);
    if (block === undefined) {
      block = {
        kind: 'tool_use',
        isStarted: false,
        isClosed: false,
        deltas: [],
        id: '',
        end: new ObjectEnd(),
      };
      this.toolCalls.set(key, block);
      this.queue.push(block);
    }
    block.id ||= fragment.id;
    if (block.start === undefined && fragment.name !== '') {
      block.start = { type: 'tool_use', id: block.id || fallbackId, name: fragment.name, input: {} };
    }
    if (fragment.arguments !== '') {
      block.end.push(fragment.arguments);
      block.deltas.push({ type: 'input_json_delta', partial_json: fragment.arguments });
    }
    return this.advance();
  }

  /** @throws UnexpectedResponse when a tool call has no name */
  close(): string {
    return this.advance(true);
  }

  private append(kind: 'text' | 'thinking', start: Json, delta: Json): string {
    const last = this.queue.at(-1);
    if (last?.kind !== kind || last.isClosed) return this.add(kind, start, [delta]);
    last.deltas.push(delta);
    return this.advance();
  }

  private add(kind: WaitingBlock['kind'], start: Json, deltas: Json[] = [], isClosed = false): string {
    this.queue.push({ kind, start, isStarted: false, isClosed, deltas, id: '', end: new ObjectEnd() });
    return this.advance();
  }

  private advance(isClosing = false): string {
    let events = '';
    for (let block = this.queue[0]; block !== undefined; block = this.queue[0]) {
      if (block.start !== undefined) events += this.eventsFor(block, block.start);
      else if (isClosing) throw new UnexpectedResponse();
      if (!isClosing && (this.queue.length === 1 || !isComplete(block))) break;
      events += namedEvent({ type: 'content_block_stop', index: this.index });
      this.index += 1;
      this.queue.shift();
    }
    return events;
  }

  private eventsFor(block: WaitingBlock, start: Json): string {
    const { index } = this;
    const deltas = block.deltas.map((delta) => namedEvent({ type: 'content_block_delta', index, delta }));
    const started = block.isStarted
      ? ''
      : namedEvent({ type: 'content_block_start', index, content_block: start });
    block.isStarted = true;
    block.deltas = [];
    return started + deltas.join('');
  }
}

function isComplete({ kind, start, end }: WaitingBlock): boolean {
  return kind !== 'tool_use' || (start !== undefined && end.isReached);
}
