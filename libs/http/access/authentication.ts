import { type FastifyRequest } from 'fastify';
import { type Secret } from '#crypto';
import { type IssuedKeys, type PlatformGrant, superGrantOf, type SysadminGrant } from './grants';
import { bearerOf, indexAmong, unauthenticatedPlatform, unauthenticatedSysadmin } from './keys';
import { refuseOtherSites, sessionEnded, sessionTokenOf } from './session-cookie';
import { type WrongKeyThrottle } from './throttling';

/**
 * How old the grant of a sysadmin key or a session may be when it is used. A body may take minutes to arrive, and the key may be
 * revoked in that time; most requests still need only one look-up.
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
  /** One for each platform key. */
  readonly #platformGrants: readonly PlatformGrant[];

  constructor(
    private readonly environment: EnvironmentKeys,
    private readonly issued: IssuedKeys,
    private readonly throttle: WrongKeyThrottle,
  ) {
    this.#platformGrants = environment.platformApiKeys.map(() => Object.freeze({ kind: 'platform' }));
  }

  /**
   * A key decides if there is one, and otherwise the session.
   * @throws Problem unauthenticated, throttled, forbidden
   */
  async sysadmin(request: FastifyRequest): Promise<SysadminGrant> {
    const { grant: held } = request.tenkey;
    const known = hasRecentGrant(request) ? held.sysadminGrant : undefined;
    if (known !== undefined) return known;
    const { 'x-api-key': apiKey, authorization } = request.headers;
    const presented = apiKey === undefined && request.tenkey.acceptsBearer ? bearerOf(authorization) : apiKey;
    const token = presented === undefined ? sessionTokenOf(request) : undefined;
    if (token !== undefined) return this.session(request, token);
    // Other headers do not count: with a known key there, a client could go on guessing here.
    const keys = typeof presented === 'string' && presented !== '' ? [presented] : [];
    this.throttle.check(request.tenkey.address, () => keys);
    const grant = await this.findSysadmin(presented);
    if (grant === undefined) {
      held.withdraw();
      await this.throttle.failed(request.tenkey.address, keys);
      throw unauthenticatedSysadmin();
    }
    held.accept(grant);
    return grant;
  }

  /** A wrong token is no guess of a key: nobody finds 256 random bits. It does not count as a wrong key of its address. */
  private async session(request: FastifyRequest, token: string): Promise<SysadminGrant> {
    const { grant: held, publicUrl } = request.tenkey;
    const grant = await this.issued.sessionGrant(token);
    if (grant === undefined) {
      held.withdraw();
      throw sessionEnded(publicUrl);
    }
    held.accept(grant);
    refuseOtherSites(request);
    return grant;
  }

  /**
   * What the key opens now. Nothing waits while the result of an earlier look-up for this request is still valid.
   * @throws Problem unauthenticated, throttled, rate_limited
   */
  platform(request: FastifyRequest): PlatformGrant | Promise<PlatformGrant> {
    const { platformGrant: known, grantAgeMs = 0 } = request.tenkey.grant;
    if (known?.kind === 'platform' || (known && this.issued.isCurrent(known, grantAgeMs))) return known;
    return this.lookUpPlatform(request);
  }

  private async lookUpPlatform(request: FastifyRequest): Promise<PlatformGrant> {
    const { tenkey } = request;
    const { grant: held, address } = tenkey;
    this.throttle.check(address, () => tenkey.presentedKeys);
    const grant = await this.findPlatform(request);
    if (grant === undefined) {
      held.withdraw();
      await this.throttle.failed(address, tenkey.presentedKeys);
      throw unauthenticatedPlatform();
    }
    const isCounted = grant.kind === 'tenant' && held.issuedKeyId === grant.tenantKeyId;
    // The log line of a request above the limit names its key, so the grant is accepted before the request is counted.
    held.accept(grant);
    const counting = grant.kind === 'tenant' && !isCounted ? this.issued.countRequest(grant) : undefined;
    if (counting !== undefined) await counting;
    return grant;
  }

  private async findSysadmin(presented: unknown): Promise<SysadminGrant | undefined> {
    if (typeof presented !== 'string') return undefined;
    const isSuper = indexAmong(presented, this.environment.superApiKeys) >= 0;
    const grant: SysadminGrant | undefined = isSuper
      ? superGrantOf(presented)
      : await this.issued.sysadminGrant(presented);
    if (grant !== undefined) this.throttle.accepted(grant, presented);
    return grant;
  }

  /** The platform key takes precedence over an Authorization header, which OpenAI's clients always send. */
  private async findPlatform(request: FastifyRequest): Promise<PlatformGrant | undefined> {
    const { 'x-api-key': apiKey, 'api-key': azureKey } = request.headers;
    const { presentedKeys: keys } = request.tenkey;
    for (const key of [apiKey, azureKey]) {
      if (typeof key === 'string' && this.throttle.refuses(key, keys)) continue;
      const grant = this.#platformGrants[indexAmong(key, this.environment.platformApiKeys)];
      if (grant !== undefined) return this.accepted(grant, key);
    }
    // Anthropic's clients send their key in X-API-Key, and Azure's in api-key. A client with a wrong base URL may do so anywhere.
    for (const key of keys) {
      if (this.throttle.refuses(key, keys)) continue;
      const grant = await this.issued.tenantGrant(key);
      if (grant === undefined) continue;
      // The others were compared with the platform keys.
      if (keys.length > 1) await this.throttle.failedNextTo(key, keys);
      return this.accepted(grant, key);
    }
    return undefined;
  }

  private accepted(grant: PlatformGrant, key: unknown): PlatformGrant {
    this.throttle.accepted(grant, String(key));
    return grant;
  }
}

function hasRecentGrant({ tenkey: { grant } }: FastifyRequest): boolean {
  return grant.grantAgeMs !== undefined && grant.grantAgeMs <= maximumGrantAgeMs;
}
