import { type IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Agent, type Dispatcher } from 'undici';
import type { AllowRule } from '#config';
import type { Secret } from '#crypto';
import { Problem } from '#http';
import type { Probe, Provider, Timeouts } from '#providers';
import { AddressPolicy } from './address/address-policy';
import { contradictionIn } from './contradiction';
import { guardedConnector } from './address/guarded-connector';
import { interpretProbeResponse, type ProbeResult, probeResult } from './response/probe-result';
import { Retries } from './retries';
import type { Destination, Route } from './route';
import {
  passedHeaders,
  readErrorBody,
  UpstreamBody,
  type UpstreamResponse,
  type WireEvents,
} from './response/upstream-response';
import {
  problemOfError,
  abortReason,
  errorMessageIn,
  problemOfResponse,
  findAddressProblem,
  problemOfErrorEvent,
} from './response/upstream-problem';

/** The limit for a whole probe. A sysadmin waits for it, and a slower provider would be of no use to calls either. */
const PROBE_TIMEOUT_MS = 10_000;

export interface EgressOptions {
  readonly allow: readonly AllowRule[];
  /** The port that Tenkey listens on; undefined until it does. */
  readonly ownPort: () => number | undefined;
  /** These and the key of the call are removed from every text of a provider. */
  readonly processSecrets: readonly Secret[];
  timeoutsOf(provider: Provider): Timeouts;
  /** How often a call is retried if nothing was sent or the provider responded 503. */
  readonly retries: number;
  /** How long a call may wait in all for retries after a 429, in milliseconds; 0 means no retry. */
  readonly retryRateLimitedMs: number;
}

/** Bytes can be sent again in a retry; a stream cannot. */
export interface RequestBody {
  readonly contentType: string;
  readonly content: Buffer | string | Readable;
}

export interface SendOptions {
  /** The client's headers. Only those that the provider's definition names are passed on. */
  readonly clientHeaders?: IncomingHttpHeaders;
  /** Aborted when the client disconnects, or with a Problem as the reason. The upstream connection is then closed. */
  readonly signal: AbortSignal;
  readonly wire?: WireEvents;
  /** Asked before each retry. False: the retry is not sent, and what came first is the result. By default true. */
  readonly mayRetry?: () => Promise<boolean>;
}

/** The response of an upstream request. */
type ReceivedResponse = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'> & { readonly body: Readable };

/** Sends calls and probes to providers. The route of a call decides the address and the key. */
@Injectable()
export class EgressService implements OnApplicationShutdown {
  readonly #options: EgressOptions;
  readonly #policy: AddressPolicy;
  /** By owner of the address and connect timeout. Addresses of tenants and of the operator share no connection. */
  readonly #agents = new Map<string, Agent>();

  constructor(options: EgressOptions, policy: AddressPolicy = new AddressPolicy(options)) {
    this.#options = options;
    this.#policy = policy;
  }

