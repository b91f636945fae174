import { eventObject } from './sse';
import { callFragment, type CallFragment, ToolCallKeys } from './tool-calls';
import { type Json, UnexpectedResponse } from './translation';
import { isAbsent, isObject } from './values';

/** What a chunk adds to the first choice. */
export interface ChatChunk {
  readonly id: unknown;
  readonly created: unknown;
  readonly choice: Json;
  readonly delta: Json;
  /** The fragments of tool calls, each with the key of its call. */
  readonly calls: readonly (readonly [key: number, fragment: CallFragment])[];
}

/**
 * Reads the chunks of one stream: https://platform.openai.com/docs/api-reference/chat-streaming. Servers may leave out `[DONE]`,
 * ids and the index of a tool call.
 */
export class ChatChunks {
  /** The last usage. */
  usage: unknown;
  serviceTier: unknown;
  /** The last `finish_reason`, and vLLM's `stop_reason`. */
  readonly ending: Json = {};
  private readonly keys = new ToolCallKeys();

  /** Whether the stream is complete although `[DONE]` has not come. */
  get hasFinishReason(): boolean {
    return !isAbsent(this.ending.finish_reason);
  }

  /**
   * @returns undefined for a chunk without a choice, which contains the usage, or the results of Azure's filters
   * @throws UnexpectedResponse
   */
  read(data: string): ChatChunk | undefined {
    const { id, created, choices, usage, service_tier: serviceTier } = eventObject(data);
    if (isObject(usage)) this.usage = usage;
    if (typeof serviceTier === 'string') this.serviceTier = serviceTier;
    if (!Array.isArray(choices)) {
      if (isObject(usage)) return undefined;
      throw new UnexpectedResponse();
    }
    const choice = choices.filter(isObject).find(({ index = 0 }) => index === 0);
    if (choice === undefined) return undefined;
    for (const field of ['finish_reason', 'stop_reason']) {
      if (!isAbsent(choice[field])) this.ending[field] = choice[field];
    }
    const delta = isObject(choice.delta) ? choice.delta : {};
    const calls: unknown[] = Array.isArray(delta.tool_calls) ? delta.tool_calls : [];
    return { id, created, choice, delta, calls: calls.filter(isObject).map((call) => this.keyed(call)) };
  }

  private keyed(call: Json): readonly [number, CallFragment] {
    const fragment = callFragment(call);
    return [this.keys.keyOf(call.index, fragment), fragment];
  }
}
