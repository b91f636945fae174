import { type FastifyRequest } from 'fastify';
import { type InForce } from '#cache';
import { type ChangedBy } from './access/changed-by';
import { bearerOf } from './access/keys';
import { RequestGrant } from './access/request-grant';
import { type MemoryShare } from './bodies/body-memory';
import { Problem } from './problems/problem';
import { type ProblemContext, renderLastEvent } from './problems/render';
import { type ClientKind, clientKindOf } from './requests/client-kind';
import { type ResolvedAlias, resolveAlias } from './requests/aliases';
import { azurePrefix, isBelow, pathOf, platformPrefix, sysadminPrefix } from './requests/paths';

declare module 'fastify' {
  interface FastifyRequest {
    tenkey: RequestContext;
  }
}

const noRoute = '(no route)';
const modelsPrefix = `${platformPrefix}/models`;

/** False for the route of a request that no route serves. */
export function isKnownRoute(route: string): boolean {
  return route !== noRoute;
}

/** Is called for each problem of a request. */
export type ProblemListener = (request: FastifyRequest, problem: Problem) => void;

/** How a guard lets a request in, or throws the Problem that keeps it out. */
interface Admission {
  admit(request: FastifyRequest): Promise<void> | undefined;
}

/**
 * What Tenkey knows about one request, as `request.tenkey`. Hooks, guards and routes write it once and read it later. It holds
 * ids and masks, and no key.
 */
export class RequestContext {
  /** The path without its query, which may hold a key that a client put there by mistake. */
  readonly path: string;
  readonly grant = new RequestGrant();
  /** The problem that was reported last. */
  problem: Problem | undefined = undefined;
  /** Further fields of the log line. */
  logFields: Readonly<Record<string, unknown>> | undefined = undefined;
  /** Where the change of this request is in force, once it is. */
  inForce: InForce | undefined = undefined;
  /** The client's own id of the request; undefined if it sent none, or one that is ignored. */
  clientRequestId: string | undefined = undefined;
  /** By `performance.now()`. */
  startedAt = 0;
  /** True once the log line of the request is written. */
  isClosed = false;
  /** For InFlight. */
  place = -1;

  /** The alias that the client called; undefined if it called the route itself. */
  readonly #alias: ResolvedAlias | undefined;
  readonly #request: FastifyRequest;
  readonly #listeners: readonly ProblemListener[];
  #isCancelled = false;
  #cancelReason: Problem | undefined = undefined;
  #cancelListener: (() => void) | undefined = undefined;
  #route: string | undefined = undefined;
  #decodedPath: string | undefined = undefined;
  #guard: Admission | undefined = undefined;
  #namedTenantId: string | undefined = undefined;

  /**
   * @param address where the request comes from; undefined when the connection was already reset
   * @param memory for the bodies of the request and of its response
   * @param listeners are called for each problem, in this order
   * @param publicUrl the address of Tenkey for its clients, if it is known
   */
  constructor(
    request: FastifyRequest,
    readonly address: string | undefined,
    readonly memory: MemoryShare,
    listeners: readonly ProblemListener[],
    readonly publicUrl?: string,
  ) {
    this.#request = request;
    this.#listeners = listeners;
    this.path = pathOf(request.url);
    this.#alias = request.originalUrl === request.url ? undefined : resolveAlias(request.originalUrl);
  }

  /** True once the client has disconnected, or a stop cannot wait for the request any longer. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Why the service ended the request; undefined: the client disconnected. */
  get cancelReason(): Problem | undefined {
    return this.#cancelReason;
  }

  /** Calls the listener when the request is cancelled, and at once if it is already. It replaces the earlier listener. */
  onCancel(listener: () => void): void {
    this.#cancelListener = listener;
    if (this.#isCancelled) listener();
  }

  cancel(reason?: Problem): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#cancelReason = reason;
    this.#cancelListener?.();
  }

