import { type Json } from '#providers';
import { type UsageRecord } from '#usage';

/** English text has about four characters to a token, by OpenAI's own rule of thumb. */
const CHARACTERS_PER_TOKEN = 4;

/** Longer than any word. A string that goes on further without a blank is an image or a sound in base64. */
const LONGEST_WORD = 256;
const blankOrBeyondAscii = /[^\x21-\x7e]/;

const maxima = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'] as const;
const copies = ['n', 'best_of'] as const;

/**
 * How many tokens a call may use, before a provider says how many it did: a quarter of the characters of its texts, and the
 * longest answer that it allows, for each answer that it asks for. Of a request that names no maximum, the answer is not in it.
 *
 * @param request in any of the formats; undefined: a form, of whose parts nothing is known yet
 * @returns a whole number from 1
 */
export function estimatedTokens(request: Json | undefined): number {
  if (request === undefined) return 1;
  const text = Math.ceil(textCharacters(request) / CHARACTERS_PER_TOKEN);
  const answer = largest(request, maxima, 0) * largest(request, copies, 1);
  return Math.max(1, Math.min(text + answer, Number.MAX_SAFE_INTEGER));
}

/**
 * How many tokens a call counts for when it is over: what the provider reported. A call that ended before its answer did
 * counts for its estimate at least, since the provider reports at the end; one that was refused, or not sent, for none.
 *
 * @returns undefined: not known, the estimate stays
 */
export function usedTokens(record: UsageRecord, estimate: number): number | undefined {
  const { outcome, attempts, upstreamStatus, inputTokens, outputTokens, code } = record;
  const isReported = inputTokens !== null || outputTokens !== null;
  const reported = (inputTokens ?? 0) + (outputTokens ?? 0);
  if (outcome === 'completed') return isReported ? reported : undefined;
  const isAnswered = upstreamStatus !== null && upstreamStatus < 300;
  if (isAnswered) return reported > estimate ? reported : undefined;
  // Whoever stops waiting does not stop the provider before it has read the request, and pays for that.
  const mayHaveUsed = attempts > 0 && (outcome === 'client_left' || code === 'upstream_timeout');
  return mayHaveUsed ? undefined : 0;
}

/** Without recursion: a request may be nested as deep as it is long. */
function textCharacters(request: Json): number {
  let characters = 0;
  const waiting: unknown[] = [request];
  while (waiting.length > 0) {
    const item = waiting.pop();
    if (typeof item === 'string') characters += isData(item) ? 0 : item.length;
    if (typeof item !== 'object' || item === null) continue;
    // A list may hold millions of numbers, and none of them is text.
    for (const inner of Object.values(item)) {
      if (typeof inner === 'string' || typeof inner === 'object') waiting.push(inner);
    }
  }
  return characters;
}

/** ASCII alone: Chinese, for one, is written without blanks. */
function isData(text: string): boolean {
  return text.length > LONGEST_WORD && !blankOrBeyondAscii.test(text);
}

function largest(request: Json, names: readonly string[], least: number): number {
  const numbers = names
    .map((name) => request[name])
    .filter((value): value is number => typeof value === 'number' && Number.isSafeInteger(value));
  return Math.max(least, ...numbers);
}
