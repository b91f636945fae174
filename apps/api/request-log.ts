import { type FastifyReply, type FastifyRequest } from 'fastify';
import { describeError, type Log } from '#http';

/**
 * Writes the one line of a request when its connection is done with it: answered, broken off by us, or left by the
 * client. Fastify's own hook misses the last two.
 */
export function logWhenClosed(log: Log, request: FastifyRequest, reply: FastifyReply): void {
  const started = performance.now();
  reply.raw.once('close', () => {
    const { problem } = request;
    const isWhole = reply.raw.writableFinished;
    // What nobody received has no status; 499 is what proxies write for a client that left.
    const status = reply.raw.headersSent ? reply.raw.statusCode : 499;
    const isFault = problem !== undefined && problem.status >= 500;
    log[isFault ? 'error' : 'info'](
      {
        request_id: request.id,
        method: request.method,
        path: routeOf(request),
        status,
        duration_ms: Math.round((performance.now() - started) * 10) / 10,
        ...(request.tenantId !== undefined && { tenant: request.tenantId }),
        ...(request.keyId !== undefined && { key: request.keyId }),
        ...request.logFields,
        ...(!isWhole && { aborted: true }),
        ...(problem && { code: problem.code }),
        ...(problem && !isFault && problem.cause !== undefined && { cause: causeOf(problem.cause) }),
        ...(isFault && { err: problem }),
      },
      'request',
    );
  });
}

/** The route's pattern; never the path, which may hold anything. */
function routeOf(request: FastifyRequest): string {
  return (request.routeOptions as FastifyRequest['routeOptions'] | undefined)?.url ?? '(no route)';
}

function causeOf(cause: unknown): unknown {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : describeError(cause);
}
