import { type PlatformGrant, type SysadminGrant } from './grants';

/** What the key of a request allows, as far as it is known: nothing until the key is accepted. */
export class RequestGrant {
  #grant: SysadminGrant | PlatformGrant | undefined = undefined;
  #grantedAt: number | undefined = undefined;

  accept(grant: SysadminGrant | PlatformGrant): void {
    this.#grant = grant;
    this.#grantedAt = performance.now();
  }

  /** The key is no longer valid. The log line still names it; the audit must not. */
  withdraw(): void {
    this.#grantedAt = undefined;
  }

  /** How long ago the key was last found valid; undefined: it is not valid, or none was presented yet. */
  get grantAgeMs(): number | undefined {
    return this.#grantedAt === undefined ? undefined : performance.now() - this.#grantedAt;
  }

  get sysadminGrant(): SysadminGrant | undefined {
    const grant = this.#grantedAt === undefined ? undefined : this.#grant;
    return grant?.kind === 'super' || grant?.kind === 'scoped' ? grant : undefined;
  }

  get platformGrant(): PlatformGrant | undefined {
    const grant = this.#grantedAt === undefined ? undefined : this.#grant;
    return grant?.kind === 'platform' || grant?.kind === 'tenant' ? grant : undefined;
  }

  /** The id of an issued key; undefined for the keys of the environment. */
  get issuedKeyId(): string | undefined {
    if (this.#grant?.kind === 'tenant') return this.#grant.tenantKeyId;
    return this.#grant?.kind === 'scoped' ? this.#grant.sysadminKeyId : undefined;
  }

  /** The tenant of a tenant key. */
  get tenantId(): string | undefined {
    return this.#grant?.kind === 'tenant' ? this.#grant.tenantId : undefined;
  }

  /** The models that it may call; undefined: all. */
  get allowedModels(): readonly string[] | undefined {
    return this.#grant?.kind === 'tenant' ? (this.#grant.allowedModels ?? undefined) : undefined;
  }

  /** How many tokens it may use in a minute; undefined: no limit. */
  get tokensPerMinute(): number | undefined {
    return this.#grant?.kind === 'tenant' ? (this.#grant.tokensPerMinute ?? undefined) : undefined;
  }
}
