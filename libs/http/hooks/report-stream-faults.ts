import { Readable } from 'node:stream';
import { type onSendHookHandler } from 'fastify';

/**
 * Reports what makes a streamed response fail. The head is sent by then, so no filter is called, and the log would take the failure
 * for a client that disconnected.
 */
export const reportStreamFaults: onSendHookHandler = (request, _reply, payload, done) => {
  if (payload instanceof Readable) {
    payload.once('error', (error) => {
      // A stream also fails because its connection closed, which is not a problem.
      if (!request.tenkey.isClosed) request.tenkey.report(error);
    });
  }
  done(null, payload);
};
