import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { isPlatformPath } from '../requests/paths';
import { renderProblem } from './render';

/** Sends any error as a problem. Nothing else writes an error response. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  // The client disconnected while it sent its body. The error looks like a lost database connection but is not one, and there is
  // no client to respond to.
  if (error !== null && error === request.raw.errored) return;
  const problem = request.tenkey.report(error);
  if (reply.sent) return;
  const { contentType, body } = renderProblem(problem, request.tenkey.problemContext);
  reply.headers({ 'x-tenkey-request-id': request.id, 'x-tenkey-problem': problem.code });
  if (problem.details.headers) reply.headers(problem.details.headers);
  // A retry cannot succeed until somebody changes the credential or the quota, and SDKs obey this header.
  if (problem.status === 424 || problem.code === 'upstream_quota_exhausted')
    reply.header('x-should-retry', 'false');
  if (problem.status === 401) {
    const takesBearer = isPlatformPath(request.tenkey.path) || request.tenkey.acceptsBearer;
    reply.header('www-authenticate', takesBearer ? 'Bearer, X-API-Key' : 'X-API-Key');
  }
  // Fastify would close the connection while the client still sends its body, and the client would not get the response. What it sends
  // is dropped instead; it is no more than the length of a body that is accepted.
  if (problem.code === 'overloaded') reply.removeHeader('connection');
  removeUnwritable(reply);
  void reply.status(problem.status).header('content-type', contentType).send(JSON.stringify(body));
}

/** The characters that a header cannot hold (RFC 9110, 5.5). Node refuses to write them. */
const unwritable = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Removes what a route put into the headers before it failed: Fastify sends an error of its own shape when it cannot write a
 * header.
 */
function removeUnwritable(reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if ([value].flat().some((each) => unwritable.test(String(each)))) reply.removeHeader(name);
  }
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), error);
  }
}
