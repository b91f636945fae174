import { type IncomingHttpHeaders } from 'node:http';
import { type Dispatcher } from 'undici';
import type { Secret } from '#crypto';
import { cancelError, type Cancellation } from './cancellation';
import { Decoder } from './response/decoder';
import { ErrorBody } from './response/error-body';
import { Opening } from './response/opening';
import { noError, type UpstreamError, upstreamErrorIn } from './upstream-error';
import { problemOfError } from './response/connection-problem';
import { problemOfResponse } from './response/upstream-problem';
import {
  passedHeaders,
  type UpstreamReceiver,
  type UpstreamResponse,
  type WireEvents,
} from './response/upstream-response';
import { type Retries } from './retries';
import { type Route } from './route';
import { type BodySink } from './stream/body-sink';
import { KeyMask } from './stream/key-mask';

interface OutgoingCallOptions {
  readonly route: Route;
  readonly key: Secret;
  readonly retries: Retries;
  /** The key of the call and those of the process. They are removed from every text of the provider. */
  readonly secrets: readonly Secret[];
  readonly cancellation: Cancellation;
  readonly receiver: UpstreamReceiver;
  readonly wire: WireEvents | undefined;
  readonly mayRetry: (() => Promise<boolean>) | undefined;
  readonly onAccepted: (() => void) | undefined;
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
    this.options.onAccepted?.();
  }

  /**
   * The provider responded, and not with a success. The call is tried again, or fails.
   * @param headers those that may be passed on
   */
  async responded(status: number, headers: Readonly<Record<string, string>>, body: ErrorBody): Promise<void> {
    const { retries, wire, route, secrets } = this.options;
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
  #decoder: Decoder | undefined;
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
    const { route, secrets, wire } = this.options;
    const passed = passedHeaders(headers, secrets);
    this.#decoder = this.#decoderOf(passed['content-encoding']);
    if (this.#decoder !== undefined) delete passed['content-encoding'];
    if (status >= 300) {
      this.#errorBody = new ErrorBody(() => this.stop());
      void this.call
        .responded(status, passed, this.#errorBody)
        .catch((error: unknown) => this.call.fail(error));
      return;
    }
    this.call.succeeded();
    const type = passed['content-encoding'] === undefined ? passed['content-type'] : undefined;
    wire?.onHead(status, type);
    const problemOf = (error: UpstreamError | undefined) =>
      problemOfResponse(route, { status: undefined, error, headers: passed }, secrets);
    this.#sink = new Opening(route.operation, type, {
      open: () =>
        this.#open({
          status,
          headers: passed,
          source: this,
          problemOf,
          withoutKey: (sink, onMasked) => KeyMask.before(sink, this.options.key, onMasked),
        }),
      refuse: (error) => {
        this.stop();
        this.call.fail(problemOf(error));
      },
      fail: (error) => this.call.fail(error),
    });
  }

  #open(response: UpstreamResponse): BodySink {
    try {
      return this.options.receiver.head(response);
    } catch (error) {
      this.stop();
      this.call.fail(error);
      return nowhere;
    }
  }

  #decoderOf(encoding: string | undefined): Decoder | undefined {
    return Decoder.of(encoding, {
      data: (part) => this.#received(part),
      end: () => this.#completed(),
      fail: (error) => {
        this.#broke(error);
        this.stop();
      },
      // Not `resume`: a slow client may have paused the decoder.
      drain: () => this.#controller?.resume(),
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, part: Buffer): void {
    if (this.#decoder === undefined) this.#received(part);
    else if (!this.#decoder.write(part)) controller.pause();
  }

  #received(part: Buffer): void {
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
      if (mayContinue === false) this.#pause();
    } catch (error) {
      // In a tick of its own, nobody else catches it, and it would end the process.
      this.#broke(error as Error);
      this.stop();
    }
  }

  onResponseEnd(): void {
    if (this.#decoder === undefined) this.#completed();
    else this.#decoder.end();
  }

  #completed(): void {
    if (this.#errorBody !== undefined) return this.#errorBody.end();
    this.#passParts();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink?.end();
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#broke(error);
  }

  #broke(error: Error): void {
    this.#decoder?.stop();
    // What arrived of an error is used.
    if (this.#errorBody !== undefined) return this.#errorBody.end();
    this.#passParts();
    if (this.#isOver) return;
    this.#isOver = true;
    const { route, secrets } = this.options;
    if (this.#sink !== undefined) this.#sink.fail(problemOfError(route, error, secrets));
    else void this.call.broke(error).catch((fault: unknown) => this.call.fail(fault));
  }

  #pause(): void {
    this.#controller?.pause();
    this.#decoder?.pause();
  }

  /** Reads on after a pause. */
  resume(): void {
    this.#controller?.resume();
    this.#decoder?.resume();
  }

  /** Closes the connection. Nothing more is passed on. */
  stop(): void {
    this.#isOver = true;
    this.#decoder?.stop();
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

const nowhere: BodySink = { write: () => true, end: () => undefined, fail: () => undefined };

/** We closed the connection ourselves. */
class Stopped extends Error {
  override readonly name = 'Stopped';
}
