import { type Schemas } from '../../api/client';
import { type Scope } from '../../api/session';
import { scopeWords } from './scope-words';

export type SysadminKey = Schemas['SysadminKeyResponse'];

const UNUSED_DAYS = 90;
const EXPIRING_DAYS = 14;
const DAY_MS = 86_400_000;

/** What is worth a look in a list of keys. */
export interface KeyHints {
  /** Keys that work and were not used for 90 days. */
  readonly unused: readonly SysadminKey[];
  /** Keys that work and have no expiry. */
  readonly unlimited: readonly SysadminKey[];
  /** Keys that expire within two weeks. */
  readonly expiring: readonly SysadminKey[];
  /** Keys that opened nothing since their expiry. */
  readonly expired: readonly SysadminKey[];
  /** Scopes that no key has that works and is for all tenants. */
  readonly missing: readonly Scope[];
}

export function hintsOf(keys: readonly SysadminKey[], now = Date.now()): KeyHints {
  const active = keys.filter(({ status }) => status === 'active');
  const had = new Set(active.filter(({ tenant_ids: ids }) => ids === null).flatMap(({ scopes }) => scopes));
  return {
    unused: active.filter((key) => isUnused(key, now)),
    unlimited: active.filter(({ expires_at: expiresAt }) => expiresAt === null),
    expiring: active.filter(({ expires_at: expiresAt }) => expiresAt !== null && isSoon(expiresAt, now)),
    expired: keys.filter(({ status }) => status === 'expired'),
    missing: scopeWords.map(({ scope }) => scope).filter((scope) => !had.has(scope)),
  };
}

/** A new key has 90 days to be used for the first time. */
export function isUnused(
  { last_used_at: used, created_at: created }: SysadminKey,
  now = Date.now(),
): boolean {
  return now - Date.parse(used ?? created) > UNUSED_DAYS * DAY_MS;
}

function isSoon(time: string, now: number): boolean {
  return Date.parse(time) - now < EXPIRING_DAYS * DAY_MS;
}
