import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, isIPv6, type Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import { type buildConnector, errors } from 'undici';
import { type EgressProxies, type EgressProxy, isExempt, isLocalName, plainHost, portOf } from '#config';
import { type Connect, type Opening, socketConnector } from './connection';

/** What Node's and undici's sockets use. */
const KEEP_ALIVE_MS = 60_000;

/** The connection through a proxy failed. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  /** Tells the retries whether it may succeed at the next attempt. */
  readonly code: string;

  /**
   * @param target `host:port`, as the proxy was asked for it
   * @param stage at which it failed: reaching the proxy, its response to CONNECT, or the TLS handshake with the provider
   * @param status of a response that refuses; undefined if there was none
   */
  constructor(
    readonly proxy: EgressProxy,
    readonly target: string,
    readonly stage: 'reach' | 'connect' | 'handshake',
    readonly status?: number,
    cause?: Error,
  ) {
    super(`no connection through the proxy ${proxy.place}`, { cause });
    this.code = status !== undefined && status >= 500 ? 'PROXY_CANNOT_CONNECT' : 'PROXY_FAILED';
  }
}

/**
 * Opens connections through the proxy that the settings name for an address, and all others directly.
 * @param connectMs the limit for a connection through a proxy: to the proxy, from there to the provider, and the TLS handshake
 */
export function throughProxies(
  proxies: EgressProxies | undefined,
  direct: Connect,
  connectMs: number,
): Connect {
  if (proxies?.forHttps === undefined && proxies?.forHttp === undefined) return direct;
  const handshake = socketConnector({ timeout: 0 });
  return (options, callback) => {
    const proxy = proxyTo(proxies, options);
    return proxy === undefined
      ? direct(options, callback)
      : new Tunnel(proxy, options, connectMs, handshake, callback);
  };
}

function proxyTo(proxies: EgressProxies, options: buildConnector.Options): EgressProxy | undefined {
  const proxy = options.protocol === 'https:' ? proxies.forHttps : proxies.forHttp;
  const host = plainHost(options.hostname);
  if (proxy === undefined || isThisMachine(host)) return undefined;
  return isExempt(proxies.noProxy, host, portOf(options)) ? undefined : proxy;
}

/** To the proxy, such a name would mean the machine of the proxy. */
function isThisMachine(host: string): boolean {
  if (!ipaddr.isValid(host)) return isLocalName(host);
  return ['loopback', 'unspecified'].includes(ipaddr.process(host).range());
}

/**
 * A connection through a proxy that is being opened, with CONNECT (RFC 9110, 9.3.6). CONNECT is used for http addresses too, because
 * the proxy would read the key in a request that it forwards.
 */
class Tunnel implements Opening {
  readonly #proxy: EgressProxy;
  readonly #target: string;
  readonly #request: ClientRequest;
  readonly #timer: NodeJS.Timeout;
  #handshake: Opening | undefined;
  #callback: buildConnector.Callback | undefined;

  constructor(
    proxy: EgressProxy,
    options: buildConnector.Options,
    connectMs: number,
    handshake: Connect,
    callback: buildConnector.Callback,
  ) {
    const { hostname, protocol } = options;
    this.#proxy = proxy;
    this.#callback = callback;
    this.#target = `${isIPv6(hostname) ? `[${hostname}]` : hostname}:${portOf(options)}`;
    const headers: Record<string, string> = { host: this.#target, connection: 'keep-alive' };
    if (proxy.authorization !== undefined) headers['proxy-authorization'] = proxy.authorization.expose();
    this.#request = (proxy.isSecure ? httpsRequest : httpRequest)({
      method: 'CONNECT',
      path: this.#target,
      host: proxy.hostname,
      port: proxy.port,
      // Otherwise Node would take the name from the header Host, which is the provider's.
      servername: isIP(proxy.hostname) === 0 ? proxy.hostname : '',
      agent: false,
      headers,
    });
    this.#request.once('connect', ({ statusCode = 0 }, socket: Socket, head) => {
      const isOpen = statusCode >= 200 && statusCode <= 299;
      if (!isOpen || this.#callback === undefined) {
        socket.on('error', () => undefined).destroy();
        return this.#fail('connect', undefined, statusCode);
      }
      if (head.length > 0) socket.unshift(head);
      socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
      if (protocol !== 'https:') return this.#end(null, socket);
      this.#handshake = handshake({ ...options, httpSocket: socket }, (error, encrypted) => {
        if (error === null) this.#end(null, encrypted);
        else this.#fail('handshake', error);
      });
    });
    this.#request.on('error', (error) => this.#fail(this.#stage(), error));
    this.#request.end();
    this.#timer = setTimeout(() => this.#expire(connectMs), connectMs);
  }

  destroy(error: Error): void {
    this.#end(error, null);
    this.#close(error);
  }

  #expire(connectMs: number): void {
    const error = new errors.ConnectTimeoutError(`no connection within ${connectMs} ms`);
    this.#fail(this.#stage(), error);
    this.#close(error);
  }

  #close(error: Error): void {
    this.#request.destroy();
    this.#handshake?.destroy(error);
  }

  #stage(): ProxyError['stage'] {
    if (this.#handshake !== undefined) return 'handshake';
    const { socket } = this.#request;
    return socket === null || socket.connecting ? 'reach' : 'connect';
  }

  #fail(stage: ProxyError['stage'], cause: Error | undefined, status?: number): void {
    this.#end(new ProxyError(this.#proxy, this.#target, stage, status, cause), null);
  }

  #end(...result: Parameters<buildConnector.Callback>): void {
    const callback = this.#callback;
    this.#callback = undefined;
    clearTimeout(this.#timer);
    callback?.(...result);
  }
}
