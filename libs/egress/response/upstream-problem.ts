import type { Secret } from '#crypto';
import { credentialPath, Problem } from '#http';
import type { Provider } from '#providers';
import type { AddressPolicy } from '../address/address-policy';
import { AddressRefused } from '../address/guarded-connector';
import { cleanMessage } from './redact';
import { ClientDisconnected } from '../cancellation';
import type { Destination } from '../route';

/** The parts that are kept of an upstream response that is not a success. */
export interface UpstreamErrorResponse {
  readonly status: number;
  /** The provider's own text. It may repeat the key. */
  readonly message: string;
  /** Only those on the allow-list. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Checks the address of a route before names are resolved; addresses from the operator are exempt.
 * @returns why nothing may be sent there, or undefined
 */
export function findAddressProblem(policy: AddressPolicy, route: Destination): Problem | undefined {
  const reason = route.isOperatorAddress ? undefined : policy.checkHost(route.url);
  return reason === undefined ? undefined : addressProblem(route, reason);
}

function addressProblem(route: Destination, reason: string): Problem {
  const { url, provider, tenantId } = route;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return new Problem('endpoint_not_allowed', {
    status: 424,
    detail: `The ${provider.label} endpoint of tenant ${tenantId} leads to ${reason}.`,
    hint:
      reason === 'a metadata address'
        ? `Metadata addresses are never allowed. Set another endpoint: ${requestThatSets(route)}`
        : `Set another endpoint (${requestThatSets(route)}), or ask the operator to allow this one: EGRESS_ALLOW=${url.hostname}:${port}`,
  });
}

/** The Problem for a call without a response, or with one that broke off. The HTTP library's text is cleaned and only logged. */
export function problemOfError(
  route: Destination,
  error: unknown,
  secrets: readonly Secret[],
): Problem | ClientDisconnected {
  if (error instanceof Problem || error instanceof ClientDisconnected) return error;
  const chain = errorChain(error);
  const refusal = chain.find((each) => each instanceof AddressRefused);
  if (refusal !== undefined) return addressProblem(route, refusal.reason);
  const codes = chain.map((each) => String((each as NodeJS.ErrnoException).code ?? ''));
  const texts = chain.map((each, index) => `${each.name} ${codes[index]}: ${each.message}`);
  const cause = new Error(cleanMessage(texts.join('; '), secrets));
  const place = `${route.provider.label} at ${route.url.host}`;
  if (codes.some((code) => /^(UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT|ETIMEDOUT)$/.test(code))) {
    return new Problem('upstream_timeout', { detail: `${place} did not respond in time.`, cause });
  }
  if (codes.some((code) => /^UND_ERR_(INVALID_ARG|NOT_SUPPORTED)$/.test(code))) {
    return new Problem('internal_error', { cause });
  }
  return new Problem('upstream_unavailable', {
    detail: `${place} cannot be reached or closed the connection.`,
    cause,
  });
}

/** The Problem for an upstream response that is not a success. Only a rejected request quotes the provider's text. */
export function problemOfResponse(
  route: Destination,
  response: UpstreamErrorResponse,
  secrets: readonly Secret[],
): Problem {
  const { status } = response;
  const { 'retry-after': retryAfter, 'x-request-id': requestId } = response.headers;
  // The client needs these to wait as long as the provider asks, and to contact the provider's support.
  const kept = { ...(retryAfter && { retryAfter }), ...(requestId && { upstreamRequestId: requestId }) };
  const { provider, credential } = route;
  const message = cleanMessage(response.message, secrets);
  const cause = new Error(`upstream status ${status}: ${message}`);
  if (isRefusedByNetworkRules(provider, response)) {
    return new Problem('upstream_network_rules', {
      detail: `${provider.label} refused the call of tenant ${route.tenantId}: its network rules do not admit this server.`,
      hint: `Admit this server's address in the network rules of the ${provider.label} resource.`,
      cause,
      ...kept,
    });
  }
  if (isKeyRefused(provider, response)) {
    const whose =
      credential.source === 'global' ? 'the global credential' : `the credential of tenant ${route.tenantId}`;
    return new Problem('credential_rejected', {
      detail: `${provider.label} (${provider.id}) refused ${whose}, ${credential.mask}, with status ${status}.`,
      hint:
        credential.source === 'global'
          ? `Set a valid key in ${provider.globalVariables.apiKey}.`
          : requestThatSets(route),
      cause,
      ...kept,
    });
  }
  if (status === 429) {
    return new Problem('upstream_rate_limited', {
      detail: `${provider.label} limits the rate of this credential.`,
      ...kept,
      cause,
    });
  }
  if (status >= 400 && status < 500) {
    return new Problem('upstream_rejected_request', {
      status: [400, 404, 413, 422].includes(status) ? status : 400,
      detail: message === '' ? `${provider.label} refused the request with status ${status}.` : message,
      cause,
      ...kept,
    });
  }
  return new Problem('upstream_unavailable', {
    detail:
      status < 400
        ? `${provider.label} at ${route.url.host} responded with a redirect (${status}), which is never followed.`
        : `${provider.label} at ${route.url.host} failed with status ${status}.`,
    cause,
    ...kept,
  });
}

/** Whether a 401 or 403 comes from the provider's network rules. Check this before `isKeyRefused`. */
export function isRefusedByNetworkRules(
  provider: Provider,
  { status, message }: Pick<UpstreamErrorResponse, 'status' | 'message'>,
): boolean {
  return (status === 401 || status === 403) && provider.isNetworkRuleRefusal?.(message) === true;
}

export function isKeyRefused(
  provider: Provider,
  { status, message }: Pick<UpstreamErrorResponse, 'status' | 'message'>,
): boolean {
  return provider.isCredentialRefusal?.(status, message) ?? (status === 401 || status === 403);
}

/** The Problem for an error that the provider sends inside a stream that started as a success. */
export function problemOfErrorEvent(
  route: Destination,
  message: string,
  secrets: readonly Secret[],
): Problem {
  const cleaned = cleanMessage(message, secrets);
  const detail = `${route.provider.label} broke off its response${cleaned === '' ? '.' : `: ${cleaned}`}`;
  return new Problem('upstream_unavailable', { detail });
}

/** The message in an error body of any dialect: `error.message`, `message`, `detail`, or the text itself. */
export function errorMessageIn(body: string): string {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // An HTML page tells the client nothing.
    return body.trimStart().startsWith('<') ? '' : body;
  }
  // Some providers wrap the error in a list.
  const { error, message, detail } = fieldsOf(Array.isArray(json) ? json[0] : json);
  const text = [fieldsOf(error).message, error, message, detail, json].find(
    (each) => typeof each === 'string',
  );
  return typeof text === 'string' ? text : fieldMessagesIn(detail ?? message);
}

