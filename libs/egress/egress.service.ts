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
import { type ProbeResult, readProbe, resultOf } from './response/probe-result';
import { Retries } from './retries';
import type { Destination, Route } from './route';
import { headersOf, readError, UpstreamBody, type WireEvents } from './response/upstream-answer';
import {
  faultOf,
  goneBy,
  messageOf,
  refusalOf,
  refusedAddress,
  streamProblem,
} from './response/upstream-problem';

/** A probe in all. Somebody waits for it, and a provider that takes longer is of no use to them either. */
const PROBE_MS = 10_000;

export interface EgressOptions {
  readonly allow: readonly AllowRule[];
  /** The port Tenkey listens on, once it does. */
  readonly ownPort: () => number | undefined;
  /** Removed from every text of a provider, beside the call's own key. */
  readonly processSecrets: readonly Secret[];
  timeoutsOf(provider: Provider): Timeouts;
  /** How often a call is tried again when nothing was sent or the provider said 503. */
  readonly retries: number;
  /** How long a call may wait in all to be tried again after a 429, in milliseconds; 0: it is not tried again. */
  readonly retryRateLimitedMs: number;
}

/** What is sent: bytes, which may be sent again, or a stream, which may not. */
export interface RequestBody {
  readonly contentType: string;
  readonly content: Buffer | string | Readable;
}

export interface SendOptions {
  /** The client's own headers; those that the provider's file names are passed on. */
  readonly clientHeaders?: IncomingHttpHeaders;
  /** Aborted when the caller leaves, or with a Problem as reason; closes the upstream connection. */
  readonly signal: AbortSignal;
  readonly wire?: WireEvents;
}

/** A success (2xx). An error of `body` is a Problem or `ClientGone`; whoever takes the answer must read or destroy it. */
export interface UpstreamResponse {
  readonly status: number;
  /** Lower-case names, only those on the allow-list. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
  /** A Problem from the message of an error event inside the stream, cleaned as any error of the provider is. */
  streamFault(message: string): Problem;
}

/** Sends one call to where its route says, with the key its route holds, once. */
@Injectable()
export class EgressService implements OnApplicationShutdown {
  readonly #options: EgressOptions;
  readonly #policy: AddressPolicy;
  /** By who owns the address and by connect timeout. No connection is shared between a tenant's and the operator's. */
  readonly #agents = new Map<string, Agent>();

  constructor(options: EgressOptions, policy: AddressPolicy = new AddressPolicy(options)) {
    this.#options = options;
    this.#policy = policy;
  }

  /**
   * Resolves when the head of a success arrived. Throws a Problem of the groups provider and sysadmin, `internal_error`
   * for a route that contradicts itself, or `ClientGone`; also whatever opening the credential throws.
   */
  async send(route: Route, body: RequestBody, options: SendOptions): Promise<UpstreamResponse> {
    this.#check(route);
    if (options.signal.aborted) throw goneBy(options.signal);

    const key = route.credential.open();
    const secrets = [key, ...this.#options.processSecrets];
    const fault = (error: unknown) =>
      options.signal.aborted ? goneBy(options.signal) : faultOf(route, error, secrets);
    const answer = await this.#answer(route, body, options, headersFor(route, body, key, options)).catch(
      (error: unknown) => {
        throw fault(error);
      },
    );
    try {
      const headers = headersOf(answer.headers, secrets);
      const isReadable = headers['content-encoding'] === undefined;
      options.wire?.onHead(answer.statusCode, isReadable ? headers['content-type'] : undefined);
      if (answer.statusCode >= 200 && answer.statusCode < 300) {
        const streamFault = (message: string) => streamProblem(route, message, secrets);
        return {
          status: answer.statusCode,
          headers,
          body: new UpstreamBody(answer.body, fault, options.wire),
          streamFault,
        };
      }
      const text = await readError(answer.body);
      // Compressed although that was not asked for, it holds no sentence.
      const message = isReadable ? messageOf(text) : '';
      if (options.signal.aborted) throw goneBy(options.signal);
      throw refusalOf(route, { status: answer.statusCode, message, headers }, secrets);
    } catch (error) {
      answer.body.destroy();
      throw error;
    }
  }

