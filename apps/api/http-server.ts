import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type FastifyServerFactory } from 'fastify';
import { type Config } from '#config';
import { hooks } from '#http';
import { type Log } from '#log';
import { type ReadyResponse } from './health.dto';

/** Node refuses a request without a Host header with an empty body; the hook requireHost refuses it with a problem. */
export const httpOptions = { requireHostHeader: false };

/**
 * The HTTP server of the service. It can listen before there is an application: a process that waits for its database then says
 * that it is alive, and why it is not ready. The application takes over the same server, so that no connection is lost.
 */
export class HttpServer {
  readonly #server: Server;
  #isListening: Promise<void> | undefined;
  #listener: RequestListener;
  #application: RequestListener | undefined;

  /** @param readyState of a process that is starting */
  constructor(log: Log, readyState: () => ReadyResponse) {
    const refuse = hooks.refuseWhileStarting(log);
    this.#listener = (request, response) => {
      const path = request.url?.split('?', 1)[0];
      if (path !== '/health' && path !== '/ready') return refuse(request, response);
      const [status, body] = path === '/health' ? [200, { status: 'ok' }] : [503, readyState()];
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
      response.end(JSON.stringify(body));
    };
    this.#server = createServer(httpOptions, (request, response) => this.#listener(request, response));
  }

  /** Fastify's option `serverFactory`. The application gets requests only after `serve`. */
  readonly factory: FastifyServerFactory = (application, { keepAliveTimeout, requestTimeout }) => {
    this.#application = application;
    return Object.assign(this.#server, { keepAliveTimeout, requestTimeout });
  };

  /** @returns when the server listens; the same promise each time */
  listen({ port, host }: Pick<Config, 'port' | 'host'>): Promise<void> {
    return (this.#isListening ??= new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    }));
  }

  /** Gives the application all requests from now on. */
  serve(): void {
    if (this.#application) this.#listener = this.#application;
  }

  /** Undefined until the server listens. */
  get port(): number | undefined {
    return (this.#server.address() as AddressInfo | null)?.port;
  }
}
