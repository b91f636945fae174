import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { isAddress, isAmong } from '#config';

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
 * connection that the client has reset tells no longer. Not by Fastify's `ip`, which believes nobody where a path cannot be read.
 * @param proxies addresses and ranges of those whose X-Forwarded-For is believed
 */
export function noteAddress(request: FastifyRequest, proxies: readonly string[]): void {
  const peer = request.raw.socket.remoteAddress;
  request.address = peer;
  if (peer === undefined || !isAmong(peer, proxies)) return;
  // Each proxy puts the address that it saw at the end: what is before the last that is none of ours is only claimed.
  const forwarded = String(request.headers['x-forwarded-for'] ?? '').split(',');
  const seen = forwarded.map((text) => text.trim()).reverse();
  const from = seen.find((text) => !isAmong(text, proxies)) ?? seen.at(-1);
  if (from !== undefined && isAddress(from)) request.address = from;
}
