import { type FastifyRequest } from 'fastify';
import { type Secret } from '#crypto';
import { type IssuedKeys, type PlatformGrant, type SysadminGrant } from './grants';
import { fingerprintOf, isOneOf, unauthenticatedPlatform, unauthenticatedSysadmin } from './keys';
import { platformPrefix } from '../requests/paths';
import { isWithin } from '../requests/request-target';

/** Anthropic's clients send their key in X-API-Key; these are the routes that they call. */
const anthropicRoutes = [`${platformPrefix}/messages`, `${platformPrefix}/models`];

/**
 * How old a grant may be when it is used. A body may take minutes to arrive, and its key may be revoked in that time; the
 * usual call is still one look-up.
 */
const GRANT_LASTS_MS = 1000;

/** The keys of the environment. */
interface OwnKeys {
  readonly superApiKeys: readonly Secret[];
  readonly platformApiKeys: readonly Secret[];
}

/**
 * Finds what the presented key opens: the early hook asks first, the guards read what it found, unless that is older than a
 * second. The two APIs share no key: a key of one is unknown to the other.
 */
export class Authentication {
  constructor(
    private readonly own: OwnKeys,
    private readonly issued: IssuedKeys,
  ) {}

  /** @throws Problem unauthenticated */
  async sysadmin(request: FastifyRequest): Promise<SysadminGrant> {
    const known = isRecent(request) ? request.sysadminGrant : undefined;
    const grant = known ?? (await this.findSysadmin(request.headers['x-api-key']));
    // Also when none is left of one that was found before: the audit must not say that it still opened something.
    request.sysadminGrant = grant;
    request.actor = grant?.actor;
    if (grant === undefined) throw unauthenticatedSysadmin();
    if (known === undefined) request.grantedAt = performance.now();
    if (grant.kind === 'scoped') request.issuedKeyId = grant.sysadminKeyId;
    return grant;
  }

  /** @throws Problem unauthenticated, rate_limited */
  async platform(request: FastifyRequest): Promise<PlatformGrant> {
    const known = isRecent(request) ? request.platformGrant : undefined;
    const grant = known ?? (await this.findPlatform(request));
    if (grant === undefined) throw unauthenticatedPlatform();
    if (grant.kind === 'tenant') {
      const isCounted = request.issuedKeyId === grant.tenantKeyId;
      // Before it is counted: also the log line of a request above the limit says whose it was.
      request.issuedKeyId = grant.tenantKeyId;
      request.tenantId = grant.tenantId;
      if (!isCounted) this.issued.countRequest(grant);
    }
    if (known === undefined) request.grantedAt = performance.now();
    request.platformGrant = grant;
    return grant;
  }

  private async findSysadmin(presented: unknown): Promise<SysadminGrant | undefined> {
    if (typeof presented !== 'string') return undefined;
    if (!isOneOf(presented, this.own.superApiKeys)) return this.issued.scopedGrant(presented);
    return { kind: 'super', actor: `super-key ${fingerprintOf(presented)}` };
  }

  /** The platform key decides before an Authorization header: the openai client always sends one. */
  private async findPlatform(request: FastifyRequest): Promise<PlatformGrant | undefined> {
    const { 'x-api-key': apiKey, authorization } = request.headers;
    if (isOneOf(apiKey, this.own.platformApiKeys)) return { kind: 'platform' };
    const bearer = bearerOf(authorization);
    const grant = bearer === undefined ? undefined : await this.issued.tenantGrant(bearer);
    if (grant !== undefined || typeof apiKey !== 'string') return grant;
    const isAnthropic = anthropicRoutes.some((route) => isWithin(request, route));
    return isAnthropic ? this.issued.tenantGrant(apiKey) : undefined;
  }
}

/** The key of an Authorization header. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

function isRecent({ grantedAt }: FastifyRequest): boolean {
  return grantedAt !== undefined && performance.now() - grantedAt <= GRANT_LASTS_MS;
}