  /**
   * Asks the provider, at no cost and once, whether it accepts the key. To the same address and by the same checks as a
   * call; a fault of the network is a result and no error.
   * @param destination its `url` is the probe's
   * @throws Problem as `send` does when the key must not or cannot be opened
   */
  async probe(destination: Destination, { method, body }: Probe): Promise<ProbeResult> {
    const { provider, url } = destination;
    const started = performance.now();
    const signal = AbortSignal.timeout(PROBE_MS);
    let secrets = this.#options.processSecrets;
    try {
      this.#check(destination);
      const key = destination.credential.open();
      secrets = [key, ...secrets];
      const timeouts = this.#options.timeoutsOf(provider);
      const answer = await this.#agent(destination, Math.min(timeouts.connectMs, PROBE_MS)).request({
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
        headersTimeout: Math.min(timeouts.firstByteMs, PROBE_MS),
        bodyTimeout: PROBE_MS,
      });
      const latencyMs = Math.round(performance.now() - started);
      const isPage = /\bhtml\b/i.test([answer.headers['content-type'] ?? ''].flat().join());
      const isSuccess = answer.statusCode >= 200 && answer.statusCode < 300;
      const message = isSuccess ? '' : messageOf(await readError(answer.body));
      void answer.body.dump().catch(() => undefined);
      return readProbe(
        destination,
        { status: answer.statusCode, message, isPage, hasBody: body !== undefined },
        latencyMs,
      );
    } catch (error) {
      const fault = faultOf(destination, error, secrets);
      const isOfNetwork =
        fault instanceof Problem &&
        ['upstream_timeout', 'upstream_unavailable', 'endpoint_not_allowed'].includes(fault.code);
      if (!isOfNetwork) throw fault;
      const place = `${provider.label} at ${url.host}`;
      const detail = signal.aborted ? `${place} did not answer in time.` : fault.message;
      return resultOf('unreachable', detail, Math.round(performance.now() - started));
    }
  }

  /**
   * After the HTTP server is closed: a running call still needs its connection. Those that no server waited for fail. May be
   * called again.
   */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }

  #check(destination: Destination): void {
    const contradiction = contradictionIn(destination);
    if (contradiction !== undefined) {
      throw new Problem('internal_error', { cause: new Error(`route refused: ${contradiction}`) });
    }
    const refused = refusedAddress(this.#policy, destination);
    if (refused) throw refused;
  }

  /** The first answer that is not to be tried again, whatever its status. */
  async #answer(
    route: Route,
    { content }: RequestBody,
    { signal, wire }: SendOptions,
    headers: Record<string, string>,
  ): Promise<Dispatcher.ResponseData> {
    const timeouts = this.#options.timeoutsOf(route.provider);
    const retries = new Retries(this.#options, content instanceof Readable);
    for (;;) {
      let waitMs: number | undefined;
      try {
        wire?.onAttempt();
        const answer = await this.#agent(route, timeouts.connectMs).request({
          origin: route.url.origin,
          path: route.url.pathname + route.url.search,
          method: 'POST',
          headers,
          body: content,
          signal,
          headersTimeout: timeouts.firstByteMs,
          bodyTimeout: timeouts.idleMs,
        });
        waitMs = retries.afterAnswer(answer.statusCode, answer.headers['retry-after']);
        if (waitMs === undefined) return answer;
        wire?.onHead(answer.statusCode, undefined);
        // Read for the connection's sake, and like any error's body not without end.
        void readError(answer.body);
      } catch (error) {
        waitMs = retries.afterFault(error);
        if (waitMs === undefined) throw error;
      }
      await sleep(waitMs, undefined, { signal });
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

/** What the provider demands, and what the client says that the provider's file lets through; never in the key's place. */
function headersFor(
  route: Route,
  body: RequestBody,
  key: Secret,
  { clientHeaders = {} }: SendOptions,
): Record<string, string> {
  const own = route.provider.headers(key);
  const passed = (route.provider.passedRequestHeaders ?? []).flatMap((name) => {
    const value = clientHeaders[name];
    const isKeys = own[name]?.includes(key.expose()) === true;
    return typeof value === 'string' && !isKeys ? [[name, value] as const] : [];
  });
  return {
    accept: '*/*',
    'accept-encoding': 'identity',
    'user-agent': 'tenkey',
    'content-type': body.contentType,
    ...own,
    ...Object.fromEntries(passed),
  };
}
