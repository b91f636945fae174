import { type IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type Registry } from 'prom-client';
import { type Agent } from 'undici';
import type { EgressProxies } from '#config';
import type { Secret } from '#crypto';
import { Problem } from '#http';
import type { Probe, Provider, Timeouts } from '#providers';
import { AddressPolicy, type AddressPolicyOptions } from './address/address-policy';
import { type Cancellation } from './cancellation';
import { Circuits } from './circuits';
import { contradictionIn } from './contradiction';
import { guardedConnector } from './address/guarded-connector';
import { type Attempt } from './attempt';
import { agentThat, type RequestOptions, socketConnector } from './connection/connection';
import { throughProxies } from './connection/proxy-tunnel';
import { interpretProbeResponse, type ProbeResult, probeResult } from './response/probe-result';
import { OutgoingCall } from './outgoing-call';
import { Retries } from './retries';
import type { Destination, Route } from './route';
import { readErrorBody } from './response/error-body';
import { type UpstreamReceiver, type WireEvents } from './response/upstream-response';
import { noError, upstreamErrorIn } from './upstream-error';
import { findAddressProblem, problemOfError } from './response/connection-problem';

/** The limit for a whole probe. A sysadmin waits for it, and a slower provider would be of no use to calls either. */
const PROBE_TIMEOUT_MS = 10_000;

/** Each has its own connections. More of them exist only if tenants have many different lists of exceptions. */
const MAXIMUM_AGENTS = 1000;

export interface EgressOptions extends AddressPolicyOptions {
  /** Absent: all connections are direct. */
  readonly proxies?: EgressProxies;
  /** These and the key of the call are removed from every text of a provider. */
  readonly processSecrets: readonly Secret[];
  timeoutsOf(provider: Provider): Timeouts;
  /** How often a call is retried if nothing was sent, or the provider responded 503 and the client does not retry by itself. */
  readonly retries: number;
  /** How long a call may wait in all for retries after a 429, in milliseconds; 0 means no retry. */
  readonly retryRateLimitedMs: number;
  /** After how many failures of the connection in a row the calls of a tenant to a host are paused; 0: they never are. */
  readonly circuitFailures: number;
}

/** Bytes can be sent again in a retry; a stream cannot. */
export interface RequestBody {
  readonly contentType: string;
  readonly content: readonly Buffer[] | Readable;
}

export interface SendOptions {
  /** The client's headers. Only those that the provider's definition names are passed on. */
  readonly clientHeaders?: IncomingHttpHeaders;
  /** The client's W3C trace context, which is passed on if it is well-formed. */
  readonly traceparent?: unknown;
  /** True when the client tries again by itself after a 503, so that Tenkey does not. */
  readonly clientRetries?: boolean;
  readonly cancellation: Cancellation;
  readonly wire?: WireEvents;
  /** Called when the provider responds with a success. The request is not sent again, so its body can be released. */
  readonly onAccepted?: (() => void) | undefined;
  /** Asked before each retry. False: the retry is not sent, and what came first is the result. By default true. */
  readonly mayRetry?: () => Promise<boolean>;
}

