import { type TestApp } from './app';

/**
 * Lists method and pattern of each route that Fastify serves, from its printed tree: Fastify has routes that Nest does not
 * know, and Nest has routes that are not documented.
 */
export function registeredRoutes({ nest }: TestApp): [string, string][] {
  const tree = nest.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
  const parts: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const match = /^([\s│]*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?/.exec(line);
    if (match === null) return [];
    const depth = match[1]!.length / 4;
    parts.splice(depth, Infinity, match[2]!);
    // The tree omits the slash before a wildcard.
    const path = parts.join('').replace(/([^/])\*$/, '$1/*');
    return (match[3] ?? '')
      .split(', ')
      .flatMap<[string, string]>((method) => (method ? [[method, path]] : []));
  });
}
