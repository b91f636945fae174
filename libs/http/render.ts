import { type Problem } from './problem';

/** The prefixes that decide how a route is guarded and how its problems look. */
export const sysadminPrefix = '/api/v1/sysadmin';
export const platformPrefix = '/v1';

/** True when the path is the prefix or below it. */
export function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

export interface RenderedProblem {
  readonly contentType: string;
  readonly body: Record<string, unknown>;
}

/** RFC 9457 for people and the sysadmin API; OpenAI's error object on /v1, so that SDKs raise their typed errors. */
export function renderProblem(problem: Problem, path: string, requestId: string): RenderedProblem {
  const { hint, errors, providerRequirements, param } = problem.details;
  if (isBelow(path, platformPrefix)) {
    const message = hint ? `${problem.message} ${hint}` : problem.message;
    return {
      contentType: 'application/json; charset=utf-8',
      body: {
        error: { message, type: openAiType(problem.status), code: problem.code, param: param ?? null },
      },
    };
  }
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

function openAiType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'api_error' : 'invalid_request_error';
}
