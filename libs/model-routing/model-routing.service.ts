import { randomUUID } from 'node:crypto';
import { type IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { type Config, InjectConfig } from '#config';
import { CredentialsService, PassiveHealthService } from '#credentials';
import {
  EgressService,
  isEventStream,
  type Route,
  type RouteCredential,
  SseRelay,
  type UpstreamResponse,
} from '#egress';
import { Problem, uuidPattern } from '#http';
import { type Json, type Operation, type Provider, serviceOf } from '#providers';
import { TenantsService } from '#tenants';
import { CallMeter, ReceiptsService, UsageLogService, type UsageRecord } from '#usage';
import { type Model, operationsOfKind, providerOfModel } from './catalogue/model';
import { ModelCatalogue } from './catalogue/model-catalogue';
import { LegacyAdapter } from './adapters/legacy.adapter';
import { LitellmAdapter } from './adapters/litellm.adapter';
import { MultipartForm } from './call/multipart-form';
import { estimatedTokens, usedTokens } from './call/token-estimate';
import { translatedAnswer } from './call/translated-answer';
import { withoutUnaskedUsage } from './call/unasked-usage';
import { encodedForm, encodedJson, modelNameOf, parseRequest } from './call/upstream-request';

/**
 * An answer on its way: the Route that it came by, and its bytes in the client's format, of an event stream in whole events.
 * Read or destroy its body. An error of it is a Problem, also where the provider reported it inside the stream, or ClientDisconnected;
 * everything before it was read by then.
 */
export interface RoutedAnswer extends Omit<UpstreamResponse, 'problemOfErrorEvent'> {
  readonly route: Route;
  /** Proof of whose credential served the call; undefined without an encryption key. */
  readonly receipt?: string;
}

/** What was decided before anything is sent. */
export interface Decision {
  readonly route: Route;
  /** Parameters of the request that the provider does not have and that are left out; of a form, those that came yet. */
  readonly droppedParameters: readonly string[];
}

export interface CallOptions {
  /** Aborts the upstream call. */
  readonly signal: AbortSignal;
  /** A UUID of this call alone, for its usage record; absent: a new one. */
  readonly requestId?: string;
  /** Of the tenant key that asks; absent: none. */
  readonly tenantKeyId?: string;
  /** The models that the caller may use; absent: all. */
  readonly allowedModels?: readonly string[];
  /** Counts the tokens of the call: an estimate before anything is sent, the actual number when it is over. */
  readonly tokens?: {
    /**
     * Told the actual number from an event of a stream, where `settle` must not throw.
     * @throws Problem rate_limited
     */
    reserve(estimate: number): { settle(actual: number | undefined): void };
  };
  /** The client's headers; a provider's file may let some through. */
  readonly headers?: IncomingHttpHeaders;
  /** Told of the model that was asked for, for log lines of calls that get no further. */
  readonly onModel?: (found: { readonly model: string; readonly provider?: string }) => void;
  /** Told before anything is sent, for headers, and log lines of failed calls. */
  readonly onDecision?: (decision: Decision) => void;
}

/** What measures a call while it is made. */
interface RunningCall {
  readonly meter: CallMeter;
  /**
   * @param request undefined: a form
   * @throws Problem rate_limited
   */
  readonly reserve: (request: Json | undefined) => void;
}

/** A model of the catalogue as a tenant may use it. */
export interface ListedModel {
  readonly model: Model;
  readonly provider?: string;
  readonly adapter: Route['adapter'];
  readonly isReady: boolean;
}

/** Finds the one credential that pays for a call and makes the call with it. Other Nest modules may inject it. */
@Injectable()
export class ModelRoutingService {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly tenants: TenantsService,
    private readonly catalogue: ModelCatalogue,
    private readonly litellm: LitellmAdapter,
    private readonly legacy: LegacyAdapter,
    private readonly egress: EgressService,
    private readonly credentials: CredentialsService,
    private readonly health: PassiveHealthService,
    private readonly usage: UsageLogService,
    private readonly receipts: ReceiptsService,
  ) {}

  /**
   * @param request the operation's request, as JSON bytes or as a form; its `model` is a name of ai_models.yml
   * @returns the answer in the operation's format
   * @throws Problem
   */
  async call(
    tenantId: string,
    operation: Operation,
    request: Buffer | MultipartForm,
    options: CallOptions,
  ): Promise<RoutedAnswer> {
    const { requestId = randomUUID(), tenantKeyId = null } = options;
    if (!uuidPattern.test(requestId)) throw new TypeError('the request id must be a UUID');
    // As the database writes them, so that a receipt says the same as the record.
    const call = { requestId: requestId.toLowerCase(), tenantKeyId };
    const tenant = tenantId.toLowerCase();
    let settle = (_: UsageRecord) => undefined as void;
    const meter = new CallMeter(call, (record) => {
      this.usage.add(record);
      settle(record);
    });
    const reserve = (request: Json | undefined) => {
      // A request may be long, and most are not limited.
      if (options.tokens === undefined) return;
      const estimate = estimatedTokens(request);
      const reservation = options.tokens.reserve(estimate);
      settle = (record) => reservation.settle(usedTokens(record, estimate));
    };
    try {
      const answer = await this.answer(tenant, operation, request, options, { meter, reserve });
      this.usage.follow(meter, answer.status, answer.body);
      return { ...answer, receipt: this.receipts.issue(answer.route, call, meter.at) };
    } catch (error) {
      meter.failed(error);
      throw error;
    }
  }

  private async answer(
    tenantId: string,
    operation: Operation,
    request: Buffer | MultipartForm,
    options: CallOptions,
    { meter, reserve }: RunningCall,
  ): Promise<RoutedAnswer> {
    const json = request instanceof MultipartForm ? undefined : parseRequest(request);
    await this.tenants.findActive(tenantId);
    const name = modelNameOf(json?.model ?? (request as MultipartForm).model);
    refuseOtherModels(name, options.allowedModels);
    const model = this.catalogue.find(name);
    options.onModel?.({ model: model.name, provider: providerOfModel(model)?.provider.id });
    const route = await this.adapterOf(model).route(tenantId, model, operation);
    const translation = serviceOf(route.provider, operation)?.translation;
    const { body, dropped, asksForUsage } =
      request instanceof MultipartForm
        ? encodedForm(route, request, this.config)
        : encodedJson(route, request, json ?? {}, translation, this.config);
    // Counting them uses none.
    const isCount = route.upstreamOperation === 'messages/count_tokens';
    if (!isCount) reserve(json);
    meter.decided(route, () => (request instanceof MultipartForm ? request.receivedBytes : request.length));
    options.onDecision?.({ route, droppedParameters: dropped });
    const sending = this.egress.send(route, body, {
      signal: options.signal,
      wire: meter.wire,
      // Those of a translated request speak of another format.
      clientHeaders: translation ? undefined : options.headers,
    });
    const sent = await sending.catch((error: unknown) => {
      if (error instanceof Problem && error.code === 'credential_rejected')
        this.health.refused(route.credential);
      throw error;
    });
    this.health.accepted(route.credential);
    if (!translation) return { route, ...inWholeEvents(asksForUsage ? withoutUnaskedUsage(sent) : sent) };
    const call = { model: route.model, request: json ?? {}, label: route.provider.label };
    return { route, ...(await translatedAnswer(translation, sent, call)) };
  }

  /** The catalogue as this tenant may use it. Nothing is opened or called. */
  async models(tenantId: string, allowed?: readonly string[]): Promise<ListedModel[]> {
    await this.tenants.findActive(tenantId);
    const credentials = (await this.credentials.overview([tenantId])).get(tenantId);
    const models = this.catalogue.all().filter(({ name }) => allowed?.includes(name) ?? true);
    return Promise.all(
      models.map((model) =>
        this.listed(tenantId, model, credentials && ((provider) => credentials.usable(provider))),
      ),
    );
  }

  /** @throws Problem model_not_found, forbidden */
  async model(tenantId: string, name: string, allowed?: readonly string[]): Promise<ListedModel> {
    await this.tenants.findActive(tenantId);
    refuseOtherModels(name, allowed);
    return this.listed(tenantId, this.catalogue.find(name));
  }

  private async listed(
    tenantId: string,
    model: Model,
    credentialOf?: (provider: Provider) => RouteCredential,
  ): Promise<ListedModel> {
    const adapter = this.adapterOf(model);
    const provider = providerOfModel(model)?.provider;
    const operation = operationsOfKind(model.kind).find((each) => provider && serviceOf(provider, each));
    const isReady =
      operation !== undefined &&
      (await adapter.route(tenantId, model, operation, credentialOf).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Problem) return false;
          throw error;
        },
      ));
    return { model, provider: provider?.id, adapter: adapter.name, isReady };
  }

  private adapterOf(model: Model): LitellmAdapter | LegacyAdapter {
    return model.litellm_model_name ? this.litellm : this.legacy;
  }
}

/** What is translated comes so, and a translation finds the errors itself. */
function inWholeEvents(answer: UpstreamResponse): UpstreamResponse {
  const { 'content-type': type, 'content-encoding': encoding } = answer.headers;
  if (!isEventStream(type) || encoding !== undefined) return answer;
  return { ...answer, body: new SseRelay(answer.body, (message) => answer.problemOfErrorEvent(message)) };
}

/** Asked of the name alone, so that a key learns nothing of the models beside its own. */
function refuseOtherModels(name: string, allowed: readonly string[] | undefined): void {
  if (allowed === undefined || allowed.includes(name)) return;
  throw new Problem('forbidden', {
    detail: 'The allowed models of this key do not include this model.',
    hint: 'GET /v1/models lists those that it may call.',
    param: 'model',
  });
}
