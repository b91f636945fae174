import { type Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { CredentialsService } from '#credentials';
import { ReadableBody, type Route, type RouteCredential, SignalCancellation } from '#egress';
import { Problem } from '#http';
import { type Operation, type Provider, serviceOf } from '#providers';
import { type Tenant, TenantsService } from '#tenants';
import { isAllowed, refuseByPolicy } from './adapters/tenant-policy';
import { CallService } from './call/call.service';
import { type CallReceiver, type RoutedHead, type ServeOptions } from './call/dispatch.service';
import { type MultipartForm } from './request/multipart-form';
import { refuseOtherModels } from './request/upstream-request';
import { type Model, operationsOfKind, providerOfModel } from './catalogue/model';
import { ModelCatalogue } from './catalogue/model-catalogue';

/**
 * A response for code in this process: its Route, and a body in the caller's format. The caller must read or destroy the body. By the
 * time the body fails, the caller has everything that arrived before.
 */
export interface RoutedResponse extends Pick<RoutedHead, 'route' | 'status' | 'headers' | 'receipt'> {
  readonly body: Readable;
}

/** For code in this process. */
export interface CallOptions extends Omit<ServeOptions, 'cancellation'> {
  /** Aborts the upstream request. */
  readonly signal: AbortSignal;
}

/** A model of the catalogue as a tenant may use it. */
export interface ListedModel {
  readonly model: Model;
  readonly provider?: string;
  readonly adapter: Route['adapter'];
  readonly isReady: boolean;
}

/** Calls and models for code in this process. Other Nest modules may inject this service. */
@Injectable()
export class ModelRoutingService {
  constructor(
    private readonly calls: CallService,
    private readonly tenants: TenantsService,
    private readonly credentials: CredentialsService,
    private readonly catalogue: ModelCatalogue,
  ) {}

  /**
   * @param request the request as JSON bytes or as a form; its `model` is a name in ai_models.yml
   * @returns the response in the operation's format
   * @throws Problem
   */
  call(
    tenantId: string,
    operation: Operation,
    request: Buffer | MultipartForm,
    { signal, ...options }: CallOptions,
  ): Promise<RoutedResponse> {
    return new Promise((resolve, reject) => {
      const cancellation = new SignalCancellation(signal);
      const receiver: CallReceiver = {
        head: ({ source, ...response }) => {
          const body = new ReadableBody(source, () => cancellation.cancel());
          resolve({ ...response, body });
          return body;
        },
        fail: reject,
      };
      this.calls.serve(tenantId, operation, request, { ...options, cancellation }, receiver).catch(reject);
    });
  }

  /** The models that this tenant may use. Opens no credential and calls no provider. */
  async models(tenantId: string, allowed?: readonly string[]): Promise<ListedModel[]> {
    const tenant = await this.tenants.findActive(tenantId);
    const credentials = (await this.credentials.overview([tenantId])).get(tenantId);
    const models = this.catalogue
      .all()
      .filter((model) => (allowed?.includes(model.name) ?? true) && isAllowed(tenant, model));
    return Promise.all(
      models.map((model) =>
        this.listed(tenant, model, credentials && ((provider) => credentials.usable(provider))),
      ),
    );
  }

  /** @throws Problem model_not_found, forbidden, model_not_allowed */
  async model(tenantId: string, name: string, allowed?: readonly string[]): Promise<ListedModel> {
    const tenant = await this.tenants.findActive(tenantId);
    refuseOtherModels(name, allowed);
    const model = this.catalogue.find(name);
    refuseByPolicy(tenant, model);
    return this.listed(tenant, model);
  }

  private async listed(
    tenant: Tenant,
    model: Model,
    credentialOf?: (provider: Provider) => RouteCredential,
  ): Promise<ListedModel> {
    const adapter = this.calls.adapterOf(model);
    const provider = providerOfModel(model)?.provider;
    const operation = operationsOfKind(model.kind).find((each) => provider && serviceOf(provider, each));
    const isReady =
      operation !== undefined &&
      (await adapter.route(tenant, model, operation, credentialOf).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Problem) return false;
          throw error;
        },
      ));
    return { model, provider: provider?.id, adapter: adapter.name, isReady };
  }
}
