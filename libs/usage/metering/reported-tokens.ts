import { reasoningOutsideOutput } from '#providers';

/** Tokens as the provider reported them; null if it did not. */
export interface ReportedTokens {
  /** The whole input of the model, whether or not it was read from a cache. */
  readonly input: number | null;
  /** The whole output of the model, including its reasoning. */
  readonly output: number | null;
  /** The part of `input` that the provider read from its cache. */
  readonly cached: number | null;
  /** The part of `input` that the provider wrote to its cache. */
  readonly cacheWrite: number | null;
  /** What Cohere charges for a rerank. */
  readonly searchUnits: number | null;
}

/**
 * Far more than any model accepts. A tenant's own server may report any number, and the sums of a day must be able to hold
 * it: with 2^53 tokens in each call, a thousand calls exceed a bigint, and the database would refuse every later record.
 */
const MAXIMUM_TOKENS = 10_000_000_000;

/**
 * The counts of all the usage objects of one response. Each count comes from the last object that has it.
 *
 * - chat/completions, completions, embeddings: https://platform.openai.com/docs/api-reference/chat/object; `cached_tokens`
 *   may also be next to the totals (https://docs.together.ai/reference/chat-completions-1), or have the name
 *   `prompt_cache_hit_tokens` (https://api-docs.deepseek.com/guides/kv_cache);
 * - responses, images, transcriptions: https://platform.openai.com/docs/api-reference/responses/object;
 * - messages: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching, where the three kinds of input are
 *   disjoint, and .../streaming, where later counts replace earlier ones;
 * - rerank: https://docs.cohere.com/reference/rerank, whose `meta` has `billed_units` and `tokens`; vLLM and others report
 *   only `total_tokens`, all of which are input.
 */
export class ReportedUsage {
  #input: number | undefined;
  #output: number | undefined;
  #cached: number | undefined;
  #cacheWrite: number | undefined;
  #searchUnits: number | undefined;
  /** Input that `#input` does not include. */
  #cacheRead: number | undefined;
  #cacheWritten: number | undefined;

  add(usage: Readonly<Record<string, unknown>>): void {
    const details = objectOf(usage.prompt_tokens_details) ?? objectOf(usage.input_tokens_details);
    const cacheRead = countOf(usage.cache_read_input_tokens);
    const cached =
      countOf(details?.cached_tokens) ??
      countOf(usage.prompt_cache_hit_tokens) ??
      countOf(usage.cached_tokens) ??
      cacheRead;
    const billed = objectOf(usage.billed_units);
    const own = objectOf(usage.tokens) ?? billed;
    const output =
      countOf(usage.completion_tokens) ?? countOf(usage.output_tokens) ?? countOf(own?.output_tokens);
    const input = countOf(usage.prompt_tokens) ?? countOf(usage.input_tokens) ?? countOf(own?.input_tokens);
    const isAllInput = output === undefined && this.#output === undefined;
    this.#input = input ?? (isAllInput ? countOf(usage.total_tokens) : undefined) ?? this.#input;
    this.#searchUnits = countOf(billed?.search_units) ?? this.#searchUnits;
    if (output !== undefined) this.#output = countOf(output + reasoningOutsideOutput(usage)) ?? this.#output;
    this.#cached = cached ?? this.#cached;
    const cacheWrite = countOf(details?.cache_write_tokens) ?? countOf(usage.cache_creation_input_tokens);
    this.#cacheWrite = cacheWrite ?? this.#cacheWrite;
    // Some gateways add Anthropic's names to their own format, whose totals include the cached input.
    if (usage.prompt_tokens !== undefined || details !== undefined) return;
    this.#cacheRead = cacheRead ?? this.#cacheRead;
    this.#cacheWritten = cacheWrite ?? this.#cacheWritten;
  }

  get tokens(): ReportedTokens {
    const [input, read = 0, written = 0] = [this.#input, this.#cacheRead, this.#cacheWritten];
    const sum = input === undefined ? undefined : countOf(input + read + written);
    return {
      input: sum ?? null,
      output: this.#output ?? null,
      cached: this.#cached ?? null,
      cacheWrite: this.#cacheWrite ?? null,
      searchUnits: this.#searchUnits ?? null,
    };
  }
}

function countOf(value: unknown): number | undefined {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAXIMUM_TOKENS
    ? (value as number)
    : undefined;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}
