import { errorChain } from './response/connection-problem';

/** If the wait is longer, the client can decide better than we can whether to wait. */
const LONGEST_WAIT_MS = 2000;
const FIRST_WAIT_MS = 250;

/** There was no connection, so nothing was sent. A connection that broke may have carried the request and is not listed. */
const nothingSent =
  /^(UND_ERR_CONNECT_TIMEOUT|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL|PROXY_CANNOT_CONNECT)$/;

/**
 * Decides whether one call is retried, and after what wait. A call is retried only if the provider cannot have worked on
 * it: nothing was sent, or the provider responded 503. After a 429 it is retried only within the budget that the operator
 * set. The retry is the same call with the same key. A streamed body can be read only once, so it is never retried.
 */
export class Retries {
  #left: number;
  #rateLimitedMs: number;
  #nextWaitMs = FIRST_WAIT_MS;

  /** @param clientRetries true when the client tries again by itself after a 503 */
  constructor(
    options: { readonly retries: number; readonly retryRateLimitedMs: number },
    private readonly isStreaming: boolean,
    private readonly clientRetries = false,
  ) {
    this.#left = options.retries;
    this.#rateLimitedMs = options.retryRateLimitedMs;
  }

  /** @returns milliseconds to wait, or undefined if the error is final */
  afterError(error: unknown): number | undefined {
    const codes = errorChain(error).map((each) => String((each as NodeJS.ErrnoException).code ?? ''));
    return codes.some((code) => nothingSent.test(code)) ? this.#again(undefined) : undefined;
  }

  /** @returns milliseconds to wait, or undefined if the response is final */
  afterResponse(status: number, retryAfter: string | string[] | undefined): number | undefined {
    const retryAfterMs = millisecondsOf(retryAfter);
    // Retries multiply: three attempts of the client times three of ours are nine calls to a provider that is overloaded.
    if (status === 503) return this.clientRetries ? undefined : this.#again(retryAfterMs);
    if (status !== 429 || this.isStreaming) return undefined;
    // With `Retry-After: 0` there would otherwise be no pause between retries, and the budget would never be used up.
    const waitMs = Math.max(retryAfterMs ?? 0, this.#backOff());
    if (this.#rateLimitedMs <= 0 || waitMs > this.#rateLimitedMs) return undefined;
    this.#rateLimitedMs -= waitMs;
    return waitMs;
  }

  #again(retryAfterMs: number | undefined): number | undefined {
    if (this.isStreaming || this.#left === 0 || (retryAfterMs ?? 0) > LONGEST_WAIT_MS) return undefined;
    this.#left -= 1;
    return retryAfterMs ?? this.#backOff();
  }

  #backOff(): number {
    const waitMs = this.#nextWaitMs;
    this.#nextWaitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    // The jitter spreads the retries: calls that failed together would otherwise fail together again.
    return waitMs * (0.5 + Math.random() / 2);
  }
}

/** Reads Retry-After (RFC 9110, 10.2.3): seconds or a date. */
function millisecondsOf(retryAfter: string | string[] | undefined): number | undefined {
  const text = [retryAfter].flat()[0]?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
