import { createHash, timingSafeEqual } from 'node:crypto';
import { type Secret } from '#crypto';
import { Problem } from '../problems/problem';

/**
 * The place of the presented key among the keys; -1: it is none of them. Digests have one length, and all keys are compared, so the
 * time says nothing about a key.
 */
export function indexAmong(presented: unknown, keys: readonly Secret[]): number {
  if (typeof presented !== 'string' || presented === '') return -1;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const presentedDigest = digest(presented);
  return keys.reduce(
    (found, key, index) => (timingSafeEqual(presentedDigest, digest(key.expose())) ? index : found),
    -1,
  );
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
