import { randomUUID } from 'node:crypto';
import { contentOf, finishReasonOf, readCompletion } from '../chat-content';
import { countIn, reasoningOutsideOutput } from '../openai-usage';
import { callFragment, type CallFragment } from '../tool-calls';
import { type Json, type TranslationContext } from '../translation';
import { isObject, textOrEmpty } from '../values';
import { type Status } from './item-events';
import { OutputItems } from './output';
import { withDefaults } from './repeated';
import { type ClientTools } from './tool-names';

const noTools: ClientTools = new Map();

/**
 * Translates a chat completion into a response.
 * @throws UnexpectedResponse
 */
export function decodeCompletion(value: unknown, context: TranslationContext): Json {
  const { completion, choice, message } = readCompletion(value);
  const draft = new DraftResponse(context, completion.id, completion.created);
  const calls: unknown[] = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  draft.add(message, logprobsOf(choice), calls.filter(isObject).map(callFragment).entries());
  return draft.end(choice.finish_reason, completion.usage, completion.service_tier).response;
}

/** A response that is being put together, from a whole chat completion or from the chunks of a stream. */
export class DraftResponse {
  private readonly suffix: string;
  private readonly createdAt: number;
  private readonly output: OutputItems;

  constructor(
    private readonly context: TranslationContext,
    id: unknown,
    created: unknown,
  ) {
    this.suffix = suffixOf(id);
    this.createdAt = typeof created === 'number' ? created : Math.floor(Date.now() / 1000);
    const { clientTools = noTools } = context.request as { clientTools?: ClientTools };
    this.output = new OutputItems(this.suffix, clientTools);
  }

  /** The response before any output. */
  get begun(): Json {
    return this.with({ status: 'in_progress' });
  }

  /**
   * Adds a message or a fragment of one.
   * @param calls its tool calls with their keys
   * @returns the events that a stream needs for it
   */
  add(
    message: Json,
    logprobs: readonly unknown[],
    calls: Iterable<readonly [key: number, call: CallFragment]>,
  ): Json[] {
    const { reasoning, thinking, text, refusal } = contentOf(message);
    const events: Json[] = [];
    // A whole message has the text of signed thinking twice.
    const isRepeated = thinking.some((block) => block.type === 'thinking' && block.thinking !== '');
    if (reasoning !== '' && !isRepeated) events.push(...this.output.reasoning(reasoning));
    for (const block of thinking) events.push(...this.output.signedThinking(block));
    if (text !== '') events.push(...this.output.text(text, logprobs));
    if (refusal !== '') events.push(...this.output.refusal(refusal));
    for (const [key, call] of calls)
      events.push(...this.output.call(key, call, `call_${this.suffix}_${key}`));
    return events;
  }

  /** @throws UnexpectedResponse */
  end(
    finishReason: unknown,
    usage: unknown,
    serviceTier: unknown,
  ): { readonly events: readonly Json[]; readonly response: Json } {
    const reason = incompleteReasons.get(finishReasonOf(finishReason));
    const status: Status = reason === undefined ? 'completed' : 'incomplete';
    const events = this.output.end(status);
    const response = this.with({
      status,
      incomplete_details: reason === undefined ? null : { reason },
      output: [...this.output.all],
      usage: responseUsage(usage),
      ...(typeof serviceTier === 'string' && { service_tier: serviceTier }),
    });
    return { events, response };
  }

  private with(fields: Json): Json {
    return {
      id: `resp_${this.suffix}`,
      object: 'response',
      created_at: this.createdAt,
      model: this.context.model,
      background: false,
      error: null,
      incomplete_details: null,
      output: [],
      previous_response_id: null,
      store: false,
      truncation: 'disabled',
      usage: null,
      ...withDefaults(this.context.request.repeated),
      ...fields,
    };
  }
}

const incompleteReasons: ReadonlyMap<unknown, string> = new Map([
  ['length', 'max_output_tokens'],
  ['content_filter', 'content_filter'],
]);

/** The id without its prefix. It is random if the server sends none, because clients identify responses by it. */
function suffixOf(id: unknown): string {
  const suffix = textOrEmpty(id).replace(/^(?:chatcmpl-|msg_)/, '');
  return suffix === '' ? randomUUID().replaceAll('-', '') : suffix;
}

/** The log probabilities of a choice. Both formats have the same entries. */
export function logprobsOf({ logprobs }: Json): unknown[] {
  return isObject(logprobs) && Array.isArray(logprobs.content) ? logprobs.content : [];
}

/** @returns null when the provider reports no usage */
function responseUsage(usage: unknown): Json | null {
  if (!isObject(usage)) return null;
  const { prompt_tokens_details: prompt, completion_tokens_details: completion } = usage;
  const input = countIn(usage, 'prompt_tokens');
  const output = countIn(usage, 'completion_tokens') + reasoningOutsideOutput(usage);
  return {
    input_tokens: input,
    input_tokens_details: {
      // Together has the count next to the totals.
      cached_tokens: countIn(prompt, 'cached_tokens') || countIn(usage, 'cached_tokens'),
      cache_write_tokens: countIn(prompt, 'cache_write_tokens'),
    },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: countIn(completion, 'reasoning_tokens') },
    total_tokens: input + output,
  };
}
