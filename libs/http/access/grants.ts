/** What a scoped sysadmin key may be given. Changes of tenants and of sysadmin keys stay with the super key. */
export const scopes = [
  'tenants:read',
  'credentials:read',
  'credentials:write',
  'keys:write',
  'usage:read',
  'audit:read',
  'encryption:rotate',
] as const;

export type Scope = (typeof scopes)[number];

/** Who may call a route. */
export type Audience = 'sysadmin' | 'platform' | 'public';

/** What a route declares of its callers. */
export interface Declaration {
  readonly audience: Audience;
  /** The scope that opens it for a scoped sysadmin key; none: it is for the super key alone. */
  readonly scope?: Scope;
  /** The route has no tenant in its path and itself leaves out what is not of `tenantsOf` the grant. */
  readonly filtersTenants?: boolean;
}

/** The super key: everything. */
export interface SuperGrant {
  readonly kind: 'super';
  readonly actor: string;
}

/** A scoped sysadmin key: the routes of its scopes, perhaps of some tenants only. */
export interface ScopedGrant {
  readonly kind: 'scoped';
  readonly actor: string;
  readonly sysadminKeyId: string;
  readonly scopes: readonly Scope[];
  /** Null: all tenants. */
  readonly tenantIds: readonly string[] | null;
  /** Null: never. Nothing that it grants may live longer. */
  readonly expiresAt: Date | null;
}

/** What the presented key opens of the sysadmin API. */
export type SysadminGrant = SuperGrant | ScopedGrant;

/** PLATFORM_API_KEY: every tenant, by X-Tenant-ID. */
export interface PlatformWideGrant {
  readonly kind: 'platform';
}

/** A tenant key: this tenant alone. */
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
 * The keys that Tenkey issues, as authentication asks for them; the composition root hands them in. Asked for each request
 * anew, so that a revoked key opens nothing from then on.
 */
export interface IssuedKeys {
  /** @returns undefined for whatever is no valid key, without a word on why */
  tenantGrant(presented: string): Promise<TenantGrant | undefined>;
  /** @returns undefined for whatever is no valid key, without a word on why */
  scopedGrant(presented: string): Promise<ScopedGrant | undefined>;
  /**
   * Counts one request of the key.
   * @throws Problem rate_limited
   */
  countRequest(grant: TenantGrant): void;
}

/** The tenants that a grant is for; undefined: all. */
export function tenantsOf(grant: SysadminGrant): readonly string[] | undefined {
  return grant.kind === 'super' ? undefined : (grant.tenantIds ?? undefined);
}
