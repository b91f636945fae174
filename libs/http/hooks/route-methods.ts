/** The routes as registered, to tell a wrong method from a wrong path. */
export class KnownRoutes {
  readonly #routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];

  /** @param url as Fastify has it: `/tenants/:tenant_id`, `/docs/*` */
  add(method: string | readonly string[], url: string): void {
    const segments = url.split('/').map((segment) => {
      if (segment.startsWith(':')) return '[^/]+';
      return segment === '*' ? '.*' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    });
    this.#routes.push({ pattern: new RegExp(`^${segments.join('/')}/?$`), methods: [method].flat() });
  }

  /** The methods that a path has, sorted; empty when no route has this path. */
  methodsOf(path: string): string[] {
    const found = this.#routes.filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => methods))].sort();
  }
}
