import { errorsOf } from './response/upstream-problem';

/** Longer, and the client decides better than we do whether to wait. */
const LONGEST_WAIT_MS = 2000;
const FIRST_WAIT_MS = 250;

/** The connection was never there, so nothing of the request left. A broken one may have carried it: not among these. */
const nothingSent =
  /^(UND_ERR_CONNECT_TIMEOUT|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL)$/;

/**
 * Whether one call is tried again, and how long to wait before. Only when the provider cannot have worked on it: nothing
 * was sent, or it said 503; after a 429 only within the budget that the operator set. Always the same call with the same
 * key. A body that streams is gone once read, so such a call is never tried again.
 */
export class Retries {
  #left: number;
  #rateLimitedMs: number;
  #nextWaitMs = FIRST_WAIT_MS;

  constructor(
    options: { readonly retries: number; readonly retryRateLimitedMs: number },
    private readonly isStreaming: boolean,
  ) {
    this.#left = options.retries;
    this.#rateLimitedMs = options.retryRateLimitedMs;
  }

  /** @returns milliseconds to wait, or undefined when the fault stands */
  afterFault(error: unknown): number | undefined {
    const codes = errorsOf(error).map((each) => String((each as NodeJS.ErrnoException).code ?? ''));
    return codes.some((code) => nothingSent.test(code)) ? this.#again(undefined) : undefined;
  }

  /** @returns milliseconds to wait, or undefined when the answer stands */
  afterAnswer(status: number, retryAfter: string | string[] | undefined): number | undefined {
    const asked = millisecondsOf(retryAfter);
    if (status === 503) return this.#again(asked);
    if (status !== 429 || this.isStreaming) return undefined;
    // Never sooner than without being asked: a provider that says 0 would be asked for as long as the budget lasts.
    const waitMs = Math.max(asked ?? 0, this.#backOff());
    if (this.#rateLimitedMs <= 0 || waitMs > this.#rateLimitedMs) return undefined;
    this.#rateLimitedMs -= waitMs;
    return waitMs;
  }

  #again(asked: number | undefined): number | undefined {
    if (this.isStreaming || this.#left === 0 || (asked ?? 0) > LONGEST_WAIT_MS) return undefined;
    this.#left -= 1;
    return asked ?? this.#backOff();
  }

  #backOff(): number {
    const waitMs = this.#nextWaitMs;
    this.#nextWaitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    // Not all at once: those that failed together would fail together again.
    return waitMs * (0.5 + Math.random() / 2);
  }
}

/** Retry-After (RFC 9110, 10.2.3): seconds or a date. */
function millisecondsOf(retryAfter: string | string[] | undefined): number | undefined {
  const text = [retryAfter].flat()[0]?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
