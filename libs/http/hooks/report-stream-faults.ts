import { Readable } from 'node:stream';
import { type onSendHookHandler } from 'fastify';
import { Problem } from '../problems/problem';

/**
 * Keeps what makes a streamed response fail as the problem of the request. The head is sent by then, so no filter is called, and
 * the log would take the failure for a client that disconnected.
 */
export const reportStreamFaults: onSendHookHandler = (request, _reply, payload, done) => {
  if (payload instanceof Readable) {
    payload.once('error', (error) => {
      request.tenkey.problem = Problem.of(error);
    });
  }
  done(null, payload);
};
