import { reasoningOutsideOutput } from '#providers';

/** Tokens as the provider reported them; null: not reported. */
export interface ReportedTokens {
  /** All that went into the model, read from a cache or not. */
  readonly input: number | null;
  /** All that the model wrote, reasoning among it. */
  readonly output: number | null;
  /** The part of `input` that the provider read from its cache. */
  readonly cached: number | null;
}

/**
 * What one usage object says, or several of one answer together; absent: not reported.
 *
 * - chat/completions, completions, embeddings: https://platform.openai.com/docs/api-reference/chat/object; `cached_tokens`
 *   also beside the totals (https://docs.together.ai/reference/chat-completions-1), and as `prompt_cache_hit_tokens`
 *   (https://api-docs.deepseek.com/guides/kv_cache);
 * - responses, images, transcriptions: https://platform.openai.com/docs/api-reference/responses/object;
 * - messages: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching, where the three kinds of input are
 *   disjoint, and .../streaming, where later counts replace earlier ones.
 */
export interface UsageFields {
  readonly input?: number;
  readonly output?: number;
  readonly cached?: number;
  /** Input that `input` does not count. */
  readonly cacheRead?: number;
  readonly cacheWritten?: number;
}

/**
 * Far more than any model takes. A tenant's own server may report anything, and the sums of a day must hold it: of 2^53 in
 * each call, a thousand calls are more than a bigint, and the database would refuse every later record.
 */
const MOST_TOKENS = 10_000_000_000;

export function usageFieldsOf(usage: Readonly<Record<string, unknown>>): UsageFields {
  const details = objectOf(usage.prompt_tokens_details) ?? objectOf(usage.input_tokens_details);
  const cacheRead = countOf(usage.cache_read_input_tokens);
  const cached =
    countOf(details?.cached_tokens) ??
    countOf(usage.prompt_cache_hit_tokens) ??
    countOf(usage.cached_tokens) ??
    cacheRead;
  // Gateways put messages' names beside those of their own format, whose totals count what is cached.
  const isTotal = usage.prompt_tokens !== undefined || details !== undefined;
  const output = countOf(usage.completion_tokens) ?? countOf(usage.output_tokens);
  return reported({
    input: countOf(usage.prompt_tokens) ?? countOf(usage.input_tokens),
    output: output === undefined ? undefined : countOf(output + reasoningOutsideOutput(usage)),
    cached,
    cacheRead: isTotal ? undefined : cacheRead,
    cacheWritten: isTotal ? undefined : countOf(usage.cache_creation_input_tokens),
  });
}

export function tokensOf({
  input,
  output,
  cached,
  cacheRead = 0,
  cacheWritten = 0,
}: UsageFields): ReportedTokens {
  const sum = input === undefined ? undefined : countOf(input + cacheRead + cacheWritten);
  return { input: sum ?? null, output: output ?? null, cached: cached ?? null };
}

/** Without the fields that have no value, so that they replace none. */
function reported(fields: UsageFields): UsageFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function countOf(value: unknown): number | undefined {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_TOKENS
    ? (value as number)
    : undefined;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}
