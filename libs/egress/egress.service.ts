import { PassThrough, pipeline, type Readable } from 'node:stream';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Agent, type Dispatcher } from 'undici';
import type { Secret } from '#crypto';
import { Problem } from '#http';
import type { Timeouts } from '#providers';
import { AddressPolicy, type AllowRule } from './address-policy';
import { guardedConnector } from './guarded-connector';
import { mentions } from './redact';
import type { Route } from './route';
import { addressProblem, faultOf, goneBy, messageOf, refusalOf, streamProblem } from './upstream-problem';

/** Ten minutes to the head, as the providers' own clients wait: a long reasoning answer comes all at once. */
export const defaultTimeouts: Timeouts = { connectMs: 10_000, firstByteMs: 600_000, idleMs: 300_000 };

export interface EgressOptions {
  readonly allow: readonly AllowRule[];
  /** The port Tenkey listens on, once it does. */
  readonly ownPort: () => number | undefined;
  /** Removed from every text of a provider, beside the call's own key. */
  readonly processSecrets: readonly Secret[];
  readonly timeouts?: Timeouts;
}

export interface SendOptions {
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
  /^(content-type|content-encoding|retry-after|x-ratelimit-.*|ratelimit.*|anthropic-ratelimit-.*|x-request-id|request-id|apim-request-id|x-ms-region|openai-processing-ms)$/;

/** Sends one call to where its route says, with the key its route holds, once. */
@Injectable()
export class EgressService implements OnApplicationShutdown {
  readonly #options: EgressOptions;
  readonly #policy: AddressPolicy;
  readonly #guarded: Agent;
  /** For addresses of the operator's own environment. A pool of its own: no connection is shared with the guarded one. */
  readonly #exempt: Agent;

  constructor(options: EgressOptions, policy: AddressPolicy = new AddressPolicy(options)) {
    this.#options = options;
    this.#policy = policy;
    const { connectMs, firstByteMs, idleMs } = options.timeouts ?? defaultTimeouts;
    const common = { headersTimeout: firstByteMs, bodyTimeout: idleMs };
    this.#guarded = new Agent({ ...common, connect: guardedConnector(policy, connectMs) });
    this.#exempt = new Agent({ ...common, connect: { timeout: connectMs } });
  }

  /**
   * Resolves when the head of a success arrived. Throws a Problem of the groups provider and sysadmin, `internal_error`
   * for a route that contradicts itself, or `ClientGone`; also whatever opening the credential throws.
   */
  async send(route: Route, body: Buffer | string, options: SendOptions): Promise<UpstreamResponse> {
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
    let answer: Dispatcher.ResponseData;
    try {
      answer = await (route.isOperatorAddress ? this.#exempt : this.#guarded).request({
        origin: route.url.origin,
        path: route.url.pathname + route.url.search,
        method: 'POST',
        headers: {
          accept: 'application/json, text/event-stream',
          'accept-encoding': 'identity',
          'user-agent': 'tenkey',
          'content-type': 'application/json',
          ...route.provider.headers(key),
        },
        body,
        signal: options.signal,
      });
    } catch (error) {
      throw fault(error);
    }

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
      const message = messageOf(await readError(answer.body));
      if (options.signal.aborted) throw goneBy(options.signal);
      throw refusalOf(route, { status: answer.statusCode, message, headers }, secrets);
    } catch (error) {
      answer.body.destroy();
      throw error;
    }
  }

  /** After the HTTP server is closed: a running call still needs its connection. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.#guarded.destroy(), this.#exempt.destroy()]);
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

/** An allow-list, and nothing that repeats a secret: a provider may echo what it was sent. */
function headersOf(
  headers: Dispatcher.ResponseData['headers'],
  secrets: readonly Secret[],
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), [value ?? ''].flat().join(', ')] as const)
      .filter(([name, value]) => passedHeaders.test(name) && !mentions(`${name} ${value}`, secrets)),
  );
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
