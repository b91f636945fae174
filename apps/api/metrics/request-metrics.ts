import { type FastifyRequest } from 'fastify';
import { Counter, Gauge, Registry } from 'prom-client';
import { isKnownRoute } from '#http';

interface Count {
  readonly labels: Record<'method' | 'route' | 'status' | 'code', string>;
  count: number;
}

/** Counts the requests of this process, those that never reach a provider too. Labels have only values that Tenkey itself chose. */
export class RequestMetrics {
  readonly registry = new Registry();
  readonly #counts = new Map<string, Count>();

  /** @param running the requests that have no complete response yet */
  constructor(running: { readonly size: number }) {
    const counts = this.#counts;
    new Counter({
      name: 'tenkey_http_requests_total',
      help: 'Requests by the pattern of their route, the status of the response (499: the client disconnected before it) and the code of the problem (empty: none). Requests for unknown routes have no method.',
      labelNames: ['method', 'route', 'status', 'code'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { labels, count } of counts.values()) this.inc(labels, count);
      },
    });
    new Gauge({
      name: 'tenkey_http_requests_in_flight',
      help: 'Requests that have no complete response yet.',
      registers: [this.registry],
      collect() {
        this.set(running.size);
      },
    });
  }

  /** The option `onEnd` of beginRequest. */
  readonly count = (request: FastifyRequest, status: number): void => {
    const { route, problem } = request.tenkey;
    const method = isKnownRoute(route) ? request.method : '';
    const code = problem?.code ?? '';
    const name = `${method} ${status} ${code} ${route}`;
    const known = this.#counts.get(name);
    if (known !== undefined) known.count += 1;
    else this.#counts.set(name, { labels: { method, route, status: String(status), code }, count: 1 });
  };
}
