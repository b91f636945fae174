/**
 * The hooks of the HTTP server, the aliases of its routes, the header that one of the hooks adds, and the decoder that another one
 * uses. apps/api installs the hooks and decides their order.
 */
export { rewriteUrl } from '../requests/aliases';
export { authenticate } from './authenticate';
export { beginRequest } from './begin-request';
export { BodyMemory } from '../bodies/body-memory';
export { Decoder } from '../bodies/decoder';
export { BodyReader } from '../bodies/read-bodies';
export { refuseForms } from './refuse-forms';
export { refuseUnknownRoutes } from './refuse-unknown-routes';
export { refuseWhileStarting } from './refuse-while-starting';
export { reportStreamFaults } from './report-stream-faults';
export { requireHost } from './require-host';
export { RouteMethods } from './route-methods';
export { RunningRequests } from './running-requests';
export { inForceHeader, showInForce } from './show-in-force';
export { refuseUnreadableBytes, refuseUnreadablePath } from './unreadable-requests';
