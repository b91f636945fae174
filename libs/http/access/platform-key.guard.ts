import { Injectable } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { Authentication } from './authentication';
import { type TenantGrant } from './grants';
import { Problem } from '../problems/problem';
import { uuidPattern } from '../fields/body-fields';

/**
 * Opens /v1 for a tenant key, on behalf of its tenant alone, and for PLATFORM_API_KEY in X-API-Key, on behalf of the
 * tenant in X-Tenant-ID.
 */
@Injectable()
export class PlatformKeyGuard {
  constructor(private readonly authentication: Authentication) {}

  /** @throws Problem unauthenticated, rate_limited, forbidden, malformed_request */
  async admit(request: FastifyRequest): Promise<void> {
    const grant = await this.authentication.platform(request);
    request.stillGranted = () => this.admit(request);
    const named = request.headers['x-tenant-id'];
    if (grant.kind === 'tenant') {
      refuseAnotherTenant(grant, named);
      request.tenantId = grant.tenantId;
      request.allowedModels = grant.allowedModels ?? undefined;
      request.tokensPerMinute = grant.tokensPerMinute ?? undefined;
      return;
    }
    if (typeof named !== 'string' || !uuidPattern.test(named)) {
      throw new Problem('malformed_request', {
        detail: 'The header X-Tenant-ID is missing or is not a UUID.',
        hint: 'Send X-Tenant-ID with the id of the tenant that the call is for.',
      });
    }
    request.tenantId = named.toLowerCase();
  }
}

/** The key alone says whose call it is. A header that says otherwise is a mistake that must not go unnoticed. */
function refuseAnotherTenant({ tenantId }: TenantGrant, named: unknown): void {
  if (named === undefined || named === '') return;
  if (typeof named === 'string' && named.toLowerCase() === tenantId) return;
  throw new Problem('forbidden', {
    detail: 'This tenant key is of another tenant than X-Tenant-ID names.',
    hint: 'Leave out X-Tenant-ID: the key says whose call it is.',
  });
}
