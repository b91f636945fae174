import fastify from 'fastify';
import { BodyMemory, MemoryShare } from './bodies/body-memory';
import { RequestContext } from './request-context';
import { Problem } from './problems/problem';
import { sendProblem } from './problems/problem.filter';

test('a problem is sent in the shape of its API, even when a header of the route cannot be written', async () => {
  const app = fastify({ genReqId: () => 'id-of-the-request' });
  const memory = new BodyMemory({ maxBufferedBytes: undefined, maxBodyBytes: 0 });
  app.get('/v1/models', (request, reply) => {
    request.tenkey = new RequestContext(request, undefined, new MemoryShare(memory, () => ''), []);
    void reply.headers({ 'x-tenkey-credential': 'openai/...123”/global', 'x-tenkey-provider': 'openai' });
    sendProblem(
      request,
      reply,
      new Problem('upstream_rate_limited', { headers: { 'retry-after': '7\u2028' } }),
    );
    return reply;
  });
  const response = await app.inject('/v1/models');
  expect([response.statusCode, response.json().error.code]).toEqual([429, 'upstream_rate_limited']);
  expect(response.headers).toMatchObject({
    'x-tenkey-request-id': 'id-of-the-request',
    'x-tenkey-provider': 'openai',
  });
  expect(Object.keys(response.headers).join()).not.toMatch(/x-tenkey-credential|retry-after/);
  await app.close();
});
