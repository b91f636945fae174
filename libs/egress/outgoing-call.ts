import { type IncomingHttpHeaders } from 'node:http';
import { type Dispatcher } from 'undici';
import type { Secret } from '#crypto';
import { cancelError, type Cancellation } from './cancellation';
import { ErrorBody } from './response/error-body';
import {
  errorMessageIn,
  problemOfError,
  problemOfErrorEvent,
  problemOfResponse,
} from './response/upstream-problem';
import { passedHeaders, type UpstreamReceiver, type WireEvents } from './response/upstream-response';
import { type Retries } from './retries';
import { type Route } from './route';
import { type BodySink } from './stream/body-sink';

interface OutgoingCallOptions {
  readonly route: Route;
  readonly retries: Retries;
  /** The key of the call and those of the process. They are removed from every text of the provider. */
  readonly secrets: readonly Secret[];
  readonly cancellation: Cancellation;
  readonly receiver: UpstreamReceiver;
  readonly wire: WireEvents | undefined;
  readonly mayRetry: (() => Promise<boolean>) | undefined;
}

/**
 * One call to a provider, with its retries: from the first attempt until the receiver has the head of a success or the reason for
 * the failure, and until the body has been passed on.
 */
export class OutgoingCall {
  #hasFinished = false;
  /** Refers to the key and the body of the request, so it is dropped as soon as the request cannot be sent again. */
  #dispatch: ((handler: Dispatcher.DispatchHandler) => void) | undefined;

  /** @param dispatch hands one attempt to the HTTP library */
  constructor(
    private readonly options: OutgoingCallOptions,
    dispatch: (handler: Dispatcher.DispatchHandler) => void,
  ) {
    this.#dispatch = dispatch;
  }

  start(): void {
    this.options.wire?.onAttempt();
    const attempt = new Attempt(this, this.options);
    this.options.cancellation.onCancel(() => attempt.cancel());
    this.#dispatch?.(attempt);
  }

  /** The provider responded with a success. */
  succeeded(): void {
    this.#dispatch = undefined;
  }

  /** The provider responded, and not with a success. The call is tried again, or fails. */
  async responded(status: number, headers: IncomingHttpHeaders, body: ErrorBody): Promise<void> {
    const { retries, wire, route, secrets } = this.options;
    const waitMs = retries.afterResponse(status, headers['retry-after']);
    const passed = passedHeaders(headers, secrets);
    // The upstream request accepts no compression; if the body is compressed, its message is not read.
    const isReadable = passed['content-encoding'] === undefined;
    wire?.onHead(status, waitMs === undefined && isReadable ? passed['content-type'] : undefined);
    if (waitMs !== undefined && (await this.#mayTryAgain(waitMs))) return this.start();
    const text = await body.text;
    const message = isReadable ? errorMessageIn(text) : '';
    this.fail(problemOfResponse(route, { status, message, headers: passed }, secrets));
  }

  /** There was no response. The call is tried again, or fails. */
  async broke(error: Error): Promise<void> {
    const { retries, route, secrets } = this.options;
    const waitMs = retries.afterError(error);
    if (waitMs !== undefined && (await this.#mayTryAgain(waitMs))) return this.start();
    this.fail(problemOfError(route, error, secrets));
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

/**
 * One upstream request. It passes the body of a success on as it arrives. Parts that arrive in the same tick are passed on as one,
 * because a single read of the connection may contain hundreds of events.
 */
class Attempt implements Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | undefined;
  #sink: BodySink | undefined;
  readonly #parts: Buffer[] = [];
  #errorBody: ErrorBody | undefined;
  #isOver = false;

  constructor(
    private readonly call: OutgoingCall,
    private readonly options: OutgoingCallOptions,
  ) {}

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new Stopped());
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // Interim responses (1xx) precede the response.
    if (status < 200 || this.#isOver) return;
    const { route, secrets, wire, receiver } = this.options;
    if (status >= 300) {
      this.#errorBody = new ErrorBody(() => this.stop());
      void this.call
        .responded(status, headers, this.#errorBody)
        .catch((error: unknown) => this.call.fail(error));
      return;
    }
    this.call.succeeded();
    try {
      const passed = passedHeaders(headers, secrets);
      wire?.onHead(status, passed['content-encoding'] === undefined ? passed['content-type'] : undefined);
      this.#sink = receiver.head({
        status,
        headers: passed,
        source: this,
        problemOfErrorEvent: (message) => problemOfErrorEvent(route, message, secrets),
      });
    } catch (error) {
      this.stop();
      this.call.fail(error);
    }
  }

  onResponseData(_: Dispatcher.DispatchController, part: Buffer): void {
    if (this.#errorBody !== undefined) return this.#errorBody.push(part);
    if (this.#isOver) return;
    this.options.wire?.onChunk(part);
    if (this.#parts.length === 0) process.nextTick(() => this.#passParts());
    this.#parts.push(part);
  }

  #passParts(): void {
    const parts = this.#parts.splice(0);
    if (parts.length === 0 || this.#isOver) return;
    try {
      const mayContinue = this.#sink?.write(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
      if (mayContinue === false) this.#controller?.pause();
    } catch (error) {
      // In a tick of its own, nobody else catches it, and it would end the process.
      this.onResponseError(undefined, error as Error);
      this.stop();
    }
  }

  onResponseEnd(): void {
    if (this.#errorBody !== undefined) return this.#errorBody.end();
    this.#passParts();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink?.end();
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    // What arrived of an error is used.
    if (this.#errorBody !== undefined) return this.#errorBody.end();
    this.#passParts();
    if (this.#isOver) return;
    this.#isOver = true;
    const { route, secrets } = this.options;
    if (this.#sink !== undefined) this.#sink.fail(problemOfError(route, error, secrets));
    else void this.call.broke(error).catch((fault: unknown) => this.call.fail(fault));
  }

  /** Reads on after a pause. */
  resume(): void {
    this.#controller?.resume();
  }

  /** Closes the connection. Nothing more is passed on. */
  stop(): void {
    this.#isOver = true;
    this.#controller?.abort(new Stopped());
  }

  cancel(): void {
    if (this.#isOver && this.#errorBody === undefined) return;
    this.stop();
    const { cancellation } = this.options;
    if (this.#sink !== undefined) this.#sink.fail(cancelError(cancellation));
    else this.call.fail(cancelError(cancellation));
  }
}

/** We closed the connection ourselves. */
class Stopped extends Error {
  override readonly name = 'Stopped';
}
