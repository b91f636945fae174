import type { Secret } from '#crypto';
import { credentialPath, Problem, type ProblemCode, tenantPath } from '#http';
import { type AddressPolicy, whatAllows } from '../address/address-policy';
import { AddressRefused } from '../address/guarded-connector';
import { ClientDisconnected } from '../cancellation';
import { ProxyError } from '../connection/proxy-tunnel';
import type { Destination } from '../route';
import { fieldsOf } from '../upstream-error';
import { problemOfProxy } from './proxy-problem';
import { cleanMessage } from './redact';

/**
 * Checks the address of a route before names are resolved; addresses from the operator are exempt.
 * @returns why nothing may be sent there, or undefined
 */
export function findAddressProblem(policy: AddressPolicy, route: Destination): Problem | undefined {
  const reason = route.isOperatorAddress ? undefined : policy.checkHost(route.url, route.egressAllow);
  return reason === undefined ? undefined : addressProblem(route, reason);
}

function addressProblem(route: Destination, reason: string): Problem {
  const { provider, tenantId } = route;
  const allows = whatAllows(reason, `PATCH ${tenantPath(tenantId)}`);
  return new Problem('endpoint_not_allowed', {
    status: 424,
    detail: `The ${provider.label} endpoint of tenant ${tenantId} leads to ${reason}.`,
    hint: `Set another endpoint: ${requestThatSets(route)}. ${allows}`,
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
  const codes = chain.map(codeOf);
  const texts = chain.map((each, index) => `${each.name} ${codes[index]}: ${each.message}`);
  const cause = new Error(cleanMessage(texts.join('; '), secrets));
  const place = `${route.provider.label} at ${route.url.host}`;
  // Every error of the connection has a code, so one without is a fault of Tenkey.
  const known = connectionErrors.find(([pattern]) => codes.some((each) => pattern.test(each)));
  if (known === undefined || codes.some((code) => /^UND_ERR_(INVALID_ARG|NOT_SUPPORTED)$/.test(code))) {
    return new Problem('internal_error', { cause });
  }
  const [, code, reason] = known;
  const proxyError = chain.find((each) => each instanceof ProxyError);
  if (proxyError !== undefined) return problemOfProxy(proxyError, { place, reason, code, cause });
  return new Problem(code, { detail: `${place} ${reason}.`, cause });
}

/** undici's HTTP parser gives an error a code only if it finds a name for its number. */
function codeOf({ code, name }: NodeJS.ErrnoException): string {
  return String(code ?? (name === 'HTTPParserError' ? 'HPE_UNNAMED' : ''));
}

/** Code of an error of the connection -> the problem, and what happened. The first one that fits is used. */
const connectionErrors = [
  [/^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/, 'upstream_timeout', 'did not accept the connection in time'],
  [/^UND_ERR_HEADERS_TIMEOUT$/, 'upstream_timeout', 'did not respond in time'],
  [/^UND_ERR_BODY_TIMEOUT$/, 'upstream_timeout', 'stopped in the middle of its response'],
  [/^(ENOTFOUND|EAI_\w+)$/, 'upstream_unavailable', 'cannot be reached: its name cannot be resolved'],
  [/^ECONNREFUSED$/, 'upstream_unavailable', 'cannot be reached: it refused the connection'],
  [
    /^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN)$/,
    'upstream_unavailable',
    'cannot be reached: its network is unreachable',
  ],
  [
    /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    'upstream_unavailable',
    'cannot be trusted: its TLS certificate has expired or is not valid yet',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'upstream_unavailable',
    'cannot be trusted: its TLS certificate is for another name',
  ],
  [
    /^(UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?)|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE)$/,
    'upstream_unavailable',
    'cannot be trusted: its TLS certificate is from an unknown authority',
  ],
  [
    /^(ERR_SSL_\w+|EPROTO|ERR_TLS_\w+|CERT_\w+)$/,
    'upstream_unavailable',
    'cannot be reached: the TLS handshake failed',
  ],
  [/^(Z_\w+|ERR__ERROR_\w+)$/, 'upstream_unavailable', 'sent a body that cannot be decoded'],
  [/^HPE_/, 'upstream_unavailable', 'sent a response that is not valid HTTP'],
  [/./, 'upstream_unavailable', 'closed the connection before its response was complete'],
] as const satisfies readonly (readonly [RegExp, ProblemCode, string])[];

/** The request that sets the credential of the route. */
export function requestThatSets(route: Destination): string {
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
