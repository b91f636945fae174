import { Injectable } from '@nestjs/common';
import { type Config, InjectConfig } from '#config';
import { CredentialsService } from '#credentials';
import { type Route, type RouteCredential } from '#egress';
import { type Operation, type Provider } from '#providers';
import { type Tenant } from '#tenants';
import { type Model } from '../catalogue/model';
import { type Adapter, globalCredential, makeRoute, targetOf } from './adapter';
import { routeOf } from './tenant-policy';

/** Serves models with a litellm_model_name. In strict mode it uses the tenant's own credential and no other. */
@Injectable()
export class LitellmAdapter implements Adapter {
  readonly name = 'litellm';
  readonly #routes = new KnownRoutes();

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly credentials: CredentialsService,
  ) {}

  async route(
    tenant: Tenant,
    model: Model,
    operation: Operation,
    credentialOf?: (provider: Provider) => RouteCredential,
  ): Promise<Route> {
    const target = targetOf(tenant, model, operation);
    if (!this.config.tenantCredentialsEnabled) {
      const credential = globalCredential(this.config, tenant.id, target.provider);
      return makeRoute(this.name, this.config, model, target, credential);
    }
    const credential =
      credentialOf?.(target.provider) ?? (await this.credentials.resolve(tenant.id, target.provider));
    const route = this.#routes.of(credential, model, operation, () =>
      makeRoute(this.name, this.config, model, target, credential),
    );
    return routeOf(tenant, route);
  }
}

/**
 * The routes that were made from a credential that is still cached. A route says nothing that its credential, its model and the
 * settings do not say, and all three are frozen: another credential or a reloaded catalogue has other objects.
 */
class KnownRoutes {
  readonly #byCredential = new WeakMap<RouteCredential, WeakMap<Model, Map<Operation, Route>>>();

  of(credential: RouteCredential, model: Model, operation: Operation, make: () => Route): Route {
    let byModel = this.#byCredential.get(credential);
    if (byModel === undefined) {
      byModel = new WeakMap<Model, Map<Operation, Route>>();
      this.#byCredential.set(credential, byModel);
    }
    let byOperation = byModel.get(model);
    if (byOperation === undefined) byModel.set(model, (byOperation = new Map<Operation, Route>()));
    let route = byOperation.get(operation);
    if (route === undefined) byOperation.set(operation, (route = make()));
    return route;
  }
}
