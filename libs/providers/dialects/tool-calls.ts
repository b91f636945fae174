import { signatureText } from './call-signature';
import { jsonText } from './json/json-numbers';
import { checkParts, type Json } from './translation';
import { isAbsent, isObject, textOrEmpty } from './values';

/** A tool call of a chat completion, or a fragment of one. Absent values are empty strings. */
export interface CallFragment {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  /** Of Gemini's thinking, as a text for the client. */
  readonly signature: string | undefined;
}

/** Arguments are a string; some servers send the object. */
export function callFragment(call: Json): CallFragment {
  const { name, arguments: args } = isObject(call.function) ? call.function : ({} as Json);
  return {
    id: textOrEmpty(call.id),
    name: textOrEmpty(name),
    arguments: isObject(args) ? jsonText(args) : textOrEmpty(args),
    signature: signatureText(call),
  };
}

/** Tells the tool calls of a stream apart. */
export class ToolCallKeys {
  /** The server's index of a call -> the call that last had this index. */
  private readonly known = new Map<unknown, { readonly key: number; id: string }>();
  private lastIndex: unknown;
  private count = 0;

  /**
   * A new id with a name starts a new call even at a known index, because some servers send no index, or always 0.
   * @param serverIndex as the server sent it
   * @returns the same key for all fragments of a call
   * @throws UnexpectedResponse when there are too many calls
   */
  keyOf(serverIndex: unknown, { id, name }: CallFragment): number {
    const index = isAbsent(serverIndex) ? (this.lastIndex ?? 0) : serverIndex;
    this.lastIndex = index;
    const known = this.known.get(index);
    const isNew = known !== undefined && id !== '' && name !== '' && known.id !== '' && known.id !== id;
    if (known !== undefined && !isNew) {
      known.id ||= id;
      return known.key;
    }
    const key = this.count;
    this.count += 1;
    checkParts(this.count);
    this.known.set(index, { key, id });
    return key;
  }
}
