import { createHash, timingSafeEqual } from 'node:crypto';
import { type Secret } from '#crypto';
import { Problem } from '../problems/problem';

/** True when the presented key is one of the keys. Digests have one length, so the time says nothing about a key. */
export function isOneOf(presented: unknown, keys: readonly Secret[]): boolean {
  if (typeof presented !== 'string' || presented === '') return false;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const presentedDigest = digest(presented);
  return keys.reduce((found, key) => timingSafeEqual(presentedDigest, digest(key.expose())) || found, false);
}

/** Enough of a key's digest to tell keys apart; nothing of a random key can be found from it. */
export function fingerprintOf(key: string): string {
  return `sha256:${createHash('sha256').update(key).digest('hex').slice(0, 8)}`;
}

/** The key of an Authorization header. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

export function unauthenticatedSysadmin(): Problem {
  return new Problem('unauthenticated', {
    detail: 'The sysadmin API needs the super key or a sysadmin key.',
    hint: 'Send the header X-API-Key with the value of INTRIC_SUPER_API_KEY, or with a valid sysadmin key.',
  });
}

export function unauthenticatedPlatform(): Problem {
  return new Problem('unauthenticated', {
    detail: 'The platform API needs a tenant key or the platform key.',
    hint: 'Send the header Authorization: Bearer with a valid tenant key (Azure clients: api-key), or X-API-Key with the value of PLATFORM_API_KEY and X-Tenant-ID with the id of the tenant.',
  });
}
