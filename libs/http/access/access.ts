import { applyDecorators, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtension } from '@nestjs/swagger';
import { type Scope } from './grants';

/** Who may call a route. */
export type Audience = 'sysadmin' | 'platform' | 'public';

/** The scope that opens a sysadmin route. `any`: every sysadmin key opens it, whatever its scopes and tenants. */
type RouteScope = Scope | 'any';

/** What a route declares about its callers. */
interface Declaration {
  readonly audience: Audience;
  /** Each of these scopes opens the route for a scoped sysadmin key; none: only the super key opens it. */
  readonly scopes: readonly RouteScope[];
  /**
   * True when the route has no tenant in its path and leaves out the tenants that are not among the `tenantIds` of the grant, or is
   * about no tenant at all.
   */
  readonly filtersTenants?: boolean;
  /** True when a sysadmin route also takes its key from `Authorization: Bearer`. Only the declaration of a method may say so. */
  readonly acceptsBearer?: boolean;
}

const declarationKey = 'tenkey:access';
const audienceExtension = 'x-tenkey-audience';
const bearerExtension = 'x-tenkey-bearer';
const reflector = new Reflector();

/**
 * Declares who may call a route or a whole controller; the declaration of a route replaces that of its controller. A route
 * without one is refused, and only the super key opens a sysadmin route without a scope.
 * @param scope one scope, or several of which each opens the route
 */
export function Access(
  audience: Audience,
  scope: RouteScope | readonly Scope[] = [],
  options: Pick<Declaration, 'filtersTenants' | 'acceptsBearer'> = {},
): MethodDecorator & ClassDecorator {
  const scopes = typeof scope === 'string' ? [scope] : scope;
  const declaration: Declaration = { audience, scopes, ...options };
  return applyDecorators(
    SetMetadata(declarationKey, declaration),
    ApiExtension(audienceExtension, audience),
    ...(scopes.length === 0 ? [] : [ApiExtension('x-tenkey-scope', scope)]),
    ...(options.acceptsBearer === true
      ? [RouteConfig({ acceptsBearer: true }), ApiExtension(bearerExtension, true)]
      : []),
  );
}

/** Removes from an operation of the OpenAPI document that it accepts a bearer key. @returns whether it does */
export function takeAcceptsBearer(operation: object): boolean {
  const accepts = Reflect.get(operation, bearerExtension) === true;
  Reflect.deleteProperty(operation, bearerExtension);
  return accepts;
}

/** Removes the audience from an operation of the OpenAPI document. @returns undefined if its route declares none */
export function takeAudience(operation: object): Audience | undefined {
  const audience = Reflect.get(operation, audienceExtension) as Audience | undefined;
  Reflect.deleteProperty(operation, audienceExtension);
  return audience;
}

/** By method of a controller, and by controller, which may have inherited the method. Reading metadata for each request is slow. */
const declarations = new WeakMap<object, WeakMap<object, Declaration | undefined>>();

/** The declaration of the route that is being called. */
export function declarationOf(context: ExecutionContext): Declaration | undefined {
  const [handler, controller] = [context.getHandler(), context.getClass()];
  let known = declarations.get(handler);
  if (known === undefined) declarations.set(handler, (known = new WeakMap()));
  if (!known.has(controller)) {
    known.set(controller, reflector.getAllAndOverride(declarationKey, [handler, controller]));
  }
  return known.get(controller);
}
