import { type FastifyRequest } from 'fastify';
import { type Secret } from '#crypto';
import { type IssuedKeys, type PlatformGrant, type SysadminGrant } from './grants';
import { bearerOf, fingerprintOf, isOneOf, unauthenticatedPlatform, unauthenticatedSysadmin } from './keys';

/**
 * How old the grant of a sysadmin key may be when it is used. A body may take minutes to arrive, and its key may be revoked in that
 * time; most requests still need only one look-up.
 */
const maximumGrantAgeMs = 1000;

/** The keys of the environment. */
export interface EnvironmentKeys {
  readonly superApiKeys: readonly Secret[];
  readonly platformApiKeys: readonly Secret[];
}

/**
 * Finds out what the presented key opens. The hook `authenticate` looks the key up, and the guards use its grant unless that is
 * too old. The two APIs share no key: a key of one is unknown to the other.
 */
export class Authentication {
  constructor(
    private readonly environment: EnvironmentKeys,
    private readonly issued: IssuedKeys,
  ) {}

  /** @throws Problem unauthenticated */
  async sysadmin(request: FastifyRequest): Promise<SysadminGrant> {
    const { grant: held } = request.tenkey;
    const known = hasRecentGrant(request) ? held.sysadminGrant : undefined;
    if (known !== undefined) return known;
    const grant = await this.findSysadmin(request.headers['x-api-key']);
    if (grant === undefined) {
      held.withdraw();
      throw unauthenticatedSysadmin();
    }
    held.accept(grant);
    return grant;
  }

  /**
   * What the key opens now. Nothing waits while the result of an earlier look-up for this request is still valid.
   * @throws Problem unauthenticated, rate_limited
   */
  platform(request: FastifyRequest): PlatformGrant | Promise<PlatformGrant> {
    const { platformGrant: known, grantAgeMs = 0 } = request.tenkey.grant;
    if (known?.kind === 'platform' || (known && this.issued.isCurrent(known, grantAgeMs))) return known;
    return this.lookUpPlatform(request);
  }

  private async lookUpPlatform(request: FastifyRequest): Promise<PlatformGrant> {
    const { grant: held } = request.tenkey;
    const grant = await this.findPlatform(request);
    if (grant === undefined) {
      held.withdraw();
      throw unauthenticatedPlatform();
    }
    const isCounted = grant.kind === 'tenant' && held.issuedKeyId === grant.tenantKeyId;
    // The log line of a request above the limit names its key, so the grant is accepted before the request is counted.
    held.accept(grant);
    if (grant.kind === 'tenant' && !isCounted) this.issued.countRequest(grant);
    return grant;
  }

  private async findSysadmin(presented: unknown): Promise<SysadminGrant | undefined> {
    if (typeof presented !== 'string') return undefined;
    if (!isOneOf(presented, this.environment.superApiKeys)) return this.issued.sysadminGrant(presented);
    const actor = `super-key ${fingerprintOf(presented)}`;
    return { kind: 'super', actor, tenantIds: null, expiresAt: null };
  }

  /** The platform key takes precedence over an Authorization header, which OpenAI's clients always send. */
  private async findPlatform(request: FastifyRequest): Promise<PlatformGrant | undefined> {
    const { 'x-api-key': apiKey, 'api-key': azureKey, authorization } = request.headers;
    if ([apiKey, azureKey].some((key) => isOneOf(key, this.environment.platformApiKeys))) {
      return { kind: 'platform' };
    }
    // Anthropic's clients send their key in X-API-Key, and Azure's in api-key. A client with a wrong base URL may do so anywhere.
    for (const key of [bearerOf(authorization), apiKey, azureKey]) {
      const grant = typeof key === 'string' ? await this.issued.tenantGrant(key) : undefined;
      if (grant !== undefined) return grant;
    }
    return undefined;
  }
}

function hasRecentGrant({ tenkey: { grant } }: FastifyRequest): boolean {
  return grant.grantAgeMs !== undefined && grant.grantAgeMs <= maximumGrantAgeMs;
}
