import { type FastifyRequest } from 'fastify';
import { isBelow } from './paths';

/**
 * The path without its query, which a mistaken caller may have put a key into.
 * @param url the request's target, which may be a whole URL (RFC 9112, 3.2.2)
 */
export function pathOf(url: string): string {
  const target = url.startsWith('/') ? url : url.replace(/^[a-z]+:\/\/[^/?#]*/i, '');
  return target.split('?', 1)[0] || '/';
}

/**
 * True when the request is for the prefix or below it. The matched pattern counts as well as the path, since the router
 * also matches percent-encoded spellings.
 */
export function isWithin(request: FastifyRequest, prefix: string): boolean {
  return [decoded(pathOf(request.url)), routePattern(request)].some((path) => isBelow(path, prefix));
}

/** The route's pattern; never the path, which may hold anything. A request that the router could not decode has no options. */
export function routePattern(request: FastifyRequest): string {
  return (request.routeOptions as FastifyRequest['routeOptions'] | undefined)?.url ?? '(no route)';
}

/** Whether a request asks for a change, and not only to look at something. */
export function asksForChange({ method }: FastifyRequest): boolean {
  return !['GET', 'HEAD'].includes(method);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
