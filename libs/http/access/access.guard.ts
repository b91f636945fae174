import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Problem } from '../problems/problem';
import { declarationOf } from './access';
import { PlatformKeyGuard } from './platform-key.guard';
import { SuperApiKeyGuard } from './super-api-key.guard';

/** Default deny: the audience that a route declares selects the guard, and a route without @Access is refused. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly superApiKeyGuard: SuperApiKeyGuard,
    private readonly platformKeyGuard: PlatformKeyGuard,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    switch (declarationOf(context)?.audience) {
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
