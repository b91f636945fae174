import type { Secret } from '#crypto';
import { credentialPath, Problem } from '#http';
import type { Provider } from '#providers';
import type { AddressPolicy } from '../address/address-policy';
import { AddressRefused } from '../address/guarded-connector';
import { cleanMessage } from './redact';
import type { Destination } from '../route';

/** The caller left. Nothing is wrong and nobody waits for an answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
  constructor() {
    super('the caller closed the connection');
  }
}

/** Why a call was ended from our side: the signal's own Problem, else the caller left. */
export function goneBy(signal: AbortSignal): Problem | ClientGone {
  return signal.reason instanceof Problem ? signal.reason : new ClientGone();
}

/** What the upstream answered instead of a success, without the parts that are not ours to keep. */
export interface UpstreamRefusal {
  readonly status: number;
  /** As the provider wrote it; it may repeat the key. */
  readonly message: string;
  /** Those on the allow-list. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Why nothing may be sent there, as far as that shows before names are resolved. What the operator set is exempt. */
export function refusedAddress(policy: AddressPolicy, route: Destination): Problem | undefined {
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
        ? `Metadata addresses are never allowed. Set another endpoint: ${putOf(route)}`
        : `Set another endpoint (${putOf(route)}), or the operator allows it: EGRESS_ALLOW=${url.hostname}:${port}`,
  });
}

/** A call that got no answer, or lost it on the way. The library's text goes to the log only, cleaned. */
export function faultOf(
  route: Destination,
  error: unknown,
  secrets: readonly Secret[],
): Problem | ClientGone {
  if (error instanceof Problem || error instanceof ClientGone) return error;
  const chain = errorsOf(error);
  const refused = chain.find((each) => each instanceof AddressRefused);
  if (refused !== undefined) return addressProblem(route, refused.reason);
  const codes = chain.map((each) => String((each as NodeJS.ErrnoException).code ?? ''));
  const texts = chain.map((each, index) => `${each.name} ${codes[index]}: ${each.message}`);
  const cause = new Error(cleanMessage(texts.join('; '), secrets));
  const place = `${route.provider.label} at ${route.url.host}`;
  if (codes.some((code) => /^(UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT|ETIMEDOUT)$/.test(code))) {
    return new Problem('upstream_timeout', { detail: `${place} did not answer in time.`, cause });
  }
  if (codes.some((code) => /^UND_ERR_(INVALID_ARG|NOT_SUPPORTED)$/.test(code))) {
    return new Problem('internal_error', { cause });
  }
  return new Problem('upstream_unavailable', { detail: `${place} cannot be reached or broke off.`, cause });
}

/** The Problem for an answer that is no success. Written anew; only a refusal of the request quotes the provider. */
export function refusalOf(route: Destination, refusal: UpstreamRefusal, secrets: readonly Secret[]): Problem {
  const { status } = refusal;
  const { 'retry-after': retryAfter, 'x-request-id': requestId } = refusal.headers;
  // What a caller needs to wait as asked, and to ask the provider about it.
  const kept = { ...(retryAfter && { retryAfter }), ...(requestId && { upstreamRequestId: requestId }) };
  const { provider, credential } = route;
  const message = cleanMessage(refusal.message, secrets);
  const cause = new Error(`upstream status ${status}: ${message}`);
  if (isNetworkRule(provider, refusal)) {
    return new Problem('upstream_network_rules', {
      detail: `${provider.label} refused the call of tenant ${route.tenantId}: its network rules do not admit this server.`,
      hint: `Admit this server's address in the network rules of the ${provider.label} resource.`,
      cause,
      ...kept,
    });
  }
  if (isKeyRefused(provider, refusal)) {
    const whose =
      credential.source === 'global' ? 'the global credential' : `the credential of tenant ${route.tenantId}`;
    return new Problem('credential_rejected', {
      detail: `${provider.label} (${provider.id}) refused ${whose}, ${credential.mask}, with status ${status}.`,
      hint:
        credential.source === 'global'
          ? `Set a valid key in ${provider.globalVariables.apiKey}.`
          : putOf(route),
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
        ? `${provider.label} at ${route.url.host} answered with a redirect (${status}), which is never followed.`
        : `${provider.label} at ${route.url.host} failed with status ${status}.`,
    cause,
    ...kept,
  });
}

/** Whether a 401 or 403 is of the provider's own network rules; asked before `isKeyRefused`. */
export function isNetworkRule(
  provider: Provider,
  { status, message }: Pick<UpstreamRefusal, 'status' | 'message'>,
): boolean {
  return (status === 401 || status === 403) && provider.isNetworkRuleRefusal?.(message) === true;
}

export function isKeyRefused(
  provider: Provider,
  { status, message }: Pick<UpstreamRefusal, 'status' | 'message'>,
): boolean {
  return provider.isCredentialRefusal?.(status, message) ?? (status === 401 || status === 403);
}

/** An error that the provider sends inside a stream that began as a success. */
export function streamProblem(route: Destination, message: string, secrets: readonly Secret[]): Problem {
  const said = cleanMessage(message, secrets);
  const detail = `${route.provider.label} broke off its answer${said === '' ? '.' : `: ${said}`}`;
  return new Problem('upstream_unavailable', { detail });
}

/** The sentence in an error body of any dialect: `error.message`, `message`, `detail`, or the text itself. */
export function messageOf(body: string): string {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // A page of HTML says nothing to the caller.
    return body.trimStart().startsWith('<') ? '' : body;
  }
  // Some wrap their error in a list.
  const { error, message, detail } = fieldsOf(Array.isArray(json) ? json[0] : json);
  const found = [fieldsOf(error).message, error, message, detail, json].find(
    (each) => typeof each === 'string',
  );
  return typeof found === 'string' ? found : faultsIn(detail ?? message);
}

/** FastAPI's list of faulty fields: `[{ loc: ['body', 'model'], msg: 'Field required' }]`. */
function faultsIn(detail: unknown): string {
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

function putOf(route: Destination): string {
  return `PUT ${credentialPath(route.tenantId, route.provider.id)}`;
}

/** The error, its causes and (several addresses tried) its parts; bounded, since a cause may be circular. */
export function errorsOf(error: unknown): Error[] {
  const found: Error[] = [];
  const open: unknown[] = [error];
  while (open.length > 0 && found.length < 20) {
    const next = open.shift();
    if (!(next instanceof Error) && fieldsOf(next).message === undefined) continue;
    const each = next as Error;
    found.push(each);
    open.push(each.cause);
    if (each instanceof AggregateError) open.push(...(each.errors as unknown[]));
  }
  return found;
}
