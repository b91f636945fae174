import { Injectable } from '@nestjs/common';
import { type Config, InjectConfig } from '#config';
import { CredentialsService } from '#credentials';
import { type Route, type RouteCredential } from '#egress';
import { type Operation, type Provider } from '#providers';
import { type Model } from '../catalogue/model';
import { type Adapter, globalCredential, makeRoute, targetOf } from './adapter';

/** Serves models with a litellm_model_name. In strict mode it uses the tenant's own credential and no other. */
@Injectable()
export class LitellmAdapter implements Adapter {
  readonly name = 'litellm';

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly credentials: CredentialsService,
  ) {}

  async route(
    tenantId: string,
    model: Model,
    operation: Operation,
    credentialOf?: (provider: Provider) => RouteCredential,
  ): Promise<Route> {
    const target = targetOf(model, operation);
    const credential = this.config.tenantCredentialsEnabled
      ? (credentialOf?.(target.provider) ?? (await this.credentials.resolve(tenantId, target.provider)))
      : globalCredential(this.config, tenantId, target.provider);
    return makeRoute(this.name, this.config, model, target, credential);
  }
}
