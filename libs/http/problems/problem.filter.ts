import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { isDatabaseUnavailable, mayBeCommitted } from '#database';
import { Problem, type ProblemCode } from './problem';
import { isBelow, platformPrefix, sysadminPrefix } from '../requests/paths';
import { renderProblem } from './render';
import { asksForChange, pathOf } from '../requests/request-target';

const byStatus: Readonly<Record<number, ProblemCode>> = {
  400: 'malformed_request',
  // A file server's refusal of a path; our own refusals are Problems already.
  403: 'route_not_found',
  404: 'route_not_found',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  414: 'malformed_request',
  415: 'unsupported_media_type',
};

/**
 * Any throw as the Problem that describes it. Texts of foreign errors are never passed on: they may hold input.
 * @param isChange the caller asked for a change, and must know what became of it
 */
export function problemOf(error: unknown, isChange = false): Problem {
  if (error instanceof Problem) return error;
  if (isDatabaseUnavailable(error)) {
    return new Problem('credential_store_unavailable', {
      detail: `The database of Tenkey cannot be reached, or is busy. ${isChange ? outcomeOf(error) : 'Try again shortly.'}`,
      cause: error,
    });
  }
  const status =
    error instanceof HttpException
      ? error.getStatus()
      : (error as { statusCode?: unknown } | null)?.statusCode;
  const code = typeof status === 'number' ? byStatus[status] : undefined;
  // The framework's own refusals repeat the path, so only their name is kept.
  if (code !== undefined) return new Problem(code, { cause: new Error((error as Error).name) });
  return new Problem('internal_error', {
    detail: 'An unexpected fault. The log has the cause under this request id.',
    cause: error,
  });
}

/** True as long as a change is one transaction with nothing after it. */
function outcomeOf(error: unknown): string {
  return mayBeCommitted(error)
    ? 'Whether it was changed is not known: read it before you repeat it.'
    : 'Nothing was changed. Try again shortly.';
}

/** Sends a problem; the only place that writes an error answer. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  // The client left while it sent: no lost database, though the error looks like one, and nobody to answer.
  if (error !== null && error === request.raw.errored) return;
  const isChange = asksForChange(request) && isBelow(pathOf(request.url), sysadminPrefix);
  const problem = problemOf(error, isChange);
  request.problem = problem;
  request.onProblem?.(problem);
  request.tellLate?.(problem);
  if (reply.sent) return;
  const { contentType, body } = renderProblem(problem, pathOf(request.url), request.id);
  reply.header('x-tenkey-request-id', request.id);
  if (problem.details.retryAfter) reply.header('retry-after', problem.details.retryAfter);
  const { upstreamRequestId } = problem.details;
  // OpenAI's clients read the first, Anthropic's the second.
  if (upstreamRequestId)
    reply.headers({ 'x-request-id': upstreamRequestId, 'request-id': upstreamRequestId });
  if (problem.status === 401) {
    const isPlatform = isBelow(pathOf(request.url), platformPrefix);
    reply.header('www-authenticate', isPlatform ? 'Bearer, X-API-Key' : 'X-API-Key');
  }
  removeUnwritable(reply);
  void reply.status(problem.status).header('content-type', contentType).send(JSON.stringify(body));
}

/** What a header cannot hold (RFC 9110, 5.5): Node refuses to write it. */
const beyondHeader = /[^\t\x20-\x7e\x80-\xff]/;

/** What a route put into the head before it failed. Of a head that cannot be written, Fastify would make an answer of its own. */
function removeUnwritable(reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if ([value].flat().some((each) => beyondHeader.test(String(each)))) reply.removeHeader(name);
  }
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), error);
  }
}
