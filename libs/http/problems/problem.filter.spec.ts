import fastify from 'fastify';
import { Problem } from './problem';
import { sendProblem } from './problem.filter';

test('a problem is answered in our shape, also where a header of the route cannot be written', async () => {
  const app = fastify({ genReqId: () => 'id-of-the-request' });
  app.get('/v1/models', (request, reply) => {
    void reply.headers({ 'x-tenkey-credential': 'openai/...123”/global', 'x-tenkey-provider': 'openai' });
    sendProblem(request, reply, new Problem('upstream_rate_limited', { retryAfter: '7\u2028' }));
    return reply;
  });
  const answer = await app.inject('/v1/models');
  expect([answer.statusCode, answer.json().error.code]).toEqual([429, 'upstream_rate_limited']);
  expect(answer.headers).toMatchObject({
    'x-tenkey-request-id': 'id-of-the-request',
    'x-tenkey-provider': 'openai',
  });
  expect(Object.keys(answer.headers).join()).not.toMatch(/x-tenkey-credential|retry-after/);
  await app.close();
});
