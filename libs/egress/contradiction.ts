import type { Destination } from './route';

/**
 * The last check before a key is sent to an address. The tenant, provider and version must be those of the credential. The
 * address must be at the host of the route: the credential's endpoint, or the operator's address if it has none.
 * @returns what contradicts, or undefined
 */
export function contradictionIn(route: Destination): string | undefined {
  const { credential, url, provider, tenantId } = route;
  if (credential.tenantId !== tenantId) return 'the credential belongs to another tenant';
  if (credential.provider.id !== provider.id) return 'the credential is for another provider';
  if (credential.version !== route.version) return 'the credential has another version';
  if (url.host !== route.host) return 'the address is not at the host of the route';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'the address is not http or https';
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    return 'the address has a user name, a password or a fragment';
  const endpoint = credential.settings['endpoint'];
  if (credential.source === 'tenant' && route.isOperatorAddress !== (typeof endpoint !== 'string')) {
    return 'the credential and the route disagree about whose address it is';
  }
  if (route.isOperatorAddress) return undefined;
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint) || new URL(endpoint).origin !== url.origin) {
    return "the address is not at the credential's endpoint";
  }
  return undefined;
}
