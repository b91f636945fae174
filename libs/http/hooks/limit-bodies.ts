import { type onRouteHookHandler } from 'fastify';
import { platformPrefix } from '../requests/paths';

/** The largest body of a route outside of the platform API. */
export const sysadminBodyLimit = 1024 * 1024;

/** Gives each route of the platform API the limit that is configured for calls. */
export function limitPlatformBodies(maxBytes: number): onRouteHookHandler {
  return (route) => {
    if (route.url.startsWith(`${platformPrefix}/`)) route.bodyLimit = maxBytes;
  };
}
