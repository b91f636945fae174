import { Injectable } from '@nestjs/common';
import { CacheService } from '#cache';
import { type Config, InjectConfig } from '#config';
import { type Route } from '#egress';
import { correctionOf, type Operation, serviceOf } from '#providers';
import { TenantsService } from '#tenants';
import { LegacyAdapter } from '../adapters/legacy.adapter';
import { LitellmAdapter } from '../adapters/litellm.adapter';
import { isBoundToModels } from '../adapters/tenant-policy';
import { type Model, providerOfModel } from '../catalogue/model';
import { ModelCatalogue } from '../catalogue/model-catalogue';
import { type CallReceiver, DispatchService, type RunningCall, type ServeOptions } from './dispatch.service';
import { refuseFurtherModels } from '../request/further-models';
import { heartbeatOf } from './heartbeat';
import { JsonRequest } from '../request/json-request';
import { MultipartForm } from '../request/multipart-form';
import { ObjectsOfCallsService } from './objects-of-calls.service';
import { relay } from './relay';
import { encodedForm, encodedJson, modelNameOf, refuseOtherModels } from '../request/upstream-request';

/** Serves one call from the request to the last byte of the response: it finds the one credential that pays, and sends the call. */
@Injectable()
export class CallService {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly cache: CacheService,
    private readonly tenants: TenantsService,
    private readonly catalogue: ModelCatalogue,
    private readonly litellm: LitellmAdapter,
    private readonly legacy: LegacyAdapter,
    private readonly dispatch: DispatchService,
    private readonly objects: ObjectsOfCallsService,
  ) {}

  /**
   * Makes a call, and passes its response to the receiver as it arrives.
   * @param request the request as JSON bytes or as a form; its `model` is a name in ai_models.yml, unless `options` has one
   */
  serve(
    tenantId: string,
    operation: Operation,
    request: Buffer | MultipartForm,
    options: ServeOptions,
    receiver: CallReceiver,
  ): Promise<void> {
    const id = tenantId.toLowerCase();
    return this.dispatch.run(id, options, receiver, (call) =>
      this.send(id, operation, request, options, call),
    );
  }

  /** Finds the route and sends the request. Resolves when it was sent. */
  private async send(
    tenantId: string,
    operation: Operation,
    request: Buffer | MultipartForm,
    options: ServeOptions,
    { meter, reserve, clientOf }: RunningCall,
  ): Promise<void> {
    const json = request instanceof MultipartForm ? undefined : await JsonRequest.read(request);
    let isBound = options.allowedModels !== undefined;
    const find = async () => {
      await options.confirmKey?.();
      const tenant = await this.tenants.findActive(tenantId);
      isBound = options.allowedModels !== undefined || isBoundToModels(tenant);
      const name = modelNameOf(
        options.model ?? (json ? json.text('model') : (request as MultipartForm).model),
      );
      refuseOtherModels(name, options.allowedModels);
      const model = this.catalogue.find(name);
      options.onModel?.({ model: model.name, provider: providerOfModel(model)?.provider.id });
      return this.adapterOf(model).route(tenant, model, operation);
    };
    let route = await this.cache.lookUp(find);
    // Counting tokens uses none.
    const isCount = route.upstreamOperation === 'messages/count_tokens';
    // The database is asked and read between two look-ups, so that the last one stays the last.
    const reserving = isCount ? undefined : reserve(json && (() => json.tree));
    if (reserving !== undefined) {
      await reserving;
      route = await this.cache.lookUp(find);
    }
    while (json !== undefined && this.objects.concern(route, json)) {
      const checked = route;
      await this.objects.check(checked, json);
      route = await this.cache.lookUp(find);
      if (isSameAccount(route, checked)) break;
    }
    // Nothing waits between this and the sending of the request, so key, tenant and credential are valid together when it is sent.
    if (isBound) refuseFurtherModels(json, options.headers);
    const translation = serviceOf(route.provider, operation)?.translation;
    const encoded =
      json === undefined
        ? encodedForm(route, request as MultipartForm, this.config, isBound)
        : encodedJson(route, json, translation, this.config, options.model !== undefined);
    if (request instanceof MultipartForm) meter.decided(route, () => request.receivedBytes);
    else meter.decided(route, bytesOf(request.length));
    options.onDecision?.({ route, droppedParameters: encoded.dropped });
    const plan = {
      usage: meter.events,
      recording: json && this.objects.recordingOf(route, json, meter),
      translation,
      correction:
        translation === undefined && json !== undefined
          ? correctionOf(route.provider, operation, json)
          : undefined,
      hidesUsage: encoded.hasAddedUsageOption,
      operation: route.upstreamOperation,
      heartbeat: heartbeatOf(operation, this.config.streamHeartbeatSeconds),
      model: route.model,
      request: encoded.forResponse,
      label: route.provider.label,
      memory: options.memory,
    };
    this.dispatch.send(route, encoded.body, options, meter, relay(clientOf(route), plan));
  }

  adapterOf(model: Model): LitellmAdapter | LegacyAdapter {
    return model.litellm_model_name ? this.litellm : this.legacy;
  }
}

/** A function of its own, because a closure in `send` would keep the whole request. */
const bytesOf = (length: number) => () => length;

/** Whether an id means the same object on both routes. */
function isSameAccount(a: Route, b: Route): boolean {
  return a.tenantId === b.tenantId && a.provider === b.provider && a.host === b.host;
}
