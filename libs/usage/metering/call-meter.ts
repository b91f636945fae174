import { type Readable, finished } from 'node:stream';
import { ClientGone, type Route, type WireEvents } from '#egress';
import { Problem } from '#http';
import { type UsageOutcome, type UsageRecord } from '../usage-record.entity';
import { UsageScanner } from './usage-scanner';

/** What proxies write for a client that left before its answer. */
const CLIENT_LEFT = 499;

/** Which call is measured. */
export interface MeteredCall {
  readonly requestId: string;
  /** Of the tenant key that asks; null: none. */
  readonly tenantKeyId: string | null;
}

/** Measures one call from its begin to its end and makes its usage record. It keeps nothing of what is said in it. */
export class CallMeter {
  readonly at = new Date();
  readonly #started = performance.now();
  readonly #call: MeteredCall;
  readonly #onEnd: (record: UsageRecord) => void;
  #route: Route | undefined;
  #scanner: UsageScanner | undefined;
  #attempts = 0;
  #upstreamStatus: number | null = null;
  #firstByteMs: number | null = null;
  #responseBytes = 0;
  #requestBytes: () => number = () => 0;
  /** Of the answer, once there is one. */
  #status: number | undefined;
  #hasEnded = false;

  /** @param onEnd told once, unless the call was refused before it was decided what to send where */
  constructor(call: MeteredCall, onEnd: (record: UsageRecord) => void) {
    this.#call = call;
    this.#onEnd = onEnd;
  }

  /** For EgressService.send. */
  readonly wire: WireEvents = {
    onAttempt: () => void (this.#attempts += 1),
    onHead: (status, contentType) => {
      this.#upstreamStatus = status;
      this.#scanner = new UsageScanner(contentType);
    },
    onChunk: (chunk) => {
      this.#firstByteMs ??= this.#elapsedMs();
      this.#responseBytes += chunk.length;
      this.#scanner?.push(chunk);
    },
  };

  /**
   * From now on it may be sent.
   * @param requestBytes how many the client has sent by the time it is asked
   */
  decided(route: Route, requestBytes: () => number): void {
    this.#route = route;
    this.#requestBytes = requestBytes;
  }

  /** There is no answer. */
  failed(error: unknown): void {
    if (error instanceof ClientGone) return this.#end('client_left', CLIENT_LEFT);
    const problem = Problem.of(error);
    this.#end('failed', problem.status, problem);
  }

  /** There is one: the call ends with its body, however that ends. */
  follow(status: number, body: Readable): void {
    this.#status = status;
    finished(body, { writable: false }, (error) => {
      if (error === undefined || error === null) return this.#end('completed', status);
      const isLeft = error instanceof ClientGone || error.code === 'ERR_STREAM_PREMATURE_CLOSE';
      if (isLeft) this.#end('client_left', status);
      else this.#end('broken_off', status, Problem.of(error));
    });
  }

  /** The process stops, and whoever has the answer may never come to its end. */
  stopped(): void {
    const problem = new Problem('upstream_unavailable', { detail: 'Tenkey is being stopped.' });
    if (this.#status !== undefined) this.#end('broken_off', this.#status, problem);
  }

  #end(outcome: UsageOutcome, status: number, problem?: Problem): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const tokens = this.#scanner?.tokens;
    const route = this.#route;
    if (route === undefined) return;
    this.#onEnd({
      ...this.#call,
      at: this.at,
      tenantId: route.tenantId,
      model: route.model,
      operation: route.operation,
      adapter: route.adapter,
      provider: route.provider.id,
      host: route.host,
      target: route.target,
      source: route.credential.source,
      mask: route.credential.mask,
      version: route.version,
      outcome,
      status,
      code: problem?.code ?? null,
      upstreamStatus: this.#upstreamStatus,
      attempts: this.#attempts,
      inputTokens: tokens?.input ?? null,
      outputTokens: tokens?.output ?? null,
      cachedTokens: tokens?.cached ?? null,
      firstByteMs: this.#firstByteMs,
      totalMs: this.#elapsedMs(),
      requestBytes: this.#requestBytes(),
      responseBytes: this.#responseBytes,
    });
  }

  #elapsedMs(): number {
    return Math.round(performance.now() - this.#started);
  }
}
