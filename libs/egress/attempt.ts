import { type IncomingHttpHeaders } from 'node:http';
import { type Dispatcher } from 'undici';
import type { Secret } from '#crypto';
import { hooks } from '#http';
import { cancelError, type Cancellation } from './cancellation';
import { type Connection } from './connection/connection';
import { problemOfError } from './response/connection-problem';
import { ErrorBody } from './response/error-body';
import { Opening } from './response/opening';
import { problemOfResponse } from './response/upstream-problem';
import {
  passedHeaders,
  type UpstreamReceiver,
  type UpstreamResponse,
  type WireEvents,
} from './response/upstream-response';
import { type Route } from './route';
import { type BodySink } from './stream/body-sink';
import { KeyMask } from './stream/key-mask';
import { type UpstreamError } from './upstream-error';

export interface AttemptOptions {
  readonly route: Route;
  readonly key: Secret;
  /** The key of the call and those of the process. They are removed from every text of the provider. */
  readonly secrets: readonly Secret[];
  readonly cancellation: Cancellation;
  readonly receiver: UpstreamReceiver;
  readonly wire: WireEvents | undefined;
}

/** The call that an attempt belongs to. */
interface Call {
  /** The provider responded with a success. */
  succeeded(): void;
  /**
   * The provider responded, and not with a success.
   * @param headers those that may be passed on
   */
  responded(status: number, headers: Readonly<Record<string, string>>, body: ErrorBody): Promise<void>;
  /** There was no response. */
  broke(error: Error): Promise<void>;
  fail(error: unknown): void;
}

/**
 * One upstream request. It passes the body of a success on as it arrives. Parts that arrive in the same tick are passed on as one,
 * because a single read of the connection may contain hundreds of events.
 */
export class Attempt implements Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | undefined;
  /** The connection that serves the request or is opened for it, until the response has ended. */
  #connection: Connection | undefined;
  #sink: BodySink | undefined;
  readonly #parts: Buffer[] = [];
  #errorBody: ErrorBody | undefined;
  #decoder: hooks.Decoder | undefined;
  /** Whether the receiver has the head. */
  #isOpen = false;
  #isOver = false;

  constructor(
    private readonly call: Call,
    private readonly options: AttemptOptions,
  ) {}

  onQueued(connection: Connection): void {
    this.#connection = connection;
  }

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
        const problem = problemOf(error);
        this.stop();
        this.call.fail(problem);
      },
      fail: (error) => this.call.fail(error),
      run: (step) => this.#guard(step),
    });
  }

  #open(response: UpstreamResponse): BodySink {
    try {
      const sink = this.options.receiver.head(response);
      this.#isOpen = true;
      return sink;
    } catch (error) {
      this.stop();
      this.call.fail(error);
      return nowhere;
    }
  }

  /** Runs a step whose error nobody else would catch: it would end the process, or leave the client without a response. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      const { route, secrets } = this.options;
      const problem = problemOfError(route, error, secrets);
      this.stop();
      if (this.#isOpen) this.#sink?.fail(problem);
      else this.call.fail(problem);
    }
  }

  #decoderOf(encoding: string | undefined): hooks.Decoder | undefined {
    return hooks.Decoder.of(encoding, {
      data: (part) => this.#received(part),
      end: () => this.#guard(() => this.#completed()),
      fail: (error) =>
        this.#guard(() => {
          this.#broke(error);
          this.stop();
        }),
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
    this.#guard(() => {
      const mayContinue = this.#sink?.write(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
      if (mayContinue === false) this.#pause();
    });
  }

  onResponseEnd(): void {
    this.#connection = undefined;
    if (this.#decoder === undefined) this.#guard(() => this.#completed());
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
    this.#connection = undefined;
    this.#guard(() => this.#broke(error));
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
    this.#connection?.abandon();
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
