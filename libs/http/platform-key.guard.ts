import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { type Config, InjectConfig } from '#config';
import { isOneOf, unauthenticatedPlatform } from './keys';
import { Problem } from './problem';
import { uuidPattern } from './validation';

/**
 * Opens /v1 for PLATFORM_API_KEY in X-API-Key, on behalf of the tenant in X-Tenant-ID. An Authorization header beside
 * it is ignored: the openai client always sends one.
 */
@Injectable()
export class PlatformKeyGuard implements CanActivate {
  constructor(@InjectConfig() private readonly config: Config) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (!isOneOf(request.headers['x-api-key'], this.config.platformApiKeys)) throw unauthenticatedPlatform();
    const tenantId = request.headers['x-tenant-id'];
    if (typeof tenantId !== 'string' || !uuidPattern.test(tenantId)) {
      throw new Problem('malformed_request', {
        detail: 'The header X-Tenant-ID is missing or is not a UUID.',
        hint: 'Send X-Tenant-ID with the id of the tenant that the call is for.',
      });
    }
    request.tenantId = tenantId.toLowerCase();
    return true;
  }
}
