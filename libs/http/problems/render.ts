import { type ClientKind } from '../requests/client-kind';
import { isBelow, isPlatformPath, platformPrefix } from '../requests/paths';
import { type Problem } from './problem';

/** Errors below this path have the shape of Anthropic's Messages API. */
const messagesPrefix = `${platformPrefix}/messages`;
const responsesPrefix = `${platformPrefix}/responses`;

export interface RenderedProblem {
  readonly contentType: string;
  readonly body: Record<string, unknown>;
}

/** What the rendering of a problem depends on. */
export interface ProblemContext {
  readonly path: string;
  /** Whose API the client speaks, where the path does not say it. */
  readonly clientKind?: ClientKind | undefined;
  readonly requestId: string;
  /** The address of Tenkey for its clients, if it is known. */
  readonly publicUrl?: string | undefined;
  /** True for a caller with a tenant key, who cannot do what a hint tells a sysadmin. */
  readonly isTenant: boolean;
}

export type ErrorFormat = 'problem' | 'openai' | 'anthropic';

/**
 * On the platform API, the error object of the API that has this path, OpenAI's or Anthropic's, so that SDKs raise their typed
 * errors. On the sysadmin API and for every other path, the format of RFC 9457.
 */
export function errorFormatOf({
  path,
  clientKind,
}: Pick<ProblemContext, 'path' | 'clientKind'>): ErrorFormat {
  if (!isPlatformPath(path) && clientKind === undefined) return 'problem';
  return isBelow(path, messagesPrefix) || clientKind === 'anthropic' ? 'anthropic' : 'openai';
}

export function renderProblem(problem: Problem, context: ProblemContext): RenderedProblem {
  const { requestId } = context;
  const format = errorFormatOf(context);
  if (format !== 'problem') {
    const toBody = format === 'anthropic' ? anthropicBody : openAiBody;
    return { contentType: 'application/json; charset=utf-8', body: toBody(problem, context) };
  }
  const { errors, providerRequirements } = problem.details;
  const hint = hintOf(problem, context);
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
export function renderLastEvent(problem: Problem, context: ProblemContext): string {
  const { path } = context;
  const { body } = renderProblem(problem, context);
  if (isBelow(path, messagesPrefix)) return `event: error\ndata: ${JSON.stringify(body)}\n\n`;
  if (!isBelow(path, responsesPrefix)) return `data: ${JSON.stringify(body)}\n\n`;
  // The Responses API has the fields at the top level; OpenAI's own clients raise an error only for `error`.
  const { message, code, param } = body.error as Record<string, unknown>;
  const event = { type: 'error', code, message, param, ...body };
  return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
}

/** What the provider named stays as it is; `tenkey_code` is always ours. */
function openAiBody(problem: Problem, context: ProblemContext): Record<string, unknown> {
  const { code, details } = problem;
  const { upstream, param = null } = details;
  // Clients know this type from Anthropic, and OpenAI's own APIs name an overload in many ways.
  const isOverloaded = code === 'upstream_overloaded';
  const error = {
    message: sentenceOf(problem, context),
    type: isOverloaded ? 'overloaded_error' : (upstream?.type ?? openAiType(problem)),
    code: upstream?.code ?? (isOverloaded ? 'overloaded' : code),
    param,
    tenkey_code: code,
    ...(upstream?.innererror && { innererror: upstream.innererror }),
  };
  return { error };
}

/** https://docs.anthropic.com/en/api/errors, with further fields. Clients know only Anthropic's own types. */
function anthropicBody(problem: Problem, context: ProblemContext): Record<string, unknown> {
  const { code, details } = problem;
  const { upstream, param } = details;
  const error = {
    type: anthropicType(problem),
    message: sentenceOf(problem, context),
    code: upstream?.code ?? code,
    ...(param !== undefined && { param }),
    tenkey_code: code,
    ...(upstream?.innererror && { innererror: upstream.innererror }),
  };
  return { type: 'error', error, request_id: context.requestId };
}

function sentenceOf(problem: Problem, context: ProblemContext): string {
  const { message, status, code } = problem;
  const isForSysadmin = status === 424 || code === 'tenant_suspended' || code === 'model_not_allowed';
  const hint =
    context.isTenant && isForSysadmin ? 'Ask the administrator of this service.' : hintOf(problem, context);
  if (!hint) return message;
  // A title has no full stop, nor do the texts of some providers.
  return `${message}${/[.!?]$/.test(message) ? '' : '.'} ${hint}`;
}

function hintOf({ details: { hint } }: Problem, { publicUrl }: ProblemContext): string | undefined {
  return hint === undefined ? undefined : hintAt(publicUrl, hint);
}

/**
 * A hint names a request by its method and path. Behind a proxy with a path prefix, the client needs the whole address.
 * @param publicUrl the address of Tenkey for its clients, if it is known
 */
export function hintAt(publicUrl: string | undefined, hint: string): string {
  if (publicUrl === undefined) return hint;
  return hint.replace(/\b(?:GET|POST|PUT|PATCH|DELETE) (?=\/)/g, (method) => method + publicUrl);
}

function openAiType({ status, code }: Problem): string {
  if (code === 'overloaded' || code === 'upstream_overloaded') return 'overloaded_error';
  if (code === 'upstream_quota_exhausted') return 'insufficient_quota';
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'api_error' : 'invalid_request_error';
}

function anthropicType(problem: Problem): string {
  const { status } = problem;
  if (status === 402) return 'billing_error';
  if (status === 404) return 'not_found_error';
  if (status === 413) return 'request_too_large';
  if (status === 429) return 'rate_limit_error';
  if (status === 504) return 'timeout_error';
  return openAiType(problem);
}
