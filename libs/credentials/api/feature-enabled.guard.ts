import { type CanActivate, Injectable } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Config, InjectConfig } from '#config';
import { isWithin, Problem, sendProblem, tenantPath } from '#http';

/** As a pattern of the router. */
const credentialRoutes = `${tenantPath(':tenant_id')}/credentials`;

/** Turns the credential routes off in single-tenant mode. Runs after authentication and before everything else. */
@Injectable()
export class FeatureEnabledGuard implements CanActivate {
  constructor(@InjectConfig() private readonly config: Config) {}

  canActivate(): boolean {
    if (this.config.tenantCredentialsEnabled) return true;
    throw featureDisabled();
  }
}

/** Sends the same response before the body is read, since a body that is too large or of a wrong type is refused before any guard runs. */
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
