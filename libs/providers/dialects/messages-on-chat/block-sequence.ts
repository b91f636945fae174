import { namedEvent } from '../sse';
import { type CallFragment } from '../tool-calls';
import { type Json, UnexpectedResponse } from '../translation';
import { ObjectEnd } from './object-end';

interface WaitingBlock {
  readonly kind: 'text' | 'thinking' | 'tool_use' | 'redacted_thinking';
  /** The block in `content_block_start`. A tool call has none until its name is complete. */
  start?: Json;
  isStarted: boolean;
  /** Later fragments belong to another block, even while this one is the last. */
  isClosed: boolean;
  /** Deltas that are not sent yet. */
  deltas: Json[];
  /** Id of a tool call. */
  id: string;
  /** What has arrived of a tool call's name. */
  name: string;
  /** Finds the end of a tool call's arguments. */
  readonly end: ObjectEnd;
}

/**
 * Anthropic's blocks never overlap, but OpenAI's fragments may arrive in any order. The fragments of the first block are
 * sent as they arrive, and those of later blocks wait. When a later block exists, the first one is closed as soon as it is
 * complete: text at once, a tool call when its arguments are a JSON object. The name of a tool call may arrive in fragments too,
 * and is complete when its arguments begin.
 */
export class BlockSequence {
  private readonly queue: WaitingBlock[] = [];
  private readonly toolCalls = new Map<number, WaitingBlock>();
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
   * @param fallbackId id of a tool call that has none until its arguments begin
   */
  toolCall(key: number, fragment: CallFragment, fallbackId: string): string {
    let block = this.toolCalls.get(key);
    if (block === undefined) {
      block = {
        kind: 'tool_use',
        isStarted: false,
        isClosed: false,
        deltas: [],
        id: '',
        name: '',
        end: new ObjectEnd(),
      };
      this.toolCalls.set(key, block);
      this.queue.push(block);
    }
    block.id ||= fragment.id;
    // Some servers repeat the whole name.
    if (block.start === undefined && fragment.name !== block.name) block.name += fragment.name;
    if (fragment.arguments !== '') {
      block.id ||= fallbackId;
      begin(block);
      block.end.push(fragment.arguments);
      block.deltas.push({ type: 'input_json_delta', partial_json: fragment.arguments });
    }
    return this.advance();
  }

  /**
   * @param fallbackIdOf makes the id of a tool call without arguments that has none
   * @throws UnexpectedResponse when a tool call has no name
   */
  close(fallbackIdOf: (key: number) => string): string {
    for (const [key, block] of this.toolCalls) {
      block.id ||= fallbackIdOf(key);
      begin(block);
    }
    return this.advance(true);
  }

  private append(kind: 'text' | 'thinking', start: Json, delta: Json): string {
    const last = this.queue.at(-1);
    if (last?.kind !== kind || last.isClosed) return this.add(kind, start, [delta]);
    last.deltas.push(delta);
    return this.advance();
  }

  private add(kind: WaitingBlock['kind'], start: Json, deltas: Json[] = [], isClosed = false): string {
    this.queue.push({
      kind,
      start,
      isStarted: false,
      isClosed,
      deltas,
      id: '',
      name: '',
      end: new ObjectEnd(),
    });
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

function begin(block: WaitingBlock): void {
  if (block.start !== undefined || block.name === '') return;
  block.start = { type: 'tool_use', id: block.id, name: block.name, input: {} };
}

function isComplete({ kind, start, end }: WaitingBlock): boolean {
  return kind !== 'tool_use' || (start !== undefined && end.isReached);
}
