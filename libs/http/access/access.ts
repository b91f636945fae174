import {
  applyDecorators,
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  SetMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiExtension } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Authentication } from './authentication';
import { type Audience, type Declaration, type Scope, type SysadminGrant } from './grants';
import { unauthenticatedSysadmin } from './keys';
import { Problem } from '../problems/problem';
import { sendProblem } from '../problems/problem.filter';
import { platformPrefix, sysadminPrefix } from '../requests/paths';
import { isWithin } from '../requests/request-target';
import { PlatformKeyGuard } from './platform-key.guard';
import { SuperApiKeyGuard } from './super-api-key.guard';

const declarationKey = 'tenkey:access';

/**
 * Declares who may call a route or a whole controller; that of a route replaces its controller's. A route without any is
 * refused, and a sysadmin route without a scope is for the super key alone.
 */
export function Access(
  audience: Audience,
  scope?: Scope,
  options: Pick<Declaration, 'filtersTenants'> = {},
): MethodDecorator & ClassDecorator {
  const declaration: Declaration = { audience, scope, ...options };
  const declare = SetMetadata(declarationKey, declaration);
  return scope === undefined ? declare : applyDecorators(declare, ApiExtension('x-tenkey-scope', scope));
}

/** What the asking sysadmin key may do, as a parameter of a route's method. */
export const Grant = createParamDecorator((_: unknown, context: ExecutionContext): SysadminGrant => {
  const { sysadminGrant } = context.switchToHttp().getRequest<FastifyRequest>();
  if (sysadminGrant === undefined) throw unauthenticatedSysadmin();
  return sysadminGrant;
});

/** Default deny: the declared audience decides which guard judges; no declaration, no access. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly superApiKeyGuard: SuperApiKeyGuard,
    private readonly platformKeyGuard: PlatformKeyGuard,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const declaration = this.reflector.getAllAndOverride<Declaration | undefined>(declarationKey, [
      context.getHandler(),
      context.getClass(),
    ]);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    switch (declaration?.audience) {
      case 'public':
        return true;
      case 'sysadmin':
        await this.superApiKeyGuard.admit(request, declaration);
        return true;
      case 'platform':
        await this.platformKeyGuard.admit(request);
        return true;
      case undefined:
        throw new Problem('forbidden', { cause: new Error('a route without @Access was called') });
    }
  }
}

/** The same question as early as Fastify allows: before the body is read, before a route is known to exist. */
export function authenticateEarly(authentication: () => Authentication) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const ask = async () => {
      if (isWithin(request, sysadminPrefix)) await authentication().sysadmin(request);
      if (isWithin(request, platformPrefix)) await authentication().platform(request);
    };
    ask().then(
      () => done(),
      (error: unknown) => sendProblem(request, reply, error),
    );
  };
}
