import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { type Config, InjectConfig } from '#config';
import { isOneOf, unauthenticatedSysadmin } from './keys';

/** Opens the sysadmin API for INTRIC_SUPER_API_KEY in X-API-Key; several comma-separated keys let it be rolled. */
@Injectable()
export class SuperApiKeyGuard implements CanActivate {
  constructor(@InjectConfig() private readonly config: Config) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (isOneOf(request.headers['x-api-key'], this.config.superApiKeys)) return true;
    throw unauthenticatedSysadmin();
  }
}
