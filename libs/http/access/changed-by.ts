import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { type InForceListener } from '#cache';

/** Which key made a change, from where and in which request: for the audit, and never the key itself. */
export interface ChangedBy extends InForceListener {
  readonly actor: string;
  readonly requestId: string;
  readonly address: string;
}

/** The ChangedBy of the request, as a parameter of a route's method: `@ChangedBy() by: ChangedBy`. */
export const ChangedBy = createParamDecorator(
  (_: unknown, context: ExecutionContext): ChangedBy =>
    context.switchToHttp().getRequest<FastifyRequest>().tenkey.changedBy,
);
