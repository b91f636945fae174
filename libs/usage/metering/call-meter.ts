import { ClientDisconnected, type EventStage, type Route, type WireEvents } from '#egress';
import { Problem } from '#http';
import { type UsageOutcome, type UsageRecord } from '../usage-record.entity';
import { type ReportedTokens } from './reported-tokens';
import { streamedTokens } from './streamed-tokens';
import { UsageScanner } from './usage-scanner';

/** The status that proxies log if the client disconnects before there is a response. */
const CLIENT_CLOSED_REQUEST = 499;

/** Identifies the call that is measured. */
export interface MeteredCall {
  readonly requestId: string;
  /** The client's own id of the request; null if it has none. */
  readonly clientRequestId: string | null;
  /** Id of the tenant key; null if the call has none. */
  readonly tenantKeyId: string | null;
}

/** Measures one call from start to end and makes its usage record. It keeps no content. */
export class CallMeter {
  /** For InFlight. */
  place = -1;
  readonly at = new Date();
  readonly #started = performance.now();
  readonly #call: MeteredCall;
  readonly #onEnd: (record: UsageRecord | undefined) => void;
  #route: Route | undefined;
  #scanner: UsageScanner | undefined;
  #newestEvents: Buffer | undefined;
  #estimatedInput: number | undefined;
  #attempts = 0;
  #waitedMs = 0;
  #overheadMs: number | undefined;
  #upstreamStatus: number | null = null;
  #firstByteMs: number | null = null;
  #responseBytes = 0;
  #requestBytes: () => number = () => 0;
  /** Status of the response, once there is one. */
  #status: number | undefined;
  #hasEnded = false;
  /** The tokens of the record, in place of those that the response reports. */
  #fixedTokens: ReportedTokens | undefined;

  /** @param onEnd called once; without a record when the call failed before its route was decided */
  constructor(call: MeteredCall, onEnd: (record: UsageRecord | undefined) => void) {
    this.#call = call;
    this.#onEnd = onEnd;
  }

  /** How long the call took until it was sent for the first time, without the wait for its place; undefined: it was not sent. */
  get overheadMs(): number | undefined {
    return this.#overheadMs;
  }

  /** For EgressService.send. */
  readonly wire: WireEvents = {
    onAttempt: () => {
      this.#attempts += 1;
      this.#overheadMs ??= performance.now() - this.#started - this.#waitedMs;
    },
    onHead: (status, contentType) => {
      this.#upstreamStatus = status;
      this.#scanner = new UsageScanner(contentType);
    },
    onChunk: (chunk) => {
      this.#firstByteMs ??= this.#elapsedMs();
      this.#responseBytes += chunk.length;
      if (this.#scanner?.isOfEvents === false) this.#scanner.push(chunk);
    },
  };

  /** The first stage of the relay, for the usage in an event stream. */
  readonly events: EventStage = {
    pass: (events) => {
      this.#scanner?.pushEvents(events);
      if (events.length > 0) this.#newestEvents = events;
      return events;
    },
    passPart: (part) => this.#scanner?.push(part),
  };

  /** The call has waited for its place since it began. */
  waited(): void {
    this.#waitedMs = performance.now() - this.#started;
  }

  /**
   * The route is decided, and from now on the call has a record.
   * @param requestBytes returns how many bytes the client has sent so far
   */
  decided(route: Route, requestBytes: () => number): void {
    this.#route = route;
    this.#requestBytes = requestBytes;
  }

  /** How many tokens the request probably has, for a client that leaves before the provider reports them. */
  estimated(inputTokens: number): void {
    this.#estimatedInput = inputTokens;
  }

  /**
   * The response reports tokens that do not count for this call.
   * @param tokens 0: the call uses none; null: they are not known yet
   */
  leaveOutTokens(tokens: 0 | null): void {
    this.#fixedTokens = { input: tokens, output: tokens, cached: null, cacheWrite: null, searchUnits: null };
  }

  /** Undoes `leaveOutTokens`. */
  countTokens(): void {
    this.#fixedTokens = undefined;
  }

  /** The call failed without a response. */
  failed(error: unknown): void {
    if (error instanceof ClientDisconnected) return this.#end('client_left', CLIENT_CLOSED_REQUEST);
    const problem = Problem.of(error);
    this.#end('failed', problem.status, problem);
  }

  /** The call has a response, whose body follows. */
  responded(status: number): void {
    this.#status = status;
  }

  /** The whole body was passed on. */
  completed(): void {
    this.#end('completed', this.#status ?? 0);
  }

  /** The body ended early. */
  brokeOff(error: Error): void {
    const status = this.#status ?? 0;
    if (error instanceof ClientDisconnected) this.#end('client_left', status);
    else this.#end('broken_off', status, Problem.of(error));
  }

  /** The process stops. A response is recorded as broken off, because its reader may never reach the end. */
  stopped(): void {
    const problem = new Problem('upstream_unavailable', { detail: 'Tenkey is stopping.' });
    if (this.#status !== undefined) this.#end('broken_off', this.#status, problem);
  }

  #end(outcome: UsageOutcome, status: number, problem?: Problem): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const tokens = this.#fixedTokens ?? this.#scanner?.tokens;
    const output = tokens?.output ?? null;
    // At the end of a stream, the provider reports the tokens of the whole.
    const mayEstimate = outcome === 'client_left' && this.#fixedTokens === undefined;
    const streamed = mayEstimate ? this.#streamedTokens() : 0;
    const isEstimated = streamed > (output ?? 0);
    const route = this.#route;
    if (route === undefined) return this.#onEnd(undefined);
    this.#onEnd({
      // No spread: on Node 20 an object that begins with one costs 50 µs instead of 0.2.
      requestId: this.#call.requestId,
      clientRequestId: this.#call.clientRequestId,
      tenantKeyId: this.#call.tenantKeyId,
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
      inputTokens: tokens?.input ?? (isEstimated ? (this.#estimatedInput ?? null) : null),
      outputTokens: isEstimated ? streamed : output,
      cachedTokens: tokens?.cached ?? null,
      cacheWriteTokens: tokens?.cacheWrite ?? null,
      searchUnits: tokens?.searchUnits ?? null,
      isEstimated,
      firstByteMs: this.#firstByteMs,
      totalMs: this.#elapsedMs(),
      requestBytes: this.#requestBytes(),
      responseBytes: this.#responseBytes,
    });
  }

  #streamedTokens(): number {
    return this.#newestEvents === undefined ? 0 : streamedTokens(this.#newestEvents, this.#responseBytes);
  }

  #elapsedMs(): number {
    return Math.round(performance.now() - this.#started);
  }
}
