import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { uuidPattern } from '../fields/validation';
import { Problem } from '../problems/problem';
import { Authentication } from './authentication';
import { type PlatformGrant, type TenantGrant } from './grants';

/**
 * Opens /v1 for a tenant key, on behalf of its tenant, and for PLATFORM_API_KEY in X-API-Key, on behalf of the tenant in
 * X-Tenant-ID.
 */
@Injectable()
export class PlatformKeyGuard implements CanActivate {
  constructor(private readonly authentication: Authentication) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    request.tenkey.admittedBy(this);
    return this.admit(request)?.then(() => true) ?? true;
  }

  /**
   * Looks the key up again, unless the result of its last look-up is still valid.
   * @returns undefined when nothing had to be looked up
   * @throws Problem unauthenticated, rate_limited, forbidden, malformed_request
   */
  admit(request: FastifyRequest): Promise<void> | undefined {
    const grant = this.authentication.platform(request);
    if (grant instanceof Promise) return grant.then((found) => checkTenant(found, request));
    checkTenant(grant, request);
    return undefined;
  }
}

/** Only the key decides which tenant a call is for, except for the platform key. */
function checkTenant(grant: PlatformGrant, request: FastifyRequest): void {
  const tenantId = request.headers['x-tenant-id'];
  if (grant.kind === 'tenant') return refuseAnotherTenant(grant, tenantId);
  if (typeof tenantId !== 'string' || !uuidPattern.test(tenantId)) {
    throw new Problem('malformed_request', {
      detail: 'The header X-Tenant-ID is missing or is not a UUID.',
      hint: 'Send X-Tenant-ID with the id of the tenant that the call is for.',
    });
  }
  request.tenkey.nameTenant(tenantId.toLowerCase());
}

/** A header that names another tenant is a mistake that must not go unnoticed. */
function refuseAnotherTenant(grant: TenantGrant, tenantId: unknown): void {
  if (tenantId === undefined || tenantId === '') return;
  if (typeof tenantId === 'string' && tenantId.toLowerCase() === grant.tenantId) return;
  throw new Problem('forbidden', {
    detail: 'X-Tenant-ID does not name the tenant that this key belongs to.',
    hint: 'Leave X-Tenant-ID out: the key decides which tenant the call is for.',
  });
}
