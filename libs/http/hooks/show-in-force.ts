import { type FastifyReply, type FastifyRequest } from 'fastify';

/** Names, in the response to a change, the number of processes in which it is in force and how long that took after its commit. */
export function showInForce(
  { tenkey }: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  // A request that fails before the hook `beginRequest` has no context.
  const inForce = (tenkey as FastifyRequest['tenkey'] | undefined)?.inForce;
  if (inForce !== undefined) {
    reply.header('x-tenkey-in-force', `processes=${inForce.processes}; waited_ms=${inForce.waitedMs}`);
  }
  done(null, payload);
}
