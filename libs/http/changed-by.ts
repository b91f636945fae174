import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';

/** Who asked for a change, from where and in which request: for the audit, and never the key itself. */
export interface ChangedBy {
  readonly actor: string;
  readonly requestId: string;
  readonly address: string;
}

/** The ChangedBy of the request, as a parameter of a route's method. */
export const By = createParamDecorator((_: unknown, context: ExecutionContext): ChangedBy =>
  changedBy(context.switchToHttp().getRequest<FastifyRequest>()),
);

export function changedBy(request: FastifyRequest): ChangedBy {
  // A connection that its client has reset may have no address any more, whatever the type says.
  const address = (request.ip as string | undefined) ?? 'unknown';
  return { actor: request.actor ?? 'nobody', requestId: request.id, address };
}
