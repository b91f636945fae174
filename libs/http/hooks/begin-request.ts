import { type FastifyReply } from 'fastify';

/**
 * Goes on when it is this request's turn on its connection: a client may send several without waiting for the answers.
 * A response gets its socket when the one before it is done, and Node tells one that never got it nothing: not that the
 * client has left, nor that it is over. What is begun only with a socket always comes to its end.
 */
export function onItsTurn(reply: FastifyReply, goOn: () => void): void {
  if (reply.raw.socket !== null) return goOn();
  reply.raw.once('socket', () => goOn());
}
