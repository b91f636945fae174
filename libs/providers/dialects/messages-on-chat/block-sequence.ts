import { namedEvent } from '../sse';
import { type Json, UnexpectedAnswer } from '../translation';
import { ObjectEnd } from './object-end';

interface WaitingBlock {
  readonly kind: 'text' | 'thinking' | 'tool_use' | 'redacted_thinking';
  /** What content_block_start shows. A call waits for its name and has no start before. */
  start?: Json;
  hasBegun: boolean;
  /** Nothing more belongs to it, though it may still be the last. */
  isSealed: boolean;
  /** Deltas that were not sent yet. */
  deltas: Json[];
  /** A call's id, and whether its arguments are complete. */
  id: string;
  readonly end: ObjectEnd;
}

/** What one fragment says of a call. Empty texts are what it does not say. */
export interface CallFragment {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/**
 * Anthropic's blocks come one after the other, each closed before the next begins; OpenAI's fragments may come in any
 * order. The first open block is sent as it comes. It gives way to a later one when it is complete: a text at once, a
 * call when its arguments are an object. What comes for a later block before that waits here.
 */
export class BlockSequence {
  private readonly queue: WaitingBlock[] = [];
  private readonly calls = new Map<unknown, WaitingBlock>();
  private index = 0;

  get hasCalls(): boolean {
    return this.calls.size > 0;
  }

  text(text: string): string {
    return this.append('text', { type: 'text', text: '' }, { type: 'text_delta', text });
  }

  thinking(thinking: string): string {
    const start = { type: 'thinking', thinking: '', signature: '' };
    return this.append('thinking', start, { type: 'thinking_delta', thinking });
  }

  /** A whole block of thinking, whose text may have come before it, fragment by fragment. */
  signedThinking(block: Json): string {
    const last = this.queue.at(-1);
    if (block.type === 'redacted_thinking') return this.add('redacted_thinking', block);
    const signature: Json = { type: 'signature_delta', signature: block.signature };
    if (last?.kind === 'thinking' && !last.isSealed) {
      last.deltas.push(signature);
      last.isSealed = true;
      return this.advance();
    }
    const deltas = [{ type: 'thinking_delta', thinking: block.thinking }, signature];
    return this.add('thinking', { type: 'thinking', thinking: '', signature: '' }, deltas, true);
  }

  /**
   * @param key tells the calls of one answer apart
   * @param fallbackId for a call that never gets an id
   */
  call(key: unknown, fragment: CallFragment, fallbackId: string): string {
    let block = this.calls.get(key);
    if (block === undefined) {
      block = {
        kind: 'tool_use',
        hasBegun: false,
        isSealed: false,
        deltas: [],
        id: '',
        end: new ObjectEnd(),
      };
      this.calls.set(key, block);
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

  /** @throws UnexpectedAnswer when a call never got its name */
  close(): string {
    return this.advance(true);
  }

  private append(kind: 'text' | 'thinking', start: Json, delta: Json): string {
    const last = this.queue.at(-1);
    if (last?.kind !== kind || last.isSealed) return this.add(kind, start, [delta]);
    last.deltas.push(delta);
    return this.advance();
  }

  private add(kind: WaitingBlock['kind'], start: Json, deltas: Json[] = [], isSealed = false): string {
    this.queue.push({ kind, start, hasBegun: false, isSealed, deltas, id: '', end: new ObjectEnd() });
    return this.advance();
  }

  private advance(isClosing = false): string {
    let events = '';
    for (let block = this.queue[0]; block !== undefined; block = this.queue[0]) {
      if (block.start !== undefined) events += this.sent(block, block.start);
      else if (isClosing) throw new UnexpectedAnswer();
      if (!isClosing && (this.queue.length === 1 || !isComplete(block))) break;
      events += namedEvent({ type: 'content_block_stop', index: this.index });
      this.index += 1;
      this.queue.shift();
    }
    return events;
  }

  private sent(block: WaitingBlock, start: Json): string {
    const { index } = this;
    const deltas = block.deltas.map((delta) => namedEvent({ type: 'content_block_delta', index, delta }));
    const begin = block.hasBegun
      ? ''
      : namedEvent({ type: 'content_block_start', index, content_block: start });
    block.hasBegun = true;
    block.deltas = [];
    return begin + deltas.join('');
  }
}

function isComplete({ kind, start, end }: WaitingBlock): boolean {
  return kind !== 'tool_use' || (start !== undefined && end.isReached);
}
