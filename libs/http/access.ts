import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Secret } from '#crypto';
import { fingerprintOf, isOneOf, unauthenticatedPlatform, unauthenticatedSysadmin } from './keys';
import { Problem } from './problem';
import { pathOf, sendProblem } from './problem.filter';
import { isBelow, platformPrefix, sysadminPrefix } from './render';
import { PlatformKeyGuard } from './platform-key.guard';
import { SuperApiKeyGuard } from './super-api-key.guard';

/** Who may call a route. */
export type Audience = 'sysadmin' | 'platform' | 'public';

const audienceKey = 'tenkey:access';

/** Declares who may call a route or a whole controller. A route without it is refused. */
export const Access = (audience: Audience): MethodDecorator & ClassDecorator =>
  SetMetadata(audienceKey, audience);

/** Default deny: the declared audience decides which guard judges; no declaration, no access. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly superApiKeyGuard: SuperApiKeyGuard,
    private readonly platformKeyGuard: PlatformKeyGuard,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const audience = this.reflector.getAllAndOverride<Audience | undefined>(audienceKey, [
      context.getHandler(),
      context.getClass(),
    ]);
    switch (audience) {
      case 'public':
        return true;
      case 'sysadmin':
        return this.superApiKeyGuard.canActivate(context);
      case 'platform':
        return this.platformKeyGuard.canActivate(context);
      case undefined:
        throw new Problem('forbidden', { cause: new Error('a route without @Access was called') });
    }
  }
}

/**
 * The same check as early as Fastify allows: before the body is read, before a route is known to exist. The matched
 * pattern counts as well as the path, since the router also matches percent-encoded spellings.
 */
export function authenticateEarly(superKeys: readonly Secret[], platformKeys: readonly Secret[]) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const paths = [decoded(pathOf(request.url)), matched(request)];
    const isWithin = (prefix: string) => paths.some((path) => isBelow(path, prefix));
    const presented = request.headers['x-api-key'];
    if (isWithin(sysadminPrefix) && !isOneOf(presented, superKeys)) {
      sendProblem(request, reply, unauthenticatedSysadmin());
    } else if (isWithin(platformPrefix) && !isOneOf(presented, platformKeys)) {
      sendProblem(request, reply, unauthenticatedPlatform());
    } else {
      if (isWithin(sysadminPrefix)) request.actor = `super-key ${fingerprintOf(String(presented))}`;
      done();
    }
  };
}

/** A request that the router could not decode has no route options. */
function matched(request: FastifyRequest): string {
  return (request.routeOptions as FastifyRequest['routeOptions'] | undefined)?.url ?? '';
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
