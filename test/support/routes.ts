import { type TestApp } from './app';

/**
 * Method and pattern of each route that Fastify serves, by its own drawing of its tree: not all that it serves is a route of
 * Nest, and not every route of Nest is documented.
 */
export function registeredRoutes({ nest }: TestApp): [string, string][] {
  const tree = nest.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
  const parts: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const match = /^([\s│]*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?/.exec(line);
    if (match === null) return [];
    const depth = match[1]!.length / 4;
    parts.splice(depth, Infinity, match[2]!);
    // A wildcard's own slash is not drawn.
    const path = parts.join('').replace(/([^/])\*$/, '$1/*');
    return (match[3] ?? '')
      .split(', ')
      .flatMap<[string, string]>((method) => (method ? [[method, path]] : []));
  });
}
