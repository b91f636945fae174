import { type FastifyReply, type FastifyRequest } from 'fastify';

const name = 'x-tenkey-in-force';

/** The OpenAPI description of the header, for the responses to changes that calls must notice. */
export const inForceHeader = {
  [name]: {
    description:
      'In how many processes the change is in force, and how many milliseconds the response waited for that after the commit. Absent when the change affects no call, as with `stage=true`.',
    schema: { type: 'string' as const, example: 'processes=3; waited_ms=4' },
  },
};

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
    reply.header(name, `processes=${inForce.processes}; waited_ms=${inForce.waitedMs}`);
  }
  done(null, payload);
}
