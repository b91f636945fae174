import { type Json } from './translation';
import { isAbsent, isObject } from './values';

/** Tells the tool calls of a stream apart. */
export class ToolCallKeys {
  /** The server's index of a call -> the call that last had this index. */
  private readonly known = new Map<unknown, { readonly key: number; id: string }>();
  private lastIndex: unknown;
  private count = 0;

  /**
   * A new id with a name starts a new call even at a known index, because some servers send no index, or always 0.
   * @returns the same key for all fragments of a call
   */
  keyOf(fragment: Json): number {
    const name = isObject(fragment.function) ? fragment.function.name : undefined;
    const id = typeof fragment.id === 'string' ? fragment.id : '';
    const index = isAbsent(fragment.index) ? (this.lastIndex ?? 0) : fragment.index;
    this.lastIndex = index;
    const known = this.known.get(index);
    const hasName = typeof name === 'string' && name !== '';
    const isNew = known !== undefined && id !== '' && hasName && known.id !== '' && known.id !== id;
    if (known !== undefined && !isNew) {
      known.id ||= id;
      return known.key;
    }
    const key = this.count;
    this.count += 1;
    this.known.set(index, { key, id });
    return key;
  }
}
