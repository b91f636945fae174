import { Injectable } from '@nestjs/common';
import { type Config, InjectConfig } from '#config';
import { type Route } from '#egress';
import { Problem } from '#http';
import { type Operation } from '#providers';
import { type Model } from '../catalogue/model';
import { type Adapter, globalCredential, makeRoute, targetOf } from './adapter';

/** Models without a litellm_model_name: global keys only, refused in strict mode unless the operator opted in. */
@Injectable()
export class LegacyAdapter implements Adapter {
  readonly name = 'legacy';

  constructor(@InjectConfig() private readonly config: Config) {}

  // eslint-disable-next-line @typescript-eslint/require-await -- an Adapter answers with a promise; a throw must too
  async route(tenantId: string, model: Model, operation: Operation): Promise<Route> {
    if (this.config.tenantCredentialsEnabled && !this.config.legacyModelsUseGlobalKeys) {
      throw new Problem('legacy_model_in_strict_mode', {
        detail: `${model.name} has no litellm_model_name, so it can only use global keys, and tenants use their own.`,
        hint: 'Add litellm_model_name to the model in ai_models.yml, or set LEGACY_MODELS_USE_GLOBAL_KEYS=true to let the global key pay.',
        param: 'model',
      });
    }
    const target = targetOf(model, operation);
    const found = globalCredential(this.config, tenantId, target.provider);
    const credential =
      typeof model.deployment_name === 'string'
        ? { ...found, settings: { ...found.settings, deployment_name: model.deployment_name } }
        : found;
    return makeRoute(this.name, this.config, model, target, credential, model.base_url);
  }
}
