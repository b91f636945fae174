import { type CanActivate, Injectable } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Config, InjectConfig } from '#config';
import { Problem, tenantPath } from '#http';

/** As the router writes it. */
const credentialRoutes = `${tenantPath(':tenant_id')}/credentials`;

/** In single-tenant mode there are no credential routes. Runs after authentication and before everything else. */
@Injectable()
export class FeatureEnabledGuard implements CanActivate {
  constructor(@InjectConfig() private readonly config: Config) {}

  canActivate(): boolean {
    if (this.config.tenantCredentialsEnabled) return true;
    throw featureDisabled();
  }
}

/** The same as a hook, since a body of a wrong type or size would be refused ahead of any guard. */
export function refuseDisabled({ tenantCredentialsEnabled }: Config) {
  return (request: FastifyRequest, _reply: FastifyReply, done: (problem?: Problem) => void): void => {
    const isRefused = !tenantCredentialsEnabled && request.tenkey.isWithin(credentialRoutes);
    done(isRefused ? featureDisabled() : undefined);
  };
}

function featureDisabled(): Problem {
  return new Problem('feature_disabled', {
    detail: 'All tenants use the global keys; tenant credentials are switched off.',
    hint: 'Set TENANT_CREDENTIALS_ENABLED=true and an ENCRYPTION_KEY, and restart.',
  });
}
