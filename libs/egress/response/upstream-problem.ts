import type { Secret } from '#crypto';
import { Problem, type ProblemCode } from '#http';
import type { Provider } from '#providers';
import type { Route } from '../route';
import { type UpstreamError } from '../upstream-error';
import { requestThatSets } from './connection-problem';
import { cleanMessage } from './redact';

/** The parts that are kept of a response that reports an error. */
export interface UpstreamErrorResponse {
  /** Undefined: the response began as a success, and the error says by itself what it is. */
  readonly status: number | undefined;
  /** Undefined: a success without a result. */
  readonly error: UpstreamError | undefined;
  /** Only those on the allow-list. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The Problem for an error that the provider reported. Keeps the provider's message, code, type and parameter, because clients
 * decide by them. An error about the credential concerns the sysadmin, so it has our own text.
 */
export function problemOfResponse(
  route: Route,
  { status: headStatus, error, headers: passed }: UpstreamErrorResponse,
  secrets: readonly Secret[],
): Problem {
  const { provider, credential } = route;
  // Our body has its own content type.
  const headers = Object.fromEntries(Object.entries(passed).filter(([name]) => !name.startsWith('content-')));
  const place = `${provider.label} at ${route.url.host}`;
  if (error === undefined) {
    const detail = `${place} responded with a success status but without a result.`;
    return new Problem('upstream_unavailable', { detail, headers });
  }
  const status = headStatus ?? statusOf(error);
  const message = cleanMessage(error.message, secrets);
  const cause = new Error(`upstream status ${headStatus ?? `200, error ${status}`}: ${message}`);
  const received = { status, message: error.message };
  if (isRefusedByNetworkRules(provider, received)) {
    return new Problem('upstream_network_rules', {
      detail: `${provider.label} refused the call of tenant ${route.tenantId}: its network rules do not admit this server.`,
      hint: `Allow this server's address in the network rules of the ${provider.label} resource.`,
      cause,
      headers,
    });
  }
  const reported = (code: ProblemCode, ours: string, ourStatus?: number) =>
    new Problem(code, {
      status: ourStatus,
      detail: message === '' ? `${provider.label} ${ours}.` : message,
      ...upstreamFields(error, secrets),
      cause,
      headers,
    });
  if (isFiltered(error)) {
    return reported('upstream_rejected_request', 'filtered the content', rejectedStatus(status));
  }
  if (isQuotaExhausted(status, error)) {
    const ours = status === 429 ? 429 : 402;
    return reported('upstream_quota_exhausted', 'reports that the account has no credit or quota left', ours);
  }
  if (isOverloaded(status, error)) {
    // Anthropic's clients expect their own status.
    return reported(
      'upstream_overloaded',
      'is overloaded',
      route.operation.startsWith('messages') ? 529 : 503,
    );
  }
  if (isKeyRefused(provider, received)) {
    const whose =
      credential.source === 'global' ? 'the global credential' : `the credential of tenant ${route.tenantId}`;
    return new Problem('credential_rejected', {
      detail: `${provider.label} (${provider.id}) refused ${whose}, ${credential.mask}, with status ${status}.`,
      hint:
        credential.source === 'global'
          ? `Set a valid key in ${provider.globalVariables.apiKey}.`
          : requestThatSets(route),
      cause,
      headers,
    });
  }
  if (status === 429) return reported('upstream_rate_limited', 'has rate-limited this credential');
  // The last two are Cloudflare's, which is in front of many providers.
  if ([408, 504, 522, 524].includes(status)) return reported('upstream_timeout', 'did not respond in time');
  if (status >= 400 && status < 500) {
    const ours = `refused the request with status ${status}`;
    return reported('upstream_rejected_request', ours, rejectedStatus(status));
  }
  if (status >= 400) {
    const ours =
      headStatus === undefined
        ? 'reported an error in its response'
        : `at ${route.url.host} failed with status ${status}`;
    return reported('upstream_unavailable', ours);
  }
  return new Problem('upstream_unavailable', {
    detail: `${place} responded with a redirect (${status}), which Tenkey never follows.`,
    cause,
    headers,
  });
}

/** The status of an error inside a success: the one that it names, or the usual one of its code or type; 502 for any other. */
function statusOf({ status, code, type }: UpstreamError): number {
  return status ?? statusByName.get(String(code)) ?? statusByName.get(String(type)) ?? 502;
}

const statusByName: ReadonlyMap<string, number> = new Map(
  Object.entries({
    invalid_request_error: 400,
    context_length_exceeded: 400,
    content_filter: 400,
    invalid_prompt: 400,
    authentication_error: 401,
    invalid_api_key: 401,
    billing_error: 402,
    permission_error: 403,
    not_found_error: 404,
    model_not_found: 404,
    request_too_large: 413,
    insufficient_quota: 429,
    rate_limit_error: 429,
    rate_limit_exceeded: 429,
    timeout_error: 504,
    overloaded_error: 529,
  }),
);

function rejectedStatus(status: number): number {
  return [400, 404, 409, 413, 422, 451].includes(status) ? status : 400;
}

function isFiltered({ code, innerCode, filterResult }: UpstreamError): boolean {
  const names = /^(content_?filter(ed)?|content_policy_violation|ResponsibleAIPolicyViolation)$/i;
  return filterResult !== undefined || names.test(String(code)) || names.test(String(innerCode));
}

export function isQuotaExhausted(status: number, { code, type, message }: UpstreamError): boolean {
  const names = /^(insufficient_(quota|balance|credits?|funds)|billing_\w+|credits?_exhausted)$/i;
  if (status === 402 || names.test(String(code)) || names.test(String(type))) return true;
  // Anthropic's older response has the type `invalid_request_error`.
  return status === 400 && /\bcredit balance is too low\b/i.test(message);
}

function isOverloaded(status: number, { code, type }: UpstreamError): boolean {
  const names = /^(engine_)?overloaded(_error)?$/i;
  return status === 529 || names.test(String(code)) || names.test(String(type));
}

/** Only plain names are passed on, because any other value could be text or a key. */
function upstreamFields(
  { code, type, param, innerCode, filterResult }: UpstreamError,
  secrets: readonly Secret[],
): Pick<Problem['details'], 'param' | 'upstream'> {
  const name = (value: unknown) => (isPlainName(value, secrets) ? value : undefined);
  const inner = { code: name(innerCode), content_filter_result: plainPartOf(filterResult, secrets) };
  const innererror = inner.code === undefined && filterResult === undefined ? undefined : inner;
  return { param: name(param), upstream: { code: name(code), type: name(type), innererror } };
}

function isPlainName(value: unknown, secrets: readonly Secret[]): value is string {
  return (
    typeof value === 'string' &&
    /^[A-Za-z0-9_.:-]{1,64}$/.test(value) &&
    cleanMessage(value, secrets) === value
  );
}

/** Booleans, numbers and plain names, as deep as Azure nests them. */
function plainPartOf(value: unknown, secrets: readonly Secret[], depth = 0): unknown {
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'string') return isPlainName(value, secrets) ? value : undefined;
  if (typeof value !== 'object' || value === null || depth === 6) return undefined;
  if (Array.isArray(value)) {
    const items = value.slice(0, 32).map((each) => plainPartOf(each, secrets, depth + 1));
    return items.filter((each) => each !== undefined);
  }
  const entries = Object.entries(value)
    .slice(0, 32)
    .filter(([name]) => isPlainName(name, secrets))
    .map(([name, each]) => [name, plainPartOf(each, secrets, depth + 1)] as const);
  return Object.fromEntries(entries.filter(([, each]) => each !== undefined));
}

interface ReceivedError {
  readonly status: number;
  /** The provider's own text. It may repeat the key, so it is only compared. */
  readonly message: string;
}

/** Whether a 401 or 403 comes from the provider's network rules. Check this before `isKeyRefused`. */
export function isRefusedByNetworkRules(provider: Provider, { status, message }: ReceivedError): boolean {
  return (status === 401 || status === 403) && provider.isNetworkRuleRefusal?.(message) === true;
}

export function isKeyRefused(provider: Provider, { status, message }: ReceivedError): boolean {
  return provider.isCredentialRefusal?.(status, message) ?? (status === 401 || status === 403);
}
