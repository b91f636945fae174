import { Problem } from '#http';
import { Attempt, type AttemptOptions } from './attempt';
import { cancelError } from './cancellation';
import { type Circuits } from './circuits';
import { problemOfError } from './response/connection-problem';
import { type ErrorBody } from './response/error-body';
import { problemOfResponse } from './response/upstream-problem';
import { type Retries } from './retries';
import { noError, upstreamErrorIn } from './upstream-error';

interface OutgoingCallOptions extends AttemptOptions {
  readonly retries: Retries;
  readonly circuits: Circuits;
  readonly mayRetry: (() => Promise<boolean>) | undefined;
  readonly onAccepted: (() => void) | undefined;
}

/**
 * One call to a provider, with its retries: from the first attempt until the receiver has the head of a success or the reason for
 * the failure, and until the body has been passed on.
 */
export class OutgoingCall {
  #hasFinished = false;
  #attemptStartedAt = 0;
  /** Refers to the key and the body of the request, so it is dropped as soon as the request cannot be sent again. */
  #dispatch: ((attempt: Attempt) => void) | undefined;

  /** @param dispatch hands one attempt to the HTTP library */
  constructor(
    private readonly options: OutgoingCallOptions,
    dispatch: (attempt: Attempt) => void,
  ) {
    this.#dispatch = dispatch;
  }

  start(): void {
    this.options.wire?.onAttempt();
    this.#attemptStartedAt = performance.now();
    const attempt = new Attempt(this, this.options);
    this.options.cancellation.onCancel(() => attempt.cancel());
    this.#dispatch?.(attempt);
  }

  /** The provider responded with a success. */
  succeeded(): void {
    this.#dispatch = undefined;
    this.options.circuits.responded(this.options.route);
    this.options.onAccepted?.();
  }

  /**
   * The provider responded, and not with a success. The call is tried again, or fails.
   * @param headers those that may be passed on
   */
  async responded(status: number, headers: Readonly<Record<string, string>>, body: ErrorBody): Promise<void> {
    const { retries, wire, route, secrets, circuits } = this.options;
    circuits.responded(route);
    const waitMs = retries.afterResponse(status, headers['retry-after']);
    // A body in an encoding that Tenkey cannot decode is not read.
    const isReadable = headers['content-encoding'] === undefined;
    wire?.onHead(status, waitMs === undefined && isReadable ? headers['content-type'] : undefined);
    if (waitMs !== undefined && (await this.#mayTryAgain(waitMs))) return this.start();
    const text = await body.text;
    const error = isReadable ? upstreamErrorIn(text) : noError;
    this.fail(problemOfResponse(route, { status, error, headers }, secrets));
  }

  /** There was no response. The call is tried again, or fails. */
  async broke(error: Error): Promise<void> {
    const { retries, route, secrets, circuits } = this.options;
    const problem = problemOfError(route, error, secrets);
    const code = problem instanceof Problem ? problem.code : undefined;
    const isTimeout = code === 'upstream_timeout';
    if (isTimeout || code === 'upstream_unavailable') {
      circuits.failed(route, { startedAt: this.#attemptStartedAt, isTimeout, reason: problem.message });
    }
    const waitMs = circuits.isOpen(route) ? undefined : retries.afterError(error);
    if (waitMs !== undefined && (await this.#mayTryAgain(waitMs))) return this.start();
    this.fail(problem);
  }

  fail(error: unknown): void {
    if (this.#hasFinished) return;
    this.#hasFinished = true;
    this.#dispatch = undefined;
    const { cancellation, receiver } = this.options;
    receiver.fail(cancellation.isCancelled ? cancelError(cancellation) : error);
  }

  /** @returns false as well when the call is cancelled */
  async #mayTryAgain(waitMs: number): Promise<boolean> {
    const { cancellation, mayRetry } = this.options;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      cancellation.onCancel(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    if (cancellation.isCancelled) return false;
    const may = mayRetry === undefined || (await mayRetry());
    return may && !cancellation.isCancelled;
  }
}
