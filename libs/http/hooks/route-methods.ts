import { type onRequestHookHandler, type onRouteHookHandler } from 'fastify';
import { Problem } from '../problems/problem';
import { sendProblem } from '../problems/problem.filter';

/** Tells a wrong method from a wrong path, which Fastify does not. */
export class RouteMethods {
  readonly #routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];

  /** Notes each route as it is registered. */
  readonly note: onRouteHookHandler = ({ method, url }) => {
    this.add(method, url);
  };

  /** Refuses a request for a path that has other methods only. */
  readonly refuseOthers: onRequestHookHandler = (request, reply, done) => {
    const methods = request.is404 ? this.of(request.tenkey.path) : [];
    if (methods.length === 0) return done();
    reply.header('allow', methods.join(', '));
    const detail = `This route supports only ${methods.join(', ')}.`;
    sendProblem(request, reply, new Problem('method_not_allowed', { detail }));
  };

  /** @param url as Fastify writes it: `/tenants/:tenant_id`, `/docs/*` */
  private add(method: string | readonly string[], url: string): void {
    const segments = url.split('/').map((segment) => {
      if (segment.startsWith(':')) return '[^/]+';
      return segment === '*' ? '.*' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    });
    this.#routes.push({ pattern: new RegExp(`^${segments.join('/')}/?$`), methods: [method].flat() });
  }

  /** The methods of a path, sorted; empty when no route has this path. */
  private of(path: string): string[] {
    const found = this.#routes.filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => methods))].sort();
  }
}