/** FastAPI's list of faulty fields: `[{ loc: ['body', 'model'], msg: 'Field required' }]`. */
function fieldMessagesIn(detail: unknown): string {
  const list = Array.isArray(detail) ? detail : fieldsOf(detail).detail;
  if (!Array.isArray(list)) return '';
  const texts = list.map(fieldsOf).map(({ loc, msg }) => {
    const place = Array.isArray(loc) ? loc.filter((each) => each !== 'body').join('.') : '';
    return typeof msg === 'string' ? `${place}${place === '' ? '' : ': '}${msg}` : '';
  });
  return texts.filter((text) => text !== '').join('; ');
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The request that sets the credential of the route. */
function requestThatSets(route: Destination): string {
  return `PUT ${credentialPath(route.tenantId, route.provider.id)}`;
}

/** The error, its causes and the errors of each address that was tried. Limited to 20, because a cause may be circular. */
export function errorChain(error: unknown): Error[] {
  const chain: Error[] = [];
  const open: unknown[] = [error];
  while (open.length > 0 && chain.length < 20) {
    const next = open.shift();
    if (!(next instanceof Error) && fieldsOf(next).message === undefined) continue;
    const each = next as Error;
    chain.push(each);
    open.push(each.cause);
    if (each instanceof AggregateError) open.push(...(each.errors as unknown[]));
  }
  return chain;
}
