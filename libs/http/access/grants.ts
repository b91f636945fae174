import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { fingerprintOf, unauthenticatedSysadmin } from './keys';

/** What a scoped sysadmin key may be granted. Only the super key changes sysadmin keys. */
export const scopes = [
  'tenants:read',
  'tenants:write',
  'credentials:read',
  'credentials:write',
  'keys:write',
  'usage:read',
  'audit:read',
  'readiness:read',
  'encryption:rotate',
] as const;

export type Scope = (typeof scopes)[number];

/** Where a request has its grant from when it came with a session and not with a key. */
export interface GrantingSession {
  readonly id: string;
  /** When the session ends, however much it is used. */
  readonly expiresAt: Date;
}

/** The super key opens every route of the sysadmin API, for all tenants, and does not expire. */
interface SuperGrant {
  readonly kind: 'super';
  readonly actor: string;
  readonly tenantIds: null;
  readonly expiresAt: null;
  /** Undefined: the key itself was presented. */
  readonly session?: GrantingSession;
}

/** A scoped sysadmin key opens the routes of its scopes. */
interface ScopedGrant {
  readonly kind: 'scoped';
  readonly actor: string;
  readonly sysadminKeyId: string;
  readonly scopes: readonly Scope[];
  /** Null: all tenants. */
  readonly tenantIds: readonly string[] | null;
  /** When the key expires. Null: it does not. A key that is created with this one must not live longer. */
  readonly expiresAt: Date | null;
  /** Undefined: the key itself was presented. */
  readonly session?: GrantingSession;
}

/** What the presented key opens of the sysadmin API. With a session, it is what the key of the session opens. */
export type SysadminGrant = SuperGrant | ScopedGrant;

/** @param key one of the super keys */
export function superGrantOf(key: string): SysadminGrant {
  return { kind: 'super', actor: `super-key ${fingerprintOf(key)}`, tenantIds: null, expiresAt: null };
}

/** The grant of the request, as a parameter of a route's method: `@SysadminGrant() grant: SysadminGrant`. */
export const SysadminGrant = createParamDecorator((_: unknown, context: ExecutionContext): SysadminGrant => {
  const { sysadminGrant } = context.switchToHttp().getRequest<FastifyRequest>().tenkey.grant;
  if (sysadminGrant === undefined) throw unauthenticatedSysadmin();
  return sysadminGrant;
});

/** PLATFORM_API_KEY opens the platform API for the tenant in X-Tenant-ID. */
interface PlatformWideGrant {
  readonly kind: 'platform';
}

/** A tenant key opens the platform API for its tenant. */
export interface TenantGrant {
  readonly kind: 'tenant';
  readonly tenantKeyId: string;
  readonly tenantId: string;
  /** Null: every model. */
  readonly allowedModels: readonly string[] | null;
  /** Null: no limit. */
  readonly requestsPerMinute: number | null;
  /** Null: no limit. */
  readonly tokensPerMinute: number | null;
}

/** What the presented key opens of the platform API. */
export type PlatformGrant = PlatformWideGrant | TenantGrant;

/**
 * The keys that Tenkey issues, as authentication needs them; apps/api provides them. Each request looks its key up, so that a
 * revoked key opens nothing from then on.
 */
export interface IssuedKeys {
  /** @returns undefined for a text that is not a valid key; it does not say why */
  tenantGrant(presented: string): Promise<TenantGrant | undefined>;
  /** @returns undefined for a text that is not a valid key; it does not say why */
  sysadminGrant(presented: string): Promise<SysadminGrant | undefined>;
  /** @returns undefined for a text that is not the token of a session, or of one that has ended */
  sessionGrant(token: string): Promise<SysadminGrant | undefined>;
  /**
   * Whether the grant that was found for a request can still be used.
   * @param ageMs how long ago it was found
   */
  isCurrent(grant: TenantGrant, ageMs: number): boolean;
  /**
   * Counts one request of the key.
   * @returns undefined when it is counted, else a promise that resolves when it is
   * @throws Problem rate_limited. The promise rejects with it as well
   */
  countRequest(grant: TenantGrant): Promise<void> | undefined;
}
