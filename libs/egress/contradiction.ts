import type { Destination } from './route';

/**
 * The last check before a key meets an address: tenant, provider and version must be those of the credential, and the
 * address at the host that was decided on: the credential's own endpoint, or the operator's where the credential has none.
 */
export function contradictionIn(route: Destination): string | undefined {
  const { credential, url, provider, tenantId } = route;
  if (credential.tenantId !== tenantId) return 'the credential is of another tenant';
  if (credential.provider.id !== provider.id) return 'the credential is for another provider';
  if (credential.version !== route.version) return 'the credential is of another version';
  if (url.host !== route.host) return 'the address is at another host than was decided';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'the address is not http or https';
  if (url.username !== '' || url.password !== '' || url.hash !== '') return 'the address has foreign parts';
  const endpoint = credential.settings['endpoint'];
  if (credential.source === 'tenant' && route.isOperatorAddress !== (typeof endpoint !== 'string')) {
    return 'whose address it is does not follow from the credential';
  }
  if (route.isOperatorAddress) return undefined;
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint) || new URL(endpoint).origin !== url.origin) {
    return "the address is not at the credential's endpoint";
  }
  return undefined;
}
