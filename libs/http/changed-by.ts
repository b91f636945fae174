import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { isAddress } from '#config';

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
  return { actor: request.actor ?? 'nobody', requestId: request.id, address: request.address ?? 'unknown' };
}

/**
 * Notes where a request comes from: the peer, or what a trusted proxy says, if that is an address. When it begins: a
 * connection that the client has reset tells no longer.
 */
export function noteAddress(request: FastifyRequest): void {
  const { ip, socket } = request;
  request.address = ip !== undefined && isAddress(ip) ? ip : socket.remoteAddress;
}
