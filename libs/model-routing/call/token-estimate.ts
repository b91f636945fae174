import { type Json } from '#providers';
import { type UsageRecord } from '#usage';

/** English text has about four characters to a token, by OpenAI's own rule of thumb. */
const CHARACTERS_PER_TOKEN = 4;

/** Fields that hold an image, a sound or a document in base64: of chat/completions, messages and responses. */
const dataFields: ReadonlySet<string> = new Set(['data', 'file_data', 'b64_json']);
/** Base64 in other fields is longer. What is shorter is taken for text, and the estimate is too high by little. */
const SHORTEST_DATA = 1024;
const beyondBase64 = /[^A-Za-z0-9+/=_-]/;
/** Bytes in base64 have all of these; a text without blanks (a sequence of bases, a number) does not. */
const withinBase64 = [/[A-Z]/, /[a-z]/, /[0-9]/];
/** RFC 3986, section 2: a URL has no blanks, quotes or braces, and JSON cannot do without. */
const beyondUrl = /[^!#$%&'()*+,./0-9:;=?@A-Z[\]_a-z~-]/;

/** Lists of token ids stand in these: of embeddings and of completions. */
const idFields = ['input', 'prompt'] as const;
const maxima = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'] as const;
const copies = ['n', 'best_of'] as const;

/**
 * How many tokens a call may use, before a provider says how many it did: a quarter of the characters of its texts, each
 * token id, and the longest answer that it allows, for each answer that it asks for. Of a request that names no maximum, the
 * answer is not in it.
 *
 * @param request in any of the formats; undefined: a form, of whose parts nothing is known yet
 * @returns a whole number from 1
 */
export function estimatedTokens(request: Json | undefined): number {
  if (request === undefined) return 1;
  const text = Math.ceil(textCharacters(request) / CHARACTERS_PER_TOKEN);
  const answer = largest(request, maxima, 0) * largest(request, copies, 1);
  return Math.max(1, Math.min(text + tokenIds(request) + answer, Number.MAX_SAFE_INTEGER));
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

/** `[1, 2]`, or several such lists in one. */
function tokenIds(request: Json): number {
  let ids = 0;
  for (const list of idFields.map((name) => request[name]).filter(Array.isArray)) {
    for (const item of list as unknown[]) {
      if (typeof item === 'number') ids += 1;
      else if (Array.isArray(item)) ids += item.filter((each) => typeof each === 'number').length;
    }
  }
  return ids;
}

/** Anything else is text, for which a provider counts tokens, also where it is written without blanks. */
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
