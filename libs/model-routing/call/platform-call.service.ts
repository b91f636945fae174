import { Injectable } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { TokenLimitsService } from '#issued-keys';
import { type Config, InjectConfig } from '#config';
import { ClientGone, isEventStream } from '#egress';
import { Problem } from '#http';
import { type Operation } from '#providers';
import {
  type CallOptions,
  type Decision,
  ModelRoutingService,
  type RoutedAnswer,
} from '../model-routing.service';
import { MultipartForm } from './multipart-form';

/**
 * One platform call from request to answer: the provider's head is awaited before ours is sent, its bytes are passed on
 * as they come, and a client that leaves ends the provider's call.
 */
@Injectable()
export class PlatformCallService {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly routing: ModelRoutingService,
    private readonly tokenLimits: TokenLimitsService,
  ) {}

  /** Of a request with a JSON body. */
  async answer(operation: Operation, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (!Buffer.isBuffer(request.body)) {
      throw new Problem('malformed_request', { detail: 'The body is empty; send JSON.' });
    }
    await this.pass(operation, request.body, request, reply);
  }

  /** Of a request with a multipart/form-data body, which is sent on while it arrives. */
  async answerForm(operation: Operation, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (Buffer.isBuffer(request.body) || request.body === undefined) {
      throw new Problem('unsupported_media_type', { detail: 'Send the body as multipart/form-data.' });
    }
    const type = request.headers['content-type'] ?? '';
    const form = await MultipartForm.open(request.raw, type, this.config.maxBodyBytes);
    try {
      // The guard let it in before any of the form was read.
      await request.tenkey.confirmGrant();
      await this.pass(operation, form, request, reply);
    } catch (error) {
      form.discard();
      throw error;
    }
  }

  private async pass(
    operation: Operation,
    body: Buffer | MultipartForm,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const { tenkey } = request;
    let decided: Decision | undefined;
    const answer = await this.routing
      .call(tenkey.requireTenantId(), operation, body, {
        signal: tenkey.cancellation,
        requestId: request.id,
        tenantKeyId: tenkey.issuedKeyId,
        allowedModels: tenkey.allowedModels,
        tokens: this.tokensOf(request),
        headers: request.headers,
        onModel: (found) => {
          tenkey.logFields = found;
        },
        onDecision: (decision) => {
          decided = decision;
          tenkey.logFields = logFieldsOf(decision);
          reply.headers(headersOf(decision));
        },
      })
      .catch((error: unknown) => {
        if (error instanceof ClientGone) return undefined;
        throw error;
      });
    // Once more: of a form, what is left out is known when it was read.
    if (decided !== undefined) reply.headers(headersOf(decided));
    if (answer !== undefined) {
      send(answer, request, reply);
      const { idleMs } = this.config.timeoutsOf(answer.route.provider);
      // A provider's idle timeout rests while the client does not read: one that never does must not hold the call for ever.
      const pauseMs = Math.max(this.config.clientPauseSeconds * 1000, idleMs + 1000);
      reply.raw.setTimeout(pauseMs, () => reply.raw.destroy());
    } else {
      // Nobody is there to be told, and nothing failed.
      reply.hijack();
    }
  }

  /** Undefined for a key without a limit. */
  private tokensOf({ tenkey }: FastifyRequest): CallOptions['tokens'] {
    const { issuedKeyId: tenantKeyId, tokensPerMinute } = tenkey;
    if (tenantKeyId === undefined || tokensPerMinute === undefined) return undefined;
    return { reserve: (estimate) => this.tokenLimits.reserve(tenantKeyId, tokensPerMinute, estimate) };
  }
}

function send(answer: RoutedAnswer, request: FastifyRequest, reply: FastifyReply): void {
  const head = {
    ...reply.getHeaders(),
    ...answer.headers,
    ...(answer.receipt !== undefined && { 'x-tenkey-receipt': answer.receipt }),
    'x-tenkey-request-id': request.id,
  };
  // Before the reply is taken out of Fastify's hands: a head that cannot be written is answered as any other fault.
  reply.raw.writeHead(answer.status, head as Record<string, string>);
  reply.hijack();
  reply.raw.flushHeaders();
  reply.raw.once('close', () => answer.body.destroy());
  const { 'content-type': type, 'content-encoding': encoding } = answer.headers;
  const takesLastEvent = isEventStream(type) && encoding === undefined;
  answer.body.once('error', (error) => {
    if (reply.raw.destroyed) return;
    const problem = request.tenkey.report(error);
    // The status is already sent, and what came were whole events: this is one more.
    if (takesLastEvent) reply.raw.end(request.tenkey.renderLastEvent(problem));
    else reply.raw.destroy();
  });
  answer.body.pipe(reply.raw);
}

/** Which credential paid, and what was left out. Never more of the key than its mask. */
function headersOf({ route, droppedParameters }: Decision): Record<string, string> {
  const { credential, provider } = route;
  const version = credential.version === null ? 'global' : `v${credential.version}`;
  return {
    'x-tenkey-provider': provider.id,
    'x-tenkey-adapter': route.adapter,
    'x-tenkey-credential-source': credential.source,
    'x-tenkey-credential': `${provider.id}/${credential.mask}/${version}`,
    ...(droppedParameters.length > 0 && { 'x-tenkey-dropped-params': droppedParameters.join(', ') }),
  };
}

function logFieldsOf({ route, droppedParameters }: Decision): Record<string, unknown> {
  return {
    model: route.model,
    adapter: route.adapter,
    provider: route.provider.id,
    target: route.target,
    host: route.url.host,
    source: route.credential.source,
    mask: route.credential.mask,
    version: route.credential.version,
    ...(droppedParameters.length > 0 && { dropped_params: droppedParameters.join(', ') }),
  };
}
