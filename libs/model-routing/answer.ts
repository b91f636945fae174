import { type Readable } from 'node:stream';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { ClientGone, type Route, SseRelay } from '#egress';
import { platformPrefix, Problem, problemOf, renderProblem } from '#http';
import { type Operation } from '#providers';
import { type ModelRoutingService } from './model-routing.service';

/**
 * One platform call from request to answer: the provider's head is awaited before ours is sent, its bytes are passed on
 * as they come, and a client that leaves ends the provider's call.
 */
export async function answerCall(
  routing: ModelRoutingService,
  operation: Operation,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const tenantId = request.tenantId;
  if (tenantId === undefined) throw new Problem('unauthenticated');
  if (!Buffer.isBuffer(request.body)) {
    throw new Problem('malformed_request', { detail: 'The body is empty; send JSON.' });
  }
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  const answer = await routing
    .call(tenantId, operation, request.body, {
      signal: gone.signal,
      onRoute: (route) => {
        request.logFields = logFieldsOf(route);
        reply.headers(headersOf(route));
      },
    })
    .catch((error: unknown) => {
      if (error instanceof ClientGone) return undefined;
      throw error;
    });
  if (answer === undefined) {
    // Nobody is there to be told, and nothing failed.
    request.logFields = { ...request.logFields, client_gone: true };
    reply.hijack();
    reply.raw.destroy();
    return;
  }
  reply.hijack();
  const head = { ...reply.getHeaders(), ...answer.headers, 'x-tenkey-request-id': request.id };
  reply.raw.writeHead(answer.status, head as Record<string, string>);
  if (Buffer.isBuffer(answer.body)) {
    reply.raw.end(answer.body);
    return;
  }
  reply.raw.flushHeaders();
  if (answer.headers['content-type']?.startsWith('text/event-stream')) {
    relayEvents(answer.body, request, reply);
    return;
  }
  answer.body.once('error', (error) => {
    request.problem = problemOf(error);
    reply.raw.destroy();
  });
  answer.body.pipe(reply.raw);
}

/** Events as they come; a fault after the first is one last event, since the status is already sent. */
function relayEvents(body: Readable, request: FastifyRequest, reply: FastifyReply): void {
  const relay = new SseRelay();
  body.once('error', (error) => {
    if (reply.raw.destroyed) return;
    const problem = problemOf(error);
    request.problem = problem;
    relay.endWith(`data: ${JSON.stringify(renderProblem(problem, platformPrefix, request.id).body)}\n\n`);
  });
  reply.raw.once('close', () => body.destroy());
  body.pipe(relay).pipe(reply.raw);
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
