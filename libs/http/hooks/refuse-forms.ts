import { type FastifyRequest, type onRequestHookHandler } from 'fastify';
import { Problem } from '../problems/problem';
import { sendProblem } from '../problems/problem.filter';

/**
 * Refuses a form where the route does not read one itself. Such a route (`multipart: true`) passes the form on while it arrives; on
 * any other route nothing would read it.
 */
export const refuseForms: onRequestHookHandler = (request, reply, done) => {
  const isForm = request.headers['content-type']?.toLowerCase().startsWith('multipart/form-data') === true;
  if (!isForm || request.is404 || acceptsForms(request)) return done();
  sendProblem(request, reply, new Problem('unsupported_media_type', { detail: 'Send the body as JSON.' }));
};

function acceptsForms({ routeOptions }: FastifyRequest): boolean {
  return (routeOptions.config as { multipart?: boolean }).multipart === true;
}
