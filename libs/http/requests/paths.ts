/** The prefixes of the two APIs. They decide how a route is guarded and how its problems look. */
export const sysadminPrefix = '/api/v1/sysadmin';
export const platformPrefix = '/v1';
/** The platform API at the addresses of Azure's clients, which are aliases of routes below /v1. */
export const azurePrefix = '/openai';

/** The routes that monitoring calls all the time. */
export const probes: ReadonlySet<string> = new Set(['/health', '/ready', `${sysadminPrefix}/metrics`]);

/** The routes of one tenant. For a route's pattern, pass the name of its parameter: `:tenant_id`. */
export function tenantPath(tenantId: string): string {
  return `${sysadminPrefix}/tenants/${tenantId}`;
}

/** The routes of a tenant's credential for one provider. */
export function credentialPath(tenantId: string, providerId: string): string {
  return `${tenantPath(tenantId)}/credentials/${providerId}`;
}

/** The credentials of all tenants. */
export const credentialsPath = `${sysadminPrefix}/credentials`;

/** True when the path is the prefix or below it. */
export function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

/** True for the addresses of the platform API, in either form. */
export function isPlatformPath(path: string): boolean {
  return isBelow(path, platformPrefix) || isBelow(path, azurePrefix);
}

/** @param url the target of a request, which may be a whole URL (RFC 9112, 3.2.2) */
export function pathOf(url: string): string {
  const target = url.startsWith('/') ? url : url.replace(/^[a-z]+:\/\/[^/?#]*/i, '');
  return target.split('?', 1)[0] || '/';
}
