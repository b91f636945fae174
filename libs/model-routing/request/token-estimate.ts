import { type Json } from '#providers';
import { CHARACTERS_PER_TOKEN, type UsageRecord } from '#usage';

/** The fields of chat/completions, messages and responses that hold an image, audio or a document in base64. */
const dataFields: ReadonlySet<string> = new Set(['data', 'file_data', 'b64_json']);
/** Base64 in other fields is longer than this. Shorter base64 counts as text, which makes the estimate a little too high. */
const SHORTEST_DATA = 1024;
const beyondBase64 = /[^A-Za-z0-9+/=_-]/;
/** Base64 has characters of all of these kinds; text without blanks, such as a DNA sequence or a number, does not. */
const withinBase64 = [/[A-Z]/, /[a-z]/, /[0-9]/];
/** A URL has no blanks, quotes or braces (RFC 3986, section 2), and JSON needs them. */
const beyondUrl = /[^!#$%&'()*+,./0-9:;=?@A-Z[\]_a-z~-]/;

/** The fields of embeddings and completions that may hold lists of token ids. */
const tokenIdFields = ['input', 'prompt'] as const;
const maxima = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'] as const;
const copies = ['n', 'best_of'] as const;

/**
 * Estimates how many tokens a call uses, before the provider reports it: a quarter of the characters of its texts, its token
 * ids, and the longest output that it allows, once for each output that it requests. The output of a request without a
 * maximum is not counted.
 *
 * @param request a request in any format; undefined for a form, whose parts are not known yet
 * @returns whole numbers, at least 1; `input` is the part of the request itself
 */
export function estimatedTokens(request: Json | undefined): { readonly input: number; readonly all: number } {
  if (request === undefined) return { input: 1, all: 1 };
  const input = Math.ceil(textCharacters(request) / CHARACTERS_PER_TOKEN) + tokenIds(request);
  const output = largest(request, maxima, 0) * largest(request, copies, 1);
  return {
    input: Math.max(1, input),
    all: Math.max(1, Math.min(input + output, Number.MAX_SAFE_INTEGER)),
  };
}

/**
 * How many tokens a finished call counts for: as many as the provider reported. The provider reports at the end of its
 * response. A stream that the client left earlier counts for its request and for what had arrived, any other call that stopped
 * earlier for at least its estimate. A call that was refused or not sent counts for none.
 *
 * @returns undefined when the number is not known and the estimate remains
 */
export function usedTokens(record: UsageRecord, estimate: number): number | undefined {
  const { outcome, attempts, upstreamStatus, inputTokens, outputTokens, code, isEstimated } = record;
  const isReported = inputTokens !== null || outputTokens !== null;
  const reported = (inputTokens ?? 0) + (outputTokens ?? 0);
  if (outcome === 'completed') return isReported ? reported : undefined;
  const hasSucceeded = upstreamStatus !== null && upstreamStatus < 300;
  if (hasSucceeded) return isEstimated || reported > estimate ? reported : undefined;
  // A provider may have read the request, and charge for it, although Tenkey no longer waits for the response.
  const mayHaveUsed = attempts > 0 && (outcome === 'client_left' || code === 'upstream_timeout');
  return mayHaveUsed ? undefined : 0;
}

/** Does not recurse: a request may be nested very deeply. */
function textCharacters(request: Json): number {
  let characters = 0;
  const waiting: object[] = [request];
  const count = (field: string, value: unknown) => {
    if (typeof value === 'string') characters += isData(field, value) ? 0 : value.length;
    else if (typeof value === 'object' && value !== null) waiting.push(value);
  };
  for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
    if (Array.isArray(item)) for (const value of item) count('', value);
    else for (const [field, value] of Object.entries(item)) count(field, value);
  }
  return characters;
}

/** Counts the ids in a list such as `[1, 2]`, or in a list of such lists. */
function tokenIds(request: Json): number {
  let ids = 0;
  for (const list of tokenIdFields.map((name) => request[name]).filter(Array.isArray)) {
    for (const item of list as unknown[]) {
      if (typeof item === 'number') ids += 1;
      else if (Array.isArray(item)) ids += item.filter((each) => typeof each === 'number').length;
    }
  }
  return ids;
}

/** Everything that is not base64 or a data URL counts as text, even without blanks: a provider counts its tokens. */
function isData(field: string, text: string): boolean {
  if (text.startsWith('data:')) return !beyondUrl.test(text);
  if (dataFields.has(field)) return !beyondBase64.test(text);
  if (text.length < SHORTEST_DATA || !withinBase64.every((kind) => kind.test(text))) return false;
  const padding = text.indexOf('=');
  return !beyondBase64.test(text) && (padding === -1 || padding >= text.length - 2);
}

function largest(request: Json, names: readonly string[], least: number): number {
  const numbers = names
    .map((name) => request[name])
    .filter((value): value is number => typeof value === 'number' && Number.isSafeInteger(value));
  return Math.max(least, ...numbers);
}
