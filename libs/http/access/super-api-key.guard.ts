import { Injectable } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { Authentication } from './authentication';
import { sysadminPrefix } from '../requests/paths';
import { type Declaration, type ScopedGrant } from './grants';
import { Problem } from '../problems/problem';

/**
 * Opens the sysadmin API for INTRIC_SUPER_API_KEY in X-API-Key, and for a scoped sysadmin key where the route declares one
 * of its scopes and is about one of its tenants.
 */
@Injectable()
export class SuperApiKeyGuard {
  constructor(private readonly authentication: Authentication) {}

  /** @throws Problem unauthenticated, forbidden */
  async admit(request: FastifyRequest, declaration: Declaration): Promise<void> {
    const grant = await this.authentication.sysadmin(request);
    if (grant.kind === 'scoped') refuseBeyond(grant, declaration, request);
  }
}

function refuseBeyond(
  grant: ScopedGrant,
  { scope, filtersTenants }: Declaration,
  request: FastifyRequest,
): void {
  if (scope === undefined) {
    throw new Problem('forbidden', {
      detail: 'Only the super key may do this; no scope opens it.',
      hint: 'Send the header X-API-Key with the value of INTRIC_SUPER_API_KEY.',
    });
  }
  if (!grant.scopes.includes(scope)) {
    throw new Problem('forbidden', {
      detail: `This key does not have the scope ${scope}.`,
      hint: `Use a key with ${scope}; the super key makes one with POST ${sysadminPrefix}/keys.`,
    });
  }
  if (grant.tenantIds === null || filtersTenants === true) return;
  const { tenant_id: tenantId } = (request.params ?? {}) as { tenant_id?: string };
  if (tenantId === undefined) {
    throw new Problem('forbidden', { detail: 'This key is for some tenants only, and this is about all.' });
  }
  if (!grant.tenantIds.includes(tenantId.toLowerCase())) {
    throw new Problem('forbidden', { detail: 'This key is for other tenants than this one.' });
  }
}
