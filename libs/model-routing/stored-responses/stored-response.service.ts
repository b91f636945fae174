import { Injectable, Logger } from '@nestjs/common';
import { CacheService } from '#cache';
import { type Config, InjectConfig } from '#config';
import { reasonOf } from '#database';
import { type Route } from '#egress';
import { TenantsService } from '#tenants';
import { CallService } from '../call/call.service';
import {
  type CallReceiver,
  DispatchService,
  type RunningCall,
  type ServeOptions,
} from '../call/dispatch.service';
import { heartbeatOf } from '../call/heartbeat';
import { relay } from '../call/relay';
import { safeNames } from '../request/safe-names';
import { parameterNotSupported, refuseOtherModels } from '../request/upstream-request';
import { type Model, modelOf, providerOfModel } from '../catalogue/model';
import { ModelCatalogue } from '../catalogue/model-catalogue';
import { type NamedId } from '../stored-objects/named-ids';
import { Recording } from '../stored-objects/recording';
import {
  objectNotFound,
  type OwnedResponse,
  StoredObjectsService,
} from '../stored-objects/stored-objects.service';
import { routeToResponse, type StoredResponseRequest } from './stored-response-request';

/** Serves what the Responses API offers for a response that the provider keeps. Only its owner reaches it. */
@Injectable()
export class StoredResponseService {
  readonly #log = new Logger('calls');

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly cache: CacheService,
    private readonly tenants: TenantsService,
    private readonly catalogue: ModelCatalogue,
    private readonly calls: CallService,
    private readonly dispatch: DispatchService,
    private readonly objects: StoredObjectsService,
  ) {}

  /** Makes a call about a stored response, and passes its response to the receiver as it arrives. */
  serve(
    tenantId: string,
    request: StoredResponseRequest,
    options: ServeOptions,
    receiver: CallReceiver,
  ): Promise<void> {
    const id = tenantId.toLowerCase();
    return this.dispatch.run(id, options, receiver, (call) => this.send(id, request, options, call));
  }

  private async send(
    tenantId: string,
    request: StoredResponseRequest,
    options: ServeOptions,
    { meter, clientOf, chargeAtEnd }: RunningCall,
  ): Promise<void> {
    await this.tenants.findActive(tenantId);
    const [owned] = await this.objects.ownedResponses(tenantId, request.id);
    if (owned === undefined) throw objectNotFound('response_id');
    await this.refuseForeignCursors(tenantId, owned, request);
    const find = async () => {
      await options.confirmKey?.();
      const tenant = await this.tenants.findActive(tenantId);
      refuseOtherModels(owned.model, options.allowedModels);
      options.onModel?.({ model: owned.model, provider: owned.provider });
      const model = this.modelOf(owned);
      return this.calls.adapterOf(model).route(tenant, model, 'responses');
    };
    // As for every call, nothing waits between this and the sending of the request.
    const found = await this.cache.lookUp(find);
    // The credential or the operator's base URL leads to another server now, where the id would mean nothing, or something else.
    if (found.host !== owned.host || found.upstreamOperation !== 'responses')
      throw objectNotFound('response_id');
    const route = routeToResponse(found, request);
    const dropped = safeNames(request.dropped);
    if (dropped.length > 0 && this.config.strictParams) throw parameterNotSupported(route, dropped);
    meter.leaveOutTokens(0);
    chargeAtEnd();
    meter.decided(route, () => 0);
    options.onDecision?.({ route, droppedParameters: dropped });
    const isDeletion = request.operation === 'responses/delete';
    const usage = { leaveOut: () => meter.leaveOutTokens(0), count: () => meter.countTokens() };
    const plan = {
      usage: meter.events,
      recording: isDeletion
        ? { whole: () => this.forget(route, request.id), events: () => undefined }
        : new Recording(this.objects, {
            operation: 'responses',
            owner: route,
            model: route.model,
            isStored: true,
            isFetched: true,
            usage,
          }),
      translation: undefined,
      hidesUsage: false,
      operation: route.upstreamOperation,
      heartbeat: heartbeatOf('responses', this.config.streamHeartbeatSeconds),
      model: route.model,
      request: {},
      label: route.provider.label,
      memory: options.memory,
    };
    this.dispatch.send(route, undefined, options, meter, relay(clientOf(route), plan));
  }

  /** A page of a list begins after or before an item, which an earlier page had. */
  private async refuseForeignCursors(
    tenantId: string,
    { provider, host }: OwnedResponse,
    { parameters }: StoredResponseRequest,
  ): Promise<void> {
    const named = parameters
      .filter(([name]) => name === 'after' || name === 'before')
      .map(([param, id]): NamedId => ({ kind: 'listed_item', id, param, hasContent: false }));
    if (named.length === 0) return;
    await this.objects.refuseForeign({ tenantId, provider: { id: provider }, host }, named);
  }

  /** The catalogue may have lost the model, or have it from another provider now. The response stays where it was made. */
  private modelOf({ model: name, provider }: OwnedResponse): Model {
    const { providers } = this.catalogue;
    const model = this.catalogue.get(name);
    if (model !== undefined && providerOfModel(model)?.provider.id === provider) return model;
    // A provider that the catalogue had declared.
    if (providers.find(provider) === undefined) throw objectNotFound('response_id');
    return modelOf(providers, { name, litellm_model_name: `${provider}/${name}` }, 'completion');
  }

  /** The provider has deleted it, so the client learns that, whether or not the record can be deleted too. */
  private async forget(route: Route, id: string): Promise<void> {
    await this.objects.forgetResponse(route, id).catch((error: unknown) => {
      this.#log.warn(`the record of a deleted response was not deleted: ${reasonOf(error)}`);
    });
  }
}