/** Sends calls and probes to providers. The route of a call decides the address and the key. */
@Injectable()
export class EgressService implements OnApplicationShutdown {
  readonly #options: EgressOptions;
  readonly #policy: AddressPolicy;
  /**
   * By owner of the address, exceptions and connect timeout. A connection is checked when it is opened, so those share none for which
   * another check applies. Lists of exceptions change, so the agent that was not used for the longest time is closed when its running
   * calls are finished.
   */
  readonly #agents = new LRUCache<string, Agent>({
    max: MAXIMUM_AGENTS,
    dispose: (agent) => void agent.close().catch(() => undefined),
  });
  readonly #circuits: Circuits;

  constructor(options: EgressOptions, policy: AddressPolicy = new AddressPolicy(options)) {
    this.#options = options;
    this.#policy = policy;
    this.#circuits = new Circuits(options.circuitFailures);
  }

  /** For Prometheus. */
  get registry(): Registry {
    return this.#circuits.registry;
  }

  /**
   * Sends a call. The receiver gets the head of a success and then its body, or a Problem of the groups provider and sysadmin, or
   * ClientDisconnected.
   * @param body undefined: the request has none
   * @throws Problem when nothing may be sent there, or `internal_error` for a route that contradicts itself
   * @throws whatever opening the credential throws
   */
  send(route: Route, body: RequestBody | undefined, options: SendOptions, receiver: UpstreamReceiver): void {
    this.#check(route);
    this.#circuits.check(route);
    const content = body?.content;
    const { connectMs, firstByteMs, idleMs } = this.#options.timeoutsOf(route.provider);
    const agent = this.#agent(route, connectMs);
    const key = route.credential.open();
    const { origin, pathname, search } = route.url;
    const headers = requestHeaders(route, body, key, options);
    const dispatch = (attempt: Attempt) => {
      const options: RequestOptions = {
        origin,
        path: pathname + search,
        method: route.method ?? 'POST',
        headers,
        body: content && bodyOfAttempt(content),
        headersTimeout: firstByteMs,
        bodyTimeout: idleMs,
        waiting: attempt,
      };
      agent.dispatch(options, attempt);
    };
    const call = {
      route,
      key,
      circuits: this.#circuits,
      retries: new Retries(this.#options, content instanceof Readable, options.clientRetries),
      secrets: [key, ...this.#options.processSecrets],
      cancellation: options.cancellation,
      receiver,
      wire: options.wire,
      mayRetry: options.mayRetry,
      onAccepted: options.onAccepted,
    };
    new OutgoingCall(call, dispatch).start();
  }

  /**
   * Finds out with one free request whether the provider accepts the key. The address and the checks are those of a call.
   * A network error is a result and is not thrown.
   * @param destination its `url` is that of the probe
   * @throws Problem as `send` does when the key must not or cannot be opened
   */
  async probe(destination: Destination, { method, body }: Probe): Promise<ProbeResult> {
    const { provider, url } = destination;
    const started = performance.now();
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    let secrets = this.#options.processSecrets;
    try {
      this.#check(destination);
      const key = destination.credential.open();
      secrets = [key, ...secrets];
      const timeouts = this.#options.timeoutsOf(provider);
      const agent = this.#agent(destination, Math.min(timeouts.connectMs, PROBE_TIMEOUT_MS));
      const response = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: {
          accept: 'application/json',
          'accept-encoding': 'identity',
          'user-agent': 'tenkey',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...provider.headers(key, destination.credential.settings),
        },
        body,
        signal,
        headersTimeout: Math.min(timeouts.firstByteMs, PROBE_TIMEOUT_MS),
        bodyTimeout: PROBE_TIMEOUT_MS,
      });
      const latencyMs = Math.round(performance.now() - started);
      const isPage = /\bhtml\b/i.test([response.headers['content-type'] ?? ''].flat().join());
      const isSuccess = response.statusCode >= 200 && response.statusCode < 300;
      const error = isSuccess ? noError : upstreamErrorIn(await readErrorBody(response.body));
      void response.body.dump().catch(() => undefined);
      return interpretProbeResponse(
        destination,
        { status: response.statusCode, error, isPage, hasBody: body !== undefined },
        latencyMs,
      );
    } catch (error) {
      const problem = problemOfError(destination, error, secrets);
      const isUnreachable =
        problem instanceof Problem &&
        ['upstream_timeout', 'upstream_unavailable', 'endpoint_not_allowed'].includes(problem.code);
      if (!isUnreachable) throw problem;
      const place = `${provider.label} at ${url.host}`;
      const detail = error === signal.reason ? `${place} did not respond in time.` : problem.message;
      return probeResult('unreachable', detail, Math.round(performance.now() - started));
    }
  }

  /**
   * Closes all connections. This runs after the HTTP server is closed, because running calls still need them; calls that the
   * server does not wait for fail. It may be called again.
   */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }

  #check(destination: Destination): void {
    const contradiction = contradictionIn(destination);
    if (contradiction !== undefined) {
      throw new Problem('internal_error', { cause: new Error(`route refused: ${contradiction}`) });
    }
    const problem = findAddressProblem(this.#policy, destination);
    if (problem) throw problem;
  }

  #agent(route: Destination, connectMs: number): Agent {
    const { isOperatorAddress, egressAllow } = route;
    const name = isOperatorAddress
      ? `operator ${connectMs}`
      : egressAllow === undefined
        ? `tenant ${connectMs}`
        : `tenant ${connectMs} ${egressAllow.join()}`;
    let agent = this.#agents.get(name);
    if (agent === undefined) {
      const { proxies } = this.#options;
      const connect = isOperatorAddress
        ? throughProxies(proxies, socketConnector({ timeout: connectMs }), connectMs)
        : guardedConnector(this.#policy, connectMs, proxies, egressAllow);
      agent = agentThat(connect);
      this.#agents.set(name, agent);
    }
    return agent;
  }
}

/** A shorter body is joined, which is cheaper than a stream. */
const LONG_BODY_BYTES = 64 * 1024;

/**
 * The body of one attempt. A long one is a stream: its parts are not copied, and the HTTP library forgets what it has sent, while it
 * keeps a Buffer until the response has ended.
 */
function bodyOfAttempt(content: RequestBody['content']): Buffer | Readable {
  if (content instanceof Readable) return content;
  const length = content.reduce((sum, part) => sum + part.length, 0);
  if (length < LONG_BODY_BYTES) return Buffer.concat(content, length);
  const stream = new Readable({ read: () => undefined });
  for (const part of content) stream.push(part);
  stream.push(null);
  return stream;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header, in its only version. Neither id may be all zeros. */
const isTraceparent = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** The headers that the provider requires, and those of the client that its definition passes on; none replaces the key. */
function requestHeaders(
  route: Route,
  body: RequestBody | undefined,
  key: Secret,
  { clientHeaders = {}, traceparent }: SendOptions,
): Record<string, string> {
  const providerHeaders = route.provider.headers(key, route.credential.settings);
  const headers: Record<string, string> = {
    accept: '*/*',
    'accept-encoding': 'identity',
    'user-agent': 'tenkey',
  };
  if (body !== undefined) headers['content-type'] = body.contentType;
  for (const name in providerHeaders) headers[name] = providerHeaders[name]!;
  if (typeof traceparent === 'string' && isTraceparent.test(traceparent)) headers.traceparent = traceparent;
  for (const name of route.provider.passedRequestHeaders ?? []) {
    const value = clientHeaders[name];
    const hasKey = providerHeaders[name]?.includes(key.expose()) === true;
    if (typeof value === 'string' && !hasKey) headers[name] = value;
  }
  return headers;
}
