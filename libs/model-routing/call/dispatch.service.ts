import { randomUUID } from 'node:crypto';
import { type IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { CacheService } from '#cache';
import { CredentialsService, PassiveHealthService } from '#credentials';
import {
  type BodySink,
  type Cancellation,
  EgressService,
  type RequestBody,
  type ResponseMemory,
  type Route,
  type UpstreamReceiver,
  type UpstreamResponse,
} from '#egress';
import { Problem, uuidPattern } from '#http';
import { type Reservation } from '#issued-keys';
import { type Json } from '#providers';
import { TenantsService } from '#tenants';
import { type CallMeter, ReceiptsService, UsageLogService, type UsageRecord } from '#usage';
import { isStillAllowed } from '../adapters/tenant-policy';
import { estimatedTokens, usedTokens } from '../request/token-estimate';
import { CallQueueService } from './call-queue.service';

/** The head of the response to a call, in the client's format, with its Route. Its body is still arriving. */
export interface RoutedHead extends Omit<UpstreamResponse, 'problemOf' | 'withoutKey'> {
  readonly route: Route;
  /** Proof of whose credential served the call; undefined without an encryption key. */
  readonly receipt: string | undefined;
}

/** Receives the response to a call: its head or a failure, once. */
export interface CallReceiver {
  /**
   * @returns where the body goes. An event stream arrives in whole events. An error of the body is a Problem, even when the provider
   *   reported it inside the stream, or ClientDisconnected
   */
  head(response: RoutedHead): BodySink;
  /** @param error a Problem, ClientDisconnected, or whatever is wrong with the call */
  fail(error: unknown): void;
}

/** The decision about a call, made before anything is sent. */
export interface Decision {
  readonly route: Route;
  /** Parameters that are left out because the provider does not have them. For a form, the list grows while it arrives. */
  readonly droppedParameters: readonly string[];
}

export interface ServeOptions {
  readonly cancellation: Cancellation;
  /** A UUID that no other call has, for the usage record; by default a new one. */
  readonly requestId?: string;
  /** The client's own id of the request, for the usage record. */
  readonly clientRequestId?: string;
  /** The name of the model, if the address of the request says it. The `model` of the request is then not read. */
  readonly model?: string;
  /** The tenant key of the request, if it has one. */
  readonly tenantKeyId?: string;
  /** The models that the client may use; by default all. */
  readonly allowedModels?: readonly string[];
  /** Counts the tokens of the call: an estimate before anything is sent, the actual number when the call has finished. */
  readonly tokens?: {
    /**
     * `settle` is called from an event of a stream, so it must not throw.
     * @returns a promise when the database must be asked first
     * @throws Problem rate_limited. The promise rejects with it as well
     */
    reserve(estimate: number): Reservation | Promise<Reservation>;
    /** Counts tokens that no reservation expected. */
    charge(actual: number): void;
  };
  /**
   * Looks the key of the request up once more, at the moment at which the call is sent or sent again.
   * @returns undefined when nothing had to be looked up
   * @throws Problem unauthenticated, when the key opens nothing any more
   */
  readonly confirmKey?: () => Promise<void> | undefined;
  /** The client's headers. A provider's definition may let some of them pass. */
  readonly headers?: IncomingHttpHeaders;
  /** Called when the provider responds with a success. The request is not sent again, so its body can be released. */
  readonly onAccepted?: () => void;
  /** For what has to be held of the response; absent: nobody counts. */
  readonly memory?: ResponseMemory;
  /** Called with the requested model, so that the log line of a call that fails early can name it. */
  readonly onModel?: (found: { readonly model: string; readonly provider?: string }) => void;
  /** Called before anything is sent, so that the headers and the log line of a failed call can name the route. */
  readonly onDecision?: (decision: Decision) => void;
}

/** The measuring of one call while it runs. */
export interface RunningCall {
  readonly meter: CallMeter;
  /**
   * @param request undefined for a form
   * @returns undefined when the tokens are reserved, else a promise that resolves when they are
   * @throws Problem rate_limited. The promise rejects with it as well
   */
  readonly reserve: (request: (() => Json) | undefined) => Promise<void> | undefined;
  /** Counts the tokens at the end, in place of a reservation. */
  readonly chargeAtEnd: () => void;
  /** Passes the response on to the client, with a receipt. */
  readonly clientOf: (route: Route) => UpstreamReceiver;
}

/** Sends calls whose route is decided, and does for each of them what every call needs: its usage record, its receipt, its retries. */
@Injectable()
export class DispatchService {
  constructor(
    private readonly cache: CacheService,
    private readonly tenants: TenantsService,
    private readonly egress: EgressService,
    private readonly credentials: CredentialsService,
    private readonly health: PassiveHealthService,
    private readonly usage: UsageLogService,
    private readonly receipts: ReceiptsService,
    private readonly queue: CallQueueService,
  ) {}

  /**
   * Measures a call from its start to its end, and waits for a place before it is sent.
   * @param send finds the route and sends the request; what it throws is the failure of the call
   */
  async run(
    tenantId: string,
    options: ServeOptions,
    receiver: CallReceiver,
    send: (call: RunningCall) => Promise<void>,
  ): Promise<void> {
    const { requestId = randomUUID(), clientRequestId = null, tenantKeyId = null, tokens } = options;
    if (!uuidPattern.test(requestId)) throw new TypeError('the request id must be a UUID');
    // The database writes UUIDs in lower case, and a receipt must match the usage record.
    const call = { requestId: requestId.toLowerCase(), clientRequestId, tenantKeyId };
    let settle = (_: UsageRecord | undefined) => undefined as void;
    let hasPlace = false;
    const meter = this.usage.begin(call, (record) => {
      if (hasPlace) this.queue.leave(tenantId);
      settle(record);
    });
    const reserve = (request: (() => Json) | undefined) => {
      // Skip the estimate where there is no limit: a request may be long.
      if (tokens === undefined) return undefined;
      const estimate = estimatedTokens(request?.());
      const reserved = (reservation: Reservation) => {
        meter.estimated(estimate.input);
        // A call that is refused before its route is decided has no record, and uses nothing.
        settle = (record) => reservation.settle(record === undefined ? 0 : usedTokens(record, estimate.all));
      };
      const reservation = tokens.reserve(estimate.all);
      if (reservation instanceof Promise) return reservation.then(reserved);
      reserved(reservation);
      return undefined;
    };
    const chargeAtEnd = () => {
      settle = (record) => tokens?.charge((record?.inputTokens ?? 0) + (record?.outputTokens ?? 0));
    };
    const fail = (error: unknown) => {
      meter.failed(error);
      receiver.fail(error);
    };
    const clientOf = (route: Route): UpstreamReceiver => ({
      head: (response) => {
        const receipt = this.receipts.issue(route, call, meter.at);
        const { status, headers, source } = response;
        const sink = receiver.head({ status, headers, source, route, receipt });
        meter.responded(status);
        return response.withoutKey(measured(sink, meter), (bytes) =>
          this.usage.keyMasked(route, call, bytes),
        );
      },
      fail,
    });
    try {
      const waiting = this.queue.enter(tenantId, options.cancellation);
      if (waiting !== undefined) {
        await waiting;
        meter.waited();
      }
      hasPlace = true;
      await send({ meter, reserve, chargeAtEnd, clientOf });
    } catch (error) {
      fail(error);
    }
  }

  /** What is made here lives as long as the call, so it must not refer to the client's request. */
  send(
    route: Route,
    body: RequestBody | undefined,
    options: ServeOptions,
    { wire }: CallMeter,
    receiver: UpstreamReceiver,
  ): void {
    // The client's headers describe its own format, which a translated request no longer has.
    const isTranslated = body !== undefined && route.operation !== route.upstreamOperation;
    const sendOptions = {
      cancellation: options.cancellation,
      onAccepted: options.onAccepted,
      wire,
      mayRetry: () => this.cache.lookUp(() => this.isUnchanged(route, options)),
      // The SDKs of OpenAI and Anthropic send this header because they retry by themselves.
      clientRetries: options.headers?.['x-stainless-retry-count'] !== undefined,
      clientHeaders: isTranslated ? undefined : options.headers,
      traceparent: options.headers?.traceparent,
    };
    this.egress.send(route, body, sendOptions, this.noting(route, receiver));
  }

  /** Notes whether the provider accepted the credential. */
  private noting({ credential }: Route, receiver: UpstreamReceiver): UpstreamReceiver {
    return {
      head: (response) => {
        this.health.accepted(credential);
        return receiver.head(response);
      },
      fail: (error) => {
        if (error instanceof Problem && error.code === 'credential_rejected') this.health.refused(credential);
        receiver.fail(error);
      },
    };
  }

  /** Whether a call that starts now would get the same route. */
  private async isUnchanged(route: Route, { confirmKey }: ServeOptions): Promise<boolean> {
    const { tenantId, provider, credential } = route;
    try {
      await confirmKey?.();
      if (!isStillAllowed(await this.tenants.findActive(tenantId), route)) return false;
      if (credential.source === 'global') return true;
      return (await this.credentials.resolve(tenantId, provider)).version === credential.version;
    } catch {
      // Whatever the reason, nothing says that the credential may still be used. The caller gets the first response.
      return false;
    }
  }
}

/** Ends the measuring of the call with its body. */
function measured(sink: BodySink, meter: CallMeter): BodySink {
  return {
    write: (part) => sink.write(part),
    end: () => {
      meter.completed();
      sink.end();
    },
    fail: (error) => {
      meter.brokeOff(error);
      sink.fail(error);
    },
  };
}
