import { type IncomingHttpHeaders } from 'node:http';
import { PassThrough, pipeline, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Agent, type Dispatcher } from 'undici';
import type { Secret } from '#crypto';
import { Problem } from '#http';
import type { Provider, Timeouts } from '#providers';
import { AddressPolicy, type AllowRule } from './address-policy';
import { guardedConnector } from './guarded-connector';
import { mentions } from './redact';
import { Retries } from './retries';
import type { Route } from './route';
import { addressProblem, faultOf, goneBy, messageOf, refusalOf, streamProblem } from './upstream-problem';

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

const ERROR_BODY_BYTES = 64 * 1024;
const ERROR_BODY_MS = 5000;
const passedHeaders =
  /^(content-type|content-encoding|retry-after|retry-after-ms|x-ratelimit-.*|ratelimit.*|anthropic-ratelimit-.*|x-request-id|request-id|apim-request-id|x-ms-region|openai-processing-ms)$/;

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
    const contradiction = contradictionIn(route);
    if (contradiction !== undefined) {
      throw new Problem('internal_error', { cause: new Error(`route refused: ${contradiction}`) });
    }
    const reason = route.isOperatorAddress ? undefined : this.#policy.checkHost(route.url);
    if (reason !== undefined) throw addressProblem(route, reason);
    if (options.signal.aborted) throw goneBy(options.signal);

    const key = route.credential.open();
    const secrets = [key, ...this.#options.processSecrets];
    const fault = (error: unknown) =>
      options.signal.aborted ? goneBy(options.signal) : faultOf(route, error, secrets);
    const answer = await this.#answer(
      route,
      body,
      options.signal,
      headersFor(route, body, key, options),
    ).catch((error: unknown) => {
      throw fault(error);
    });
    try {
      const headers = headersOf(answer.headers, secrets);
      if (answer.statusCode >= 200 && answer.statusCode < 300) {
        const streamFault = (message: string) => streamProblem(route, message, secrets);
        return {
          status: answer.statusCode,
          headers,
          body: new UpstreamBody(answer.body, fault),
          streamFault,
        };
      }
      const text = await readError(answer.body);
      // Compressed although that was not asked for, it holds no sentence.
      const message = headers['content-encoding'] === undefined ? messageOf(text) : '';
      if (options.signal.aborted) throw goneBy(options.signal);
      throw refusalOf(route, { status: answer.statusCode, message, headers }, secrets);
    } catch (error) {
      answer.body.destroy();
      throw error;
    }
  }

  /** After the HTTP server is closed: a running call still needs its connection. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }

  /** The first answer that is not to be tried again, whatever its status. */
  async #answer(
    route: Route,
    { content }: RequestBody,
    signal: AbortSignal,
    headers: Record<string, string>,
  ): Promise<Dispatcher.ResponseData> {
    const timeouts = this.#options.timeoutsOf(route.provider);
    const retries = new Retries(this.#options, content instanceof Readable);
    for (;;) {
      let waitMs: number | undefined;
      try {
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
        // Read for the connection's sake, and like any error's body not without end.
        void readError(answer.body);
      } catch (error) {
        waitMs = retries.afterFault(error);
        if (waitMs === undefined) throw error;
      }
      await sleep(waitMs, undefined, { signal });
    }
  }

  #agent(route: Route, connectMs: number): Agent {
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

/** Passes the bytes on as they arrive; turns the library's errors into ours. */
class UpstreamBody extends PassThrough {
  readonly #fault: (error: unknown) => Error;

  constructor(source: Readable, fault: (error: unknown) => Error) {
    super();
    this.#fault = fault;
    pipeline(source, this, () => undefined);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    callback(error === null ? null : this.#fault(error));
  }
}

/**
 * The last check before a key meets an address: tenant and provider must be those of the credential, and the address at
 * the credential's own endpoint, or the operator's where the credential has none.
 */
function contradictionIn(route: Route): string | undefined {
  const { credential, url, provider, tenantId } = route;
  if (credential.tenantId !== tenantId) return 'the credential is of another tenant';
  if (credential.provider.id !== provider.id) return 'the credential is for another provider';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'the address is not http or https';
  if (url.username !== '' || url.password !== '' || url.hash !== '') return 'the address has foreign parts';
  const endpoint = credential.settings['endpoint'];
  if (credential.source === 'tenant' && route.isOperatorAddress !== (typeof endpoint !== 'string')) {
    return 'whose address it is does not follow from the credential';
  }
  if (route.isOperatorAddress) return undefined;
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint) || new URL(endpoint).origin !== url.origin) {
    return "the address is not at the credential's endpoint";
  }
  return undefined;
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

/** An allow-list, and nothing that repeats a secret: a provider may echo what it was sent. */
function headersOf(
  headers: Dispatcher.ResponseData['headers'],
  secrets: readonly Secret[],
): Record<string, string> {
  const passed: Record<string, string> = Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), [value ?? ''].flat().join(', ')] as const)
      .filter(([name, value]) => passedHeaders.test(name) && !mentions(`${name} ${value}`, secrets))
      // No encoding at all, said in so many words; others take it for one.
      .filter(([name, value]) => name !== 'content-encoding' || value.toLowerCase() !== 'identity'),
  );
  const id = passed['x-request-id'] ?? passed['request-id'] ?? passed['apim-request-id'];
  // OpenAI's clients read the first, Anthropic's the second, whoever the provider is.
  return id === undefined ? passed : { 'x-request-id': id, 'request-id': id, ...passed };
}

/** As much of an error's body as arrives in bounded time and space. It is never needed, only helpful. */
async function readError(body: Readable): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  const timer = setTimeout(() => body.destroy(), ERROR_BODY_MS);
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= ERROR_BODY_BYTES) break;
    }
  } catch {
    // What arrived is used.
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(parts).subarray(0, ERROR_BODY_BYTES).toString('utf8');
}
