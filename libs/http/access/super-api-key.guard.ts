import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem';
import { sysadminPrefix } from '../requests/paths';
import { declarationOf } from './access';
import { Authentication } from './authentication';

/**
 * Opens the sysadmin API for INTRIC_SUPER_API_KEY in X-API-Key. It also admits a scoped sysadmin key where the route declares
 * one of the key's scopes and is about one of its tenants, or declares that any key opens it. A session is admitted as its key is.
 */
@Injectable()
export class SuperApiKeyGuard implements CanActivate {
  constructor(private readonly authentication: Authentication) {}

  /** @throws Problem unauthenticated, forbidden */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const grant = await this.authentication.sysadmin(request);
    if (grant.kind === 'super') return true;
    const { scopes = [], filtersTenants } = declarationOf(context) ?? {};
    if (scopes.includes('any')) return true;
    if (scopes.length === 0) {
      throw new Problem('forbidden', {
        detail: 'Only the super key may do this; no scope opens it.',
        hint: 'Send the header X-API-Key with the value of INTRIC_SUPER_API_KEY.',
      });
    }
    if (!grant.scopes.some((scope) => scopes.includes(scope))) {
      const needed = scopes.join(' or ');
      throw new Problem('forbidden', {
        detail: `This key does not have the scope ${needed}.`,
        hint: `Use a key with ${needed}; the super key creates one with POST ${sysadminPrefix}/keys.`,
      });
    }
    if (grant.tenantIds !== null && filtersTenants !== true) refuseOtherTenants(grant.tenantIds, request);
    return true;
  }
}

function refuseOtherTenants(tenantIds: readonly string[], request: FastifyRequest): void {
  const { tenant_id: tenantId } = (request.params ?? {}) as { tenant_id?: string };
  if (tenantId === undefined) {
    throw new Problem('forbidden', {
      detail: 'This key is limited to some tenants, and this route covers all tenants.',
    });
  }
  if (!tenantIds.includes(tenantId.toLowerCase())) {
    throw new Problem('forbidden', { detail: 'This key is limited to other tenants.' });
  }
}
