import { type FastifyRequest } from 'fastify';
import { keyNameOf } from '#issued-keys';
import { type RefusedAttemptsService } from '#audit';
import { type Secret } from '#crypto';
import {
  asksForChange,
  bearerOf,
  changedBy,
  isWithin,
  routePattern,
  sysadminPrefix,
  uuidPattern,
} from '#http';
import { findProvider } from '#providers';

/**
 * Hands a refused attempt to the audit: whoever had no valid key, and every change that was asked for and refused, also when
 * nobody waits for the answer any more. A refused look at something changes nothing and is in the log.
 * @param secrets of the process: none gets into the audit, wherever in a path it was put
 */
export function auditWhenRefused(
  attempts: () => RefusedAttemptsService,
  secrets: readonly Secret[],
  request: FastifyRequest,
): void {
  request.onProblem = (problem) => {
    if (problem.status >= 500 || !isWithin(request, sysadminPrefix)) return;
    if (!asksForChange(request) && problem.status !== 401 && problem.status !== 403) return;
    const { tenant_id: tenantId, provider } = (request.params ?? {}) as Record<string, string | undefined>;
    attempts().note(
      { ...changedBy(request), ...(request.actor === undefined && { actor: strangerOf(request) }) },
      {
        action: `${request.method} ${routePattern(request)}`,
        ...(isTenantId(tenantId, secrets) && { tenantId: tenantId.toLowerCase() }),
        ...(provider !== undefined && findProvider(provider) && { provider }),
        details: { status: problem.status, code: problem.code },
      },
    );
  };
}

function isTenantId(text: string | undefined, secrets: readonly Secret[]): text is string {
  if (text === undefined || !uuidPattern.test(text)) return false;
  // A key may well have the form of an id.
  return !secrets.some((secret) => secret.expose().toLowerCase() === text.toLowerCase());
}

/** A key that was revoked, has expired or is of the other API, as far as its text says which; never its secret. */
function strangerOf({ headers }: FastifyRequest): string {
  for (const presented of [headers['x-api-key'], bearerOf(headers.authorization)]) {
    const key = typeof presented === 'string' ? keyNameOf(presented) : undefined;
    if (key !== undefined) return `${key} (not accepted)`;
  }
  return 'nobody';
}
