import { createHash, timingSafeEqual } from 'node:crypto';
import { type Secret } from '#crypto';
import { Problem } from '../problems/problem';

/** True when the presented key is one of ours. Digests have one length, so the time tells nothing about the key. */
export function isOneOf(presented: unknown, keys: readonly Secret[]): boolean {
  if (typeof presented !== 'string' || presented === '') return false;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const given = digest(presented);
  return keys.reduce((found, key) => timingSafeEqual(given, digest(key.expose())) || found, false);
}

/** Enough of a key's digest to tell keys apart; nothing of a key of random text can be found from it. */
export function fingerprintOf(key: string): string {
  return `sha256:${createHash('sha256').update(key).digest('hex').slice(0, 8)}`;
}

export function unauthenticatedSysadmin(): Problem {
  return new Problem('unauthenticated', {
    detail: 'The sysadmin API needs the super API key or a sysadmin key.',
    hint: 'Send the header X-API-Key with the value of INTRIC_SUPER_API_KEY, or with a sysadmin key that is valid now.',
  });
}

export function unauthenticatedPlatform(): Problem {
  return new Problem('unauthenticated', {
    detail: 'The platform API needs a tenant key or the platform key.',
    hint: 'Send the header Authorization: Bearer with a tenant key that is valid now, or X-API-Key with the value of PLATFORM_API_KEY and X-Tenant-ID with the tenant.',
  });
}
