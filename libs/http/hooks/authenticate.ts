import { type INestApplicationContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { Authentication } from '../access/authentication';
import { sendProblem } from '../problems/problem.filter';
import { platformPrefix, sysadminPrefix } from '../requests/paths';
import { type RequestHook } from './begin-request';

/**
 * Looks the presented key up before the body is read, and for paths without a route too, so that a caller without a key learns
 * nothing.
 * @param app is called once requests arrive
 */
export function authenticate(app: () => INestApplicationContext): RequestHook {
  const authenticated = async (request: FastifyRequest) => {
    if (request.tenkey.isWithin(sysadminPrefix)) await app().get(Authentication).sysadmin(request);
    if (request.tenkey.isWithin(platformPrefix)) await app().get(Authentication).platform(request);
  };
  return (request, reply, done) => {
    authenticated(request).then(
      () => done(),
      (error: unknown) => sendProblem(request, reply, error),
    );
  };
}
