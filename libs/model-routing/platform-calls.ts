import { Injectable } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { ClientGone, type Route, SseRelay } from '#egress';
import { platformPrefix, Problem, problemOf, renderProblem } from '#http';
import { type Operation } from '#providers';
import { ModelRoutingService, type RoutedAnswer } from './model-routing.service';

/**
 * One platform call from request to answer: the provider's head is awaited before ours is sent, its bytes are passed on
 * as they come, and a client that leaves ends the provider's call.
 */
@Injectable()
export class PlatformCalls {
  constructor(private readonly routing: ModelRoutingService) {}

  async answer(operation: Operation, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const tenantId = request.tenantId;
    if (tenantId === undefined) throw new Problem('unauthenticated');
    if (!Buffer.isBuffer(request.body)) {
      throw new Problem('malformed_request', { detail: 'The body is empty; send JSON.' });
    }
    const answer = await this.routing
      .call(tenantId, operation, request.body, {
        signal: request.gone,
        onRoute: (route) => {
          request.logFields = logFieldsOf(route);
          reply.headers(headersOf(route));
        },
      })
      .catch((error: unknown) => {
        if (error instanceof ClientGone) return undefined;
        throw error;
      });
    reply.hijack();
    // Undefined: nobody is there to be told, and nothing failed.
    if (answer !== undefined) pass(answer, request, reply);
  }
}

function pass(answer: RoutedAnswer, request: FastifyRequest, reply: FastifyReply): void {
  const head = { ...reply.getHeaders(), ...answer.headers, 'x-tenkey-request-id': request.id };
  reply.raw.writeHead(answer.status, head as Record<string, string>);
  reply.raw.flushHeaders();
  reply.raw.once('close', () => answer.body.destroy());
  const { 'content-type': type, 'content-encoding': encoding } = answer.headers;
  if (type?.startsWith('text/event-stream') && encoding === undefined) {
    relayEvents(answer, request, reply);
    return;
  }
  answer.body.once('error', (error) => {
    if (reply.raw.destroyed) return;
    request.problem = problemOf(error);
    reply.raw.destroy();
  });
  answer.body.pipe(reply.raw);
}

/** Events as they come; a fault after the first is one last event, since the status is already sent. */
function relayEvents(answer: RoutedAnswer, request: FastifyRequest, reply: FastifyReply): void {
  const lastEventOf = (problem: Problem) => {
    request.problem = problem;
    return `data: ${JSON.stringify(renderProblem(problem, platformPrefix, request.id).body)}\n\n`;
  };
  const relay = new SseRelay((message) => lastEventOf(answer.streamFault(message)));
  answer.body.once('error', (error) => {
    if (!reply.raw.destroyed) relay.endWith(lastEventOf(problemOf(error)));
  });
  answer.body.pipe(relay).pipe(reply.raw);
}

/** The receipt: which credential paid. Never more of the key than its mask. */
function headersOf(route: Route): Record<string, string> {
  const { credential, provider } = route;
  const version = credential.version === null ? 'global' : `v${credential.version}`;
  return {
    'x-tenkey-provider': provider.id,
    'x-tenkey-adapter': route.adapter,
    'x-tenkey-credential-source': credential.source,
    'x-tenkey-credential': `${provider.id}/${credential.mask}/${version}`,
  };
}

function logFieldsOf(route: Route): Record<string, unknown> {
  return {
    model: route.model,
    adapter: route.adapter,
    provider: route.provider.id,
    target: route.target,
    host: route.url.host,
    source: route.credential.source,
    mask: route.credential.mask,
    version: route.credential.version,
  };
}
