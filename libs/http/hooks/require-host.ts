import { type onRequestHookHandler } from 'fastify';
import { Problem } from '../problems/problem';
import { sendProblem } from '../problems/problem.filter';

/** Refuses a request of HTTP/1.1 without a Host header. Node would refuse it too, but with an empty body. */
export const requireHost: onRequestHookHandler = (request, reply, done) => {
  if (request.raw.httpVersion !== '1.1' || request.raw.headers.host !== undefined) return done();
  sendProblem(request, reply, new Problem('malformed_request', { detail: 'The header Host is missing.' }));
};
