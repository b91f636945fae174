import { Injectable } from '@nestjs/common';
import { type Config, InjectConfig } from '#config';
import { type Route } from '#egress';
import { Problem } from '#http';
import { cutEndpoint, type Operation } from '#providers';
import { type Tenant } from '#tenants';
import { type Model } from '../catalogue/model';
import { type Adapter, globalCredential, makeRoute, targetOf } from './adapter';

/** Serves models without a litellm_model_name, by global keys only. In strict mode it refuses them unless the operator opts in. */
@Injectable()
export class LegacyAdapter implements Adapter {
  readonly name = 'legacy';

  constructor(@InjectConfig() private readonly config: Config) {}

  // eslint-disable-next-line @typescript-eslint/require-await -- an error must reject the promise of the interface
  async route(tenant: Tenant, model: Model, operation: Operation): Promise<Route> {
    if (this.config.tenantCredentialsEnabled && !this.config.legacyModelsUseGlobalKeys) {
      throw new Problem('legacy_model_in_strict_mode', {
        detail: `${model.name} has no litellm_model_name, so it can use only a global key, and in strict mode tenants use their own keys.`,
        hint: 'Add litellm_model_name to the model in ai_models.yml, or set LEGACY_MODELS_USE_GLOBAL_KEYS=true to let the global key pay.',
        param: 'model',
      });
    }
    const target = targetOf(tenant, model, operation);
    const credential = globalCredential(this.config, tenant.id, target.provider);
    const baseUrl =
      model.base_url && (cutEndpoint(model.base_url, target.provider)?.endpoint ?? model.base_url);
    return makeRoute(this.name, this.config, model, target, credential, baseUrl);
  }
}