  /**
   * Resolves when the head of a success has arrived.
   * @throws Problem of the groups provider and sysadmin, or `internal_error` for a route that contradicts itself
   * @throws ClientDisconnected
   * @throws whatever opening the credential throws
   */
  async send(route: Route, body: RequestBody, options: SendOptions): Promise<UpstreamResponse> {
    this.#check(route);
    if (options.signal.aborted) throw abortReason(options.signal);

    const key = route.credential.open();
    const secrets = [key, ...this.#options.processSecrets];
    const toProblem = (error: unknown) =>
      options.signal.aborted ? abortReason(options.signal) : problemOfError(route, error, secrets);
    const response = await this.#request(
      route,
      body,
      options,
      requestHeaders(route, body, key, options),
    ).catch((error: unknown) => {
      throw toProblem(error);
    });
    try {
      const headers = passedHeaders(response.headers, secrets);
      const isReadable = headers['content-encoding'] === undefined;
      options.wire?.onHead(response.statusCode, isReadable ? headers['content-type'] : undefined);
      if (response.statusCode >= 200 && response.statusCode < 300) {
        return {
          status: response.statusCode,
          headers,
          body: new UpstreamBody(response.body, toProblem, options.wire),
          problemOfErrorEvent: (message) => problemOfErrorEvent(route, message, secrets),
        };
      }
      const text = await readErrorBody(response.body);
      // The upstream request accepts no compression; if the body is compressed, its message is not read.
      const message = isReadable ? errorMessageIn(text) : '';
      if (options.signal.aborted) throw abortReason(options.signal);
      throw problemOfResponse(route, { status: response.statusCode, message, headers }, secrets);
    } catch (error) {
      response.body.destroy();
      throw error;
    }
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
          ...provider.headers(key),
        },
        body,
        signal,
        headersTimeout: Math.min(timeouts.firstByteMs, PROBE_TIMEOUT_MS),
        bodyTimeout: PROBE_TIMEOUT_MS,
      });
      const latencyMs = Math.round(performance.now() - started);
      const isPage = /\bhtml\b/i.test([response.headers['content-type'] ?? ''].flat().join());
      const isSuccess = response.statusCode >= 200 && response.statusCode < 300;
      const message = isSuccess ? '' : errorMessageIn(await readErrorBody(response.body));
      void response.body.dump().catch(() => undefined);
      return interpretProbeResponse(
        destination,
        { status: response.statusCode, message, isPage, hasBody: body !== undefined },
        latencyMs,
      );
    } catch (error) {
      const problem = problemOfError(destination, error, secrets);
      const isUnreachable =
        problem instanceof Problem &&
        ['upstream_timeout', 'upstream_unavailable', 'endpoint_not_allowed'].includes(problem.code);
      if (!isUnreachable) throw problem;
      const place = `${provider.label} at ${url.host}`;
      const detail = signal.aborted ? `${place} did not respond in time.` : problem.message;
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

  /** Sends the request, with retries. @returns the first response that is not retried, whatever its status */
  async #request(
    route: Route,
    { content }: RequestBody,
    { signal, wire, mayRetry }: SendOptions,
    headers: Record<string, string>,
  ): Promise<ReceivedResponse> {
    const timeouts = this.#options.timeoutsOf(route.provider);
    const retries = new Retries(this.#options, content instanceof Readable);
    for (;;) {
      let waitMs: number | undefined;
      let first: () => ReceivedResponse;
      try {
        wire?.onAttempt();
        const response = await this.#agent(route, timeouts.connectMs).request({
          origin: route.url.origin,
          path: route.url.pathname + route.url.search,
          method: 'POST',
          headers,
          body: content,
          signal,
          headersTimeout: timeouts.firstByteMs,
          bodyTimeout: timeouts.idleMs,
        });
        waitMs = retries.afterResponse(response.statusCode, response.headers['retry-after']);
        if (waitMs === undefined) return response;
        wire?.onHead(response.statusCode, undefined);
        // The body is read now, so that the connection can be used again, within the limits of any error body.
        const text = readErrorBody(response.body);
        first = () => ({ ...response, body: Readable.from(bytesOf(text)) });
      } catch (error) {
        waitMs = retries.afterError(error);
        if (waitMs === undefined) throw error;
        first = () => {
          throw error;
        };
      }
      await sleep(waitMs, undefined, { signal });
      if (mayRetry !== undefined && !(await mayRetry())) return first();
    }
  }

  #agent(route: Destination, connectMs: number): Agent {
    const name = `${route.isOperatorAddress ? 'operator' : 'tenant'} ${connectMs}`;
    let agent = this.#agents.get(name);
    if (agent === undefined) {
      const connect = route.isOperatorAddress
        ? { timeout: connectMs }
        : guardedConnector(this.#policy, connectMs);
      agent = new Agent({ connect });
      this.#agents.set(name, agent);
    }
    return agent;
  }
}

async function* bytesOf(text: Promise<string>): AsyncGenerator<Buffer> {
  yield Buffer.from(await text);
}

/** The headers that the provider requires, and those of the client that its definition passes on; none replaces the key. */
function requestHeaders(
  route: Route,
  body: RequestBody,
  key: Secret,
  { clientHeaders = {} }: SendOptions,
): Record<string, string> {
  const providerHeaders = route.provider.headers(key);
  const passed = (route.provider.passedRequestHeaders ?? []).flatMap((name) => {
    const value = clientHeaders[name];
    const hasKey = providerHeaders[name]?.includes(key.expose()) === true;
    return typeof value === 'string' && !hasKey ? [[name, value] as const] : [];
  });
  return {
    accept: '*/*',
    'accept-encoding': 'identity',
    'user-agent': 'tenkey',
    'content-type': body.contentType,
    ...providerHeaders,
    ...Object.fromEntries(passed),
  };
}
