import { type INestApplicationContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { Authentication } from '../access/authentication';
import { sendProblem } from '../problems/problem.filter';
import { sysadminPrefix } from '../requests/paths';
import { type RequestHook } from './begin-request';

/**
 * Looks the presented key up before the body is read, and for paths without a route too, so that a caller without a key learns
 * nothing.
 * @param app is called once requests arrive
 */
export function authenticate(app: () => INestApplicationContext): RequestHook {
  let found: Authentication | undefined;
  const authenticated = async (request: FastifyRequest) => {
    const authentication = (found ??= app().get<Authentication>(Authentication));
    if (request.tenkey.isWithin(sysadminPrefix)) await authentication.sysadmin(request);
    if (request.tenkey.isPlatform) await authentication.platform(request);
  };
  return (request, reply, done) => {
    authenticated(request).then(
      () => done(),
      (error: unknown) => sendProblem(request, reply, error),
    );
  };
}
