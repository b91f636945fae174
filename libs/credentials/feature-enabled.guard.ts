import { type CanActivate, Injectable } from '@nestjs/common';
import { type Config, InjectConfig } from '#config';
import { Problem } from '#http';

/** In single-tenant mode there are no credential routes. Runs after authentication and before everything else. */
@Injectable()
export class FeatureEnabledGuard implements CanActivate {
  constructor(@InjectConfig() private readonly config: Config) {}

  canActivate(): boolean {
    if (this.config.tenantCredentialsEnabled) return true;
    throw new Problem('feature_disabled', {
      detail: 'All tenants use the global keys; tenant credentials are switched off.',
      hint: 'Set TENANT_CREDENTIALS_ENABLED=true and an ENCRYPTION_KEY, and restart.',
    });
  }
}