  /** The pattern of the route and never the path, which may hold anything. The router sets no options when it cannot decode a path. */
  get route(): string {
    // Fastify creates the options each time they are read.
    this.#route ??=
      (this.#request.routeOptions as FastifyRequest['routeOptions'] | undefined)?.url ?? noRoute;
    return this.#route;
  }

  /** Whether the route is declared with `acceptsBearer`. Authentication runs before Nest knows the method. */
  get acceptsBearer(): boolean {
    const options = this.#request.routeOptions as FastifyRequest['routeOptions'] | undefined;
    return (options?.config as { acceptsBearer?: boolean } | undefined)?.acceptsBearer === true;
  }

  /** The route at the address that the client called, for the log. */
  get calledRoute(): string {
    const { route } = this;
    if (this.#alias === undefined || !isBelow(route, platformPrefix)) return route;
    return this.#alias.prefix + route.slice(platformPrefix.length);
  }

  /** The model that an address in Azure's form names. It decides, whatever the body says. */
  get deployment(): string | undefined {
    return this.#alias?.deployment;
  }

  /** True when the request is for the prefix or below it, by its path or, since the router decodes paths, by its route. */
  isWithin(prefix: string): boolean {
    this.#decodedPath ??= decoded(this.path);
    return isBelow(this.#decodedPath, prefix) || isBelow(this.route, prefix);
  }

  /** True for the platform API, in either form of its addresses. */
  get isPlatform(): boolean {
    return this.isWithin(platformPrefix) || this.isWithin(azurePrefix);
  }

  /** Whose API the client speaks, where the route does not say it: for an unknown route, and for the list of models. */
  get clientKind(): ClientKind | undefined {
    const isModels = this.isWithin(modelsPrefix);
    if (!isModels && (this.route !== noRoute || this.isWithin(sysadminPrefix))) return undefined;
    const { originalUrl, headers } = this.#request;
    const kind = clientKindOf(decoded(pathOf(originalUrl)), originalUrl.split('?', 2)[1], headers);
    return kind ?? (this.isPlatform ? 'openai' : undefined);
  }

  /** False when the request only reads. */
  get isChange(): boolean {
    return !['GET', 'HEAD'].includes(this.#request.method);
  }

  /** The texts in the headers of keys, in the order in which they are tried as tenant keys. They are untrusted, and none of them may be logged or stored. */
  get presentedKeys(): string[] {
    const { 'x-api-key': apiKey, 'api-key': azureKey, authorization } = this.#request.headers;
    return [bearerOf(authorization), apiKey, azureKey].filter(
      (key) => typeof key === 'string' && key !== '',
    ) as string[];
  }

  /** The tenant that a platform call is for; undefined until the key was accepted. */
  get tenantId(): string | undefined {
    return this.grant.tenantId ?? this.#namedTenantId;
  }

  /**
   * The same, for a route that only a platform call reaches.
   * @throws Problem unauthenticated
   */
  requireTenantId(): string {
    const { tenantId } = this;
    if (tenantId === undefined) throw new Problem('unauthenticated');
    return tenantId;
  }

  /** The tenant that a request with the platform key names. */
  nameTenant(tenantId: string): void {
    this.#namedTenantId = tenantId;
  }

  /** The guard that let the request in, for `confirmGrant`. */
  admittedBy(guard: Admission): void {
    this.#guard = guard;
  }

  /**
   * Looks the key up again when that was long ago: it may have been revoked while the body arrived.
   * @returns undefined when nothing had to be looked up
   * @throws Problem as the guard does
   */
  confirmGrant(): Promise<void> | undefined {
    return this.#guard?.admit(this.#request);
  }

  /** Which key changes something, by kind and fingerprint; undefined: none that is valid. */
  get actor(): string | undefined {
    return this.grant.sysadminGrant?.actor;
  }

  get changedBy(): ChangedBy {
    return {
      actor: this.actor ?? 'nobody',
      requestId: this.#request.id,
      address: this.address ?? 'unknown',
      inForce: (inForce) => (this.inForce = inForce),
    };
  }

  /**
   * Keeps the error as the problem of this request and calls the listeners, even when the client has disconnected.
   * @returns the error as a Problem
   */
  report(error: unknown): Problem {
    const isSysadminChange = this.isChange && isBelow(this.path, sysadminPrefix);
    const problem = Problem.of(error, isSysadminChange);
    this.problem = problem;
    for (const notify of this.#listeners) notify(this.#request, problem);
    return problem;
  }

  get problemContext(): ProblemContext {
    const { path, clientKind } = this;
    return {
      path,
      clientKind,
      requestId: this.#request.id,
      publicUrl: this.publicUrl,
      isTenant: this.grant.tenantId !== undefined,
    };
  }

  /** The last event of a stream that failed after its head was sent, as the client of this path expects it. */
  renderLastEvent(problem: Problem): string {
    return renderLastEvent(problem, this.problemContext);
  }
}

function decoded(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
