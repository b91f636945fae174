import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { type Config, InjectConfig } from '#config';
import { ClientGone, EgressService, type Route, type UpstreamResponse } from '#egress';
import { jsonOf, Problem } from '#http';
import {
  AmbiguousModel,
  type Json,
  type Operation,
  serviceOf,
  spliceModel,
  type Translation,
  UnsupportedParameter,
} from '#providers';
import { TenantsService } from '#tenants';
import { operationsOfKind } from './adapters/adapter';
import { LegacyAdapter } from './adapters/legacy.adapter';
import { LitellmAdapter } from './adapters/litellm.adapter';
import { type Model, ModelCatalogue, providerOfModel } from './model-catalogue';

/** An answer on its way: the Route that it came by, and the provider's bytes. Read or destroy its body. */
export interface RoutedAnswer extends UpstreamResponse {
  readonly route: Route;
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
  ) {}

  /**
   * @param body the request as JSON bytes, in OpenAI's format; its `model` is a name of ai_models.yml
   * @param options.signal aborts the upstream call
   * @param options.onRoute told the Route before anything is sent, for log lines of failed calls
   * @throws Problem
   */
  async call(
    tenantId: string,
    operation: Operation,
    body: Buffer,
    options: { signal: AbortSignal; onRoute?: (route: Route) => void },
  ): Promise<RoutedAnswer> {
    const request = parseRequest(body);
    await this.tenants.findActive(tenantId);
    const model = this.catalogue.find(modelNameOf(request));
    const route = await this.adapterOf(model).route(tenantId, model, operation);
    options.onRoute?.(route);
    const translation = serviceOf(route.provider, operation)?.translation;
    if (translation) return this.translated(translation, route, request, options.signal);
    const answer = await this.egress.send(route, withModel(body, route.target), {
      signal: options.signal,
    });
    return { route, ...answer };
  }

  /** The catalogue as this tenant may use it. Nothing is opened or called. */
  async models(
    tenantId: string,
  ): Promise<{ model: Model; provider?: string; adapter: Route['adapter']; isReady: boolean }[]> {
    await this.tenants.findActive(tenantId);
    return Promise.all(
      this.catalogue.all().map(async (model) => {
        const adapter = this.adapterOf(model);
        const [operation = 'chat/completions'] = operationsOfKind(model.kind);
        const isReady = await adapter.route(tenantId, model, operation).then(
          () => true,
          (error: unknown) => {
            if (error instanceof Problem) return false;
            throw error;
          },
        );
        return { model, provider: providerOfModel(model)?.provider.id, adapter: adapter.name, isReady };
      }),
    );
  }

  private adapterOf(model: Model): LitellmAdapter | LegacyAdapter {
    return model.litellm_model_name ? this.litellm : this.legacy;
  }

  private async translated(
    translation: Translation,
    route: Route,
    request: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<RoutedAnswer> {
    const encoded = encodedBy(translation, request, route.target);
    const answer = await this.egress.send(route, JSON.stringify(encoded), { signal });
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of answer.body) chunks.push(chunk as Buffer);
      const context = { model: route.model, request };
      const decoded = translation.decode(JSON.parse(Buffer.concat(chunks).toString('utf8')), context);
      const headers = { ...answer.headers, 'content-type': 'application/json' };
      return { ...answer, route, headers, body: Readable.from([Buffer.from(JSON.stringify(decoded))]) };
    } catch (error) {
      if (error instanceof Problem || error instanceof ClientGone) throw error;
      throw new Problem('upstream_unavailable', {
        detail: `${route.provider.label} broke off its answer or sent one that cannot be read.`,
        // Not the error itself: JSON.parse quotes the provider's text, which may repeat the key.
        cause: new Error(
          `the answer is not as documented (${error instanceof Error ? error.name : typeof error})`,
        ),
      });
    }
  }
}

function parseRequest(body: Buffer): Record<string, unknown> {
  const parsed = jsonOf(body);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
    return parsed as Record<string, unknown>;
  }
  throw new Problem('malformed_request', { detail: 'The body must be a JSON object.' });
}

function modelNameOf(request: Record<string, unknown>): string {
  if (typeof request.model === 'string' && request.model !== '') return request.model;
  const errors = [{ path: 'model', message: 'model must be the name of a model' }];
  throw new Problem('validation_failed', {
    detail: 'model must be the name of a model.',
    hint: 'GET /v1/models lists the names.',
    param: 'model',
    errors,
  });
}

function withModel(body: Buffer, upstreamModel: string): Buffer {
  try {
    return spliceModel(body, upstreamModel);
  } catch (error) {
    if (!(error instanceof AmbiguousModel)) throw error;
    throw new Problem('malformed_request', { detail: 'The body names model twice.', param: 'model' });
  }
}

function encodedBy(translation: Translation, request: Json, upstreamModel: string): Json {
  try {
    return translation.encode(request, upstreamModel).body;
  } catch (error) {
    if (!(error instanceof UnsupportedParameter)) throw error;
    throw new Problem('endpoint_not_supported', {
      detail: `${error.message} No call was made.`,
      param: error.param,
    });
  }
}
