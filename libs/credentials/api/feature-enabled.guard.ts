import { type CanActivate, Injectable } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Config, InjectConfig } from '#config';
import { credentialsPath, Problem, tenantPath } from '#http';

/** As patterns of the router. */
const credentialRoutes = [`${tenantPath(':tenant_id')}/credentials`, credentialsPath];

/** Turns the credential routes off in single-tenant mode. Runs after authentication and before everything else. */
@Injectable()
export class FeatureEnabledGuard implements CanActivate {
  constructor(@InjectConfig() private readonly config: Config) {}

  canActivate(): boolean {
    if (this.config.tenantCredentialsEnabled) return true;
    throw featureDisabled();
  }
}

/** Refuses before the body is read, since a body that is too large or of a wrong type is refused before any guard runs. */
export function refuseDisabled({ tenantCredentialsEnabled }: Config) {
  return (request: FastifyRequest, _reply: FastifyReply, done: (problem?: Problem) => void): void => {
    const isRefused =
      !tenantCredentialsEnabled && credentialRoutes.some((route) => request.tenkey.isWithin(route));
    done(isRefused ? featureDisabled() : undefined);
  };
}

function featureDisabled(): Problem {
  return new Problem('feature_disabled', {
    detail: 'All tenants use the global keys; tenant credentials are switched off.',
    hint: 'Set TENANT_CREDENTIALS_ENABLED=true and an ENCRYPTION_KEY, and restart.',
  });
}
