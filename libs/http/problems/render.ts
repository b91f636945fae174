import { isBelow, platformPrefix } from '../requests/paths';
import { type Problem } from './problem';

/** Errors below this path have the shape of Anthropic's Messages API. */
const messagesPrefix = `${platformPrefix}/messages`;
const responsesPrefix = `${platformPrefix}/responses`;

export interface RenderedProblem {
  readonly contentType: string;
  readonly body: Record<string, unknown>;
}

/**
 * RFC 9457 on the sysadmin API and for every other path; on /v1 the error object of the API that has this path, OpenAI's or
 * Anthropic's, so that SDKs raise their typed errors.
 */
export function renderProblem(problem: Problem, path: string, requestId: string): RenderedProblem {
  if (isBelow(path, platformPrefix)) {
    const body = isBelow(path, messagesPrefix) ? anthropicBody(problem, requestId) : openAiBody(problem);
    return { contentType: 'application/json; charset=utf-8', body };
  }
  const { hint, errors, providerRequirements } = problem.details;
  return {
    contentType: 'application/problem+json; charset=utf-8',
    body: {
      type: `urn:tenkey:problem:${problem.code}`,
      title: problem.title,
      status: problem.status,
      detail: problem.message,
      instance: `urn:tenkey:request:${requestId}`,
      code: problem.code,
      ...(errors && { errors }),
      ...(hint && { hint }),
      ...(providerRequirements && { provider_requirements: providerRequirements }),
    },
  };
}

/** The last event of a stream that failed after its head was sent, with its blank line, as the client of this path expects it. */
export function renderLastEvent(problem: Problem, path: string, requestId: string): string {
  const { body } = renderProblem(problem, path, requestId);
  if (isBelow(path, messagesPrefix)) return `event: error\ndata: ${JSON.stringify(body)}\n\n`;
  if (!isBelow(path, responsesPrefix)) return `data: ${JSON.stringify(body)}\n\n`;
  // The Responses API has the fields at the top level; OpenAI's own clients raise an error only for `error`.
  const { message, code, param } = body.error as Record<string, unknown>;
  const event = { type: 'error', code, message, param, ...body };
  return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
}

function openAiBody(problem: Problem): Record<string, unknown> {
  const { status, code, details } = problem;
  const error = {
    message: sentenceOf(problem),
    type: openAiType(status),
    code,
    param: details.param ?? null,
  };
  return { error };
}

/** https://docs.anthropic.com/en/api/errors, with the code of the problem in addition to Anthropic's type. */
function anthropicBody(problem: Problem, requestId: string): Record<string, unknown> {
  const { status, code } = problem;
  const error = { type: anthropicType(status), message: sentenceOf(problem), code };
  return { type: 'error', error, request_id: requestId };
}

function sentenceOf({ message, details }: Problem): string {
  return details.hint ? `${message} ${details.hint}` : message;
}

function openAiType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'api_error' : 'invalid_request_error';
}

function anthropicType(status: number): string {
  if (status === 404) return 'not_found_error';
  if (status === 413) return 'request_too_large';
  if (status === 504) return 'timeout_error';
  return openAiType(status);
}
