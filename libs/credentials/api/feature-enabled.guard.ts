import { type CanActivate, Injectable } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Config, InjectConfig } from '#config';
import { isWithin, Problem, sendProblem, sysadminPrefix } from '#http';

/** As the router has it. */
const credentialRoutes = `${sysadminPrefix}/tenants/:tenant_id/credentials`;

/** In single-tenant mode there are no credential routes. Runs after authentication and before everything else. */
@Injectable()
export class FeatureEnabledGuard implements CanActivate {
  constructor(@InjectConfig() private readonly config: Config) {}

  canActivate(): boolean {
    if (this.config.tenantCredentialsEnabled) return true;
    throw featureDisabled();
  }
}

/** The same answer before the body is read: one of another type or too large is refused ahead of any guard. */
export function refuseDisabledEarly({ tenantCredentialsEnabled }: Config) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    if (tenantCredentialsEnabled || !isWithin(request, credentialRoutes)) return done();
    sendProblem(request, reply, featureDisabled());
  };
}

function featureDisabled(): Problem {
  return new Problem('feature_disabled', {
    detail: 'All tenants use the global keys; tenant credentials are switched off.',
    hint: 'Set TENANT_CREDENTIALS_ENABLED=true and an ENCRYPTION_KEY, and restart.',
  });
}
