import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type RefusedAttempts } from '#audit';
import { type Secret } from '#crypto';
import { changedBy, pathOf, sysadminPrefix, uuidPattern } from '#http';
import { findProvider } from '#providers';

/**
 * Hands a refused attempt to the audit once its connection is done with it: whoever had no valid key, and every change that
 * was asked for and refused. A refused look at something changes nothing and is in the log.
 * @param secrets of the process: none gets into the audit, wherever in a path it was put
 */
export function auditWhenRefused(
  attempts: () => RefusedAttempts,
  secrets: readonly Secret[],
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  reply.raw.once('close', () => {
    const { problem } = request;
    if (problem === undefined || problem.status >= 500) return;
    const route = (request.routeOptions as FastifyRequest['routeOptions'] | undefined)?.url ?? '';
    if (
      !`${route}/`.startsWith(`${sysadminPrefix}/`) &&
      !pathOf(request.url).startsWith(`${sysadminPrefix}/`)
    )
      return;
    const isChange = !['GET', 'HEAD'].includes(request.method);
    if (!isChange && problem.status !== 401 && problem.status !== 403) return;
    const { tenant_id: tenantId, provider } = (request.params ?? {}) as Record<string, string | undefined>;
    attempts().note(changedBy(request), {
      // The pattern and never the path, which may hold anything.
      action: `${request.method} ${route === '' ? '(no route)' : route}`,
      ...(isTenantId(tenantId, secrets) && { tenantId: tenantId.toLowerCase() }),
      ...(provider !== undefined && findProvider(provider) && { provider }),
      details: { status: problem.status, code: problem.code },
    });
  });
}

function isTenantId(text: string | undefined, secrets: readonly Secret[]): text is string {
  if (text === undefined || !uuidPattern.test(text)) return false;
  // A key may well have the form of an id.
  return !secrets.some((secret) => secret.expose().toLowerCase() === text.toLowerCase());
}
