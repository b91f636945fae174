import { type FastifyReply, type FastifyRequest } from 'fastify';
import { describeError, type Log } from '#log';
import { type Problem } from '../problems/problem';
import { type ProblemListener } from '../request-context';
import { probes } from '../requests/paths';

/**
 * Writes the log line of a request once its response is sent, Tenkey has broken it off, or the client has disconnected.
 * Fastify's own hook does not run in the last two cases.
 */
export function logRequest(log: Log, request: FastifyRequest, reply: FastifyReply): void {
  const { problem, startedAt, logFields } = request.tenkey;
  const lines = problem === undefined ? log.known : log;
  // Assigned one by one: on Node 20 an object literal with spreads is several hundred times slower.
  const fields = fieldsOfRequest(request);
  fields.status = statusOf(reply);
  fields.duration_ms = Math.round((performance.now() - startedAt) * 10) / 10;
  for (const name in logFields) fields[name] = logFields[name];
  if (!reply.raw.writableFinished) fields.aborted = true;
  if (problem !== undefined) Object.assign(fields, fieldsOfProblem(problem));
  const isUsualProbe = problem === undefined && probes.has(request.tenkey.route);
  lines[isUsualProbe ? 'debug' : levelOf(problem)](fields, 'request');
}

/** The status of a response. One that was never sent has none; 499 is what proxies write for a client that disconnected. */
export function statusOf(reply: FastifyReply): number {
  return reply.raw.headersSent ? reply.raw.statusCode : 499;
}

/** Writes a second line, with the same request id, for a problem that occurs after the first line was written. */
export function logLateProblem(log: Log): ProblemListener {
  return (request, problem) => {
    if (!request.tenkey.isClosed) return;
    // The client disconnected while it sent its body. There is nothing to add to the first line.
    if (!request.raw.complete && !isServerFault(problem)) return;
    log[levelOf(problem)](
      { ...fieldsOfRequest(request), ...fieldsOfProblem(problem) },
      'request failed after its connection closed',
    );
  };
}

function fieldsOfRequest({ id, method, tenkey }: FastifyRequest): Record<string, unknown> {
  const { calledRoute, tenantId, grant } = tenkey;
  const fields: Record<string, unknown> = { request_id: id, method, path: calledRoute };
  if (tenkey.clientRequestId !== undefined) fields.client_request_id = tenkey.clientRequestId;
  if (tenantId !== undefined) fields.tenant = tenantId;
  if (grant.issuedKeyId !== undefined) fields.key = grant.issuedKeyId;
  return fields;
}

function fieldsOfProblem(problem: Problem) {
  const { code, cause } = problem;
  if (isServerFault(problem)) return { code, err: problem };
  return { code, ...(cause !== undefined && { cause: causeOf(cause) }) };
}

function isServerFault({ status }: Problem): boolean {
  return status >= 500;
}

function levelOf(problem: Problem | undefined): 'error' | 'info' {
  return problem !== undefined && isServerFault(problem) ? 'error' : 'info';
}

function causeOf(cause: unknown): unknown {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : describeError(cause);
}
