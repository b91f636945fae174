import { type FastifyRequest } from 'fastify';
import { isSessionToken, keyNameOf } from '#issued-keys';
import { type RefusedAttemptsService } from '#audit';
import { type Secret } from '#crypto';
import { type Problem, sessionTokenOf, sysadminPrefix, uuidPattern } from '#http';
import { type ProviderRegistry } from '#providers';

/**
 * Hands refused attempts to the audit: every request without a valid key, and every change that was refused, even when the client
 * has disconnected. A request that only reads and is refused for another reason changes nothing, and the log names it. Neither does
 * one that reads with a session that has ended: a browser that was left open sends it, day after day, and it is no guess of a key.
 * @param attempts is called once requests arrive
 * @param providers of the catalogue in force
 * @param secrets of the process: none gets into the audit, wherever in a path a client put it
 */
export function auditRefused(
  attempts: () => RefusedAttemptsService,
  providers: ProviderRegistry,
  secrets: readonly Secret[],
) {
  return (request: FastifyRequest, { status, code }: Problem): void => {
    const { tenkey } = request;
    if (status >= 500 || !tenkey.isWithin(sysadminPrefix)) return;
    if (!tenkey.isChange && status !== 401 && status !== 403) return;
    const token = sessionTokenOf(request);
    const presented = token === undefined ? tenkey.presentedKeys : [...tenkey.presentedKeys, token];
    const isEndedSession = status === 401 && presented.length === 1 && isSessionToken(token);
    if (isEndedSession && !tenkey.isChange) return;
    const { tenant_id: tenantId, provider } = (request.params ?? {}) as Record<string, string | undefined>;
    attempts().note(
      { ...tenkey.changedBy, ...(tenkey.actor === undefined && { actor: strangerOf(presented) }) },
      {
        action: `${request.method} ${tenkey.route}`,
        ...(isTenantId(tenantId, secrets) && { tenantId: tenantId.toLowerCase() }),
        ...(provider !== undefined && providers.find(provider) && { provider }),
        details: { status, code },
      },
    );
  };
}

function isTenantId(text: string | undefined, secrets: readonly Secret[]): text is string {
  if (text === undefined || !uuidPattern.test(text)) return false;
  // A key may have the form of an id.
  return !secrets.some((secret) => secret.expose().toLowerCase() === text.toLowerCase());
}

/**
 * Names a key that was revoked, has expired or opens the other API, and a session that has ended, as far as its text says which it is;
 * never its secret.
 */
function strangerOf(presentedKeys: readonly string[]): string {
  const named = presentedKeys.map(keyNameOf).find((key) => key !== undefined);
  return named === undefined ? 'nobody' : `${named} (not accepted)`;
}
