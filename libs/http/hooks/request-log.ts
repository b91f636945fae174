import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Problem } from '../problems/problem';
import { routePattern } from '../requests/request-target';
import { describeError, type Log } from '#log';

/**
 * Writes the one line of a request when its connection is done with it: answered, broken off by us, or left by the
 * client. Fastify's own hook misses the last two. What fails after that gets a second line, of the same request id.
 */
export function logWhenClosed(log: Log, request: FastifyRequest, reply: FastifyReply): void {
  const started = performance.now();
  reply.raw.once('close', () => {
    const { problem } = request;
    const isWhole = reply.raw.writableFinished;
    // What nobody received has no status; 499 is what proxies write for a client that left.
    const status = reply.raw.headersSent ? reply.raw.statusCode : 499;
    log[levelOf(problem)](
      {
        ...whatOf(request),
        status,
        duration_ms: Math.round((performance.now() - started) * 10) / 10,
        ...request.logFields,
        ...(!isWhole && { aborted: true }),
        ...(problem && whyOf(problem)),
      },
      'request',
    );
    request.tellLate = (late) => {
      // That a client left in the middle of what it sent is all that there is to tell.
      if (!request.raw.complete && !isFault(late)) return;
      log[levelOf(late)](
        { ...whatOf(request), ...whyOf(late) },
        'request failed after its connection closed',
      );
    };
  });
}

function whatOf(request: FastifyRequest) {
  return {
    request_id: request.id,
    method: request.method,
    path: routePattern(request),
    ...(request.tenantId !== undefined && { tenant: request.tenantId }),
    ...(request.issuedKeyId !== undefined && { key: request.issuedKeyId }),
  };
}

function whyOf(problem: Problem) {
  const { code, cause } = problem;
  if (isFault(problem)) return { code, err: problem };
  return { code, ...(cause !== undefined && { cause: causeOf(cause) }) };
}

function isFault({ status }: Problem): boolean {
  return status >= 500;
}

function levelOf(problem: Problem | undefined): 'error' | 'info' {
  return problem !== undefined && isFault(problem) ? 'error' : 'info';
}

function causeOf(cause: unknown): unknown {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : describeError(cause);
}
