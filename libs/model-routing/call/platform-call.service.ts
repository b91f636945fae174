import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { TokenLimitsService } from '#issued-keys';
import { type Config, InjectConfig } from '#config';
import { ClientDisconnected } from '#egress';
import { Problem } from '#http';
import { type Operation } from '#providers';
import { CallService } from './call.service';
import { ClientResponse } from './client-response';
import { type CallReceiver, type Decision, type ServeOptions } from './dispatch.service';
import { MultipartForm } from '../request/multipart-form';

/** Makes a call for a tenant, and passes its response to the receiver. */
type Serve = (tenantId: string, options: ServeOptions, receiver: CallReceiver) => Promise<void>;

/**
 * Handles one call from request to response. It waits for the provider's response head before it sends its own, passes the
 * body on as it arrives, and cancels the upstream request when the client disconnects.
 */
@Injectable()
export class PlatformCallService {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly calls: CallService,
    private readonly tokenLimits: TokenLimitsService,
  ) {}

  /** @throws Problem */
  handleJson(operation: Operation, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { body } = request;
    if (!Buffer.isBuffer(body)) {
      throw new Problem('malformed_request', { detail: 'The body is empty; send JSON.' });
    }
    // The request outlives its body.
    request.body = undefined;
    return this.handle(request, reply, (tenantId, options, receiver) =>
      this.calls.serve(tenantId, operation, body, options, receiver),
    );
  }

  /**
   * Handles a multipart/form-data body, which is sent on while it arrives.
   * @throws Problem
   */
  async handleForm(operation: Operation, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { body } = request;
    if (!(body instanceof Readable)) {
      throw new Problem('unsupported_media_type', { detail: 'Send the body as multipart/form-data.' });
    }
    const type = request.headers['content-type'] ?? '';
    const form = await MultipartForm.open(body, type, this.config.maxBodyBytes, request.tenkey.deployment);
    try {
      await this.handle(request, reply, (tenantId, options, receiver) =>
        this.calls.serve(tenantId, operation, form, options, receiver),
      );
    } catch (error) {
      form.discard();
      throw error;
    }
  }

  /**
   * Handles a call of any kind. Resolves when the response has begun.
   * @throws Problem
   */
  handle(request: FastifyRequest, reply: FastifyReply, serve: Serve): Promise<void> {
    return new Promise((resolve, reject) => {
      const { options, receiver } = this.callOf(request, reply, resolve, reject);
      serve(request.tenkey.requireTenantId(), options, receiver).catch(reject);
    });
  }

  /** What is made here lives as long as the call, so it must not refer to the body. */
  private callOf(
    request: FastifyRequest,
    reply: FastifyReply,
    resolve: () => void,
    reject: (error: unknown) => void,
  ): { options: ServeOptions; receiver: CallReceiver } {
    const { tenkey } = request;
    let decided: Decision | undefined;
    const options: ServeOptions = {
      cancellation: tenkey,
      requestId: request.id,
      clientRequestId: tenkey.clientRequestId,
      model: tenkey.deployment,
      tenantKeyId: tenkey.grant.issuedKeyId,
      confirmKey: () => tenkey.confirmGrant(),
      allowedModels: tenkey.grant.allowedModels,
      tokens: this.tokensOf(request),
      headers: request.headers,
      memory: tenkey.memory,
      onAccepted: () => tenkey.memory.release(),
      onModel: (found) => {
        tenkey.logFields = found;
      },
      onDecision: (decision) => {
        decided = decision;
        tenkey.logFields = logFieldsOf(decision);
      },
    };
    const receiver: CallReceiver = {
      head: (response) => {
        // The provider's idle timeout is paused while the client does not read. This one disconnects a client that never reads.
        const pauseMs = this.config.clientPauseSeconds * 1000;
        const sink = new ClientResponse(request, reply, response, decided && headersOf(decided), pauseMs);
        resolve();
        return sink;
      },
      fail: (error) => {
        if (error instanceof ClientDisconnected) {
          // That is not a failure, and nothing can be sent.
          reply.hijack();
          return resolve();
        }
        // A call that failed after its route was found names the route too.
        if (decided !== undefined) reply.headers(headersOf(decided));
        reject(error);
      },
    };
    return { options, receiver };
  }

  /** @returns undefined for a key without a token limit */
  private tokensOf({ tenkey }: FastifyRequest): ServeOptions['tokens'] {
    const { issuedKeyId: tenantKeyId, tenantId, tokensPerMinute } = tenkey.grant;
    if (tenantKeyId === undefined || tenantId === undefined || tokensPerMinute === undefined)
      return undefined;
    const key = { tenantId, tenantKeyId };
    return {
      reserve: (estimate) => this.tokenLimits.reserve(key, tokensPerMinute, estimate),
      charge: (actual) => this.tokenLimits.charge(key, actual),
    };
  }
}

/** Says which credential pays and which parameters are left out. Only the mask of a key is shown. */
function headersOf({ route, droppedParameters }: Decision): Record<string, string> {
  const { credential, provider } = route;
  const version = credential.version === null ? 'global' : `v${credential.version}`;
  const headers: Record<string, string> = {
    'x-tenkey-provider': provider.id,
    'x-tenkey-adapter': route.adapter,
    'x-tenkey-credential-source': credential.source,
    'x-tenkey-credential': `${provider.id}/${credential.mask}/${version}`,
  };
  if (droppedParameters.length > 0) headers['x-tenkey-dropped-params'] = droppedParameters.join(', ');
  return headers;
}

function logFieldsOf({ route, droppedParameters }: Decision): Record<string, unknown> {
  const fields: Record<string, unknown> = {
    model: route.model,
    adapter: route.adapter,
    provider: route.provider.id,
    target: route.target,
    host: route.url.host,
    source: route.credential.source,
    mask: route.credential.mask,
    version: route.credential.version,
  };
  if (droppedParameters.length > 0) fields.dropped_params = droppedParameters.join(', ');
  return fields;
}
