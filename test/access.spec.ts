import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { Controller, Get, Module } from '@nestjs/common';
import { platformKey, startTestApp, superKey, type TestApp } from './support/app';

/** A module of the platform that forgot to say who may call it. */
@Controller('undeclared')
class UndeclaredController {
  @Get()
  open(): string {
    return 'open to everybody';
  }
}

@Module({ controllers: [UndeclaredController] })
class UndeclaredModule {}

/** Method and path of each route in Fastify's drawing of its tree. */
function routesOf(tree: string): [string, string][] {
  const parts: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const match = /^([\s│]*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?/.exec(line);
    if (match === null) return [];
    const depth = match[1]!.length / 4;
    parts.splice(depth, Infinity, match[2]!);
    const path = parts.join('');
    return (match[3] ?? '')
      .split(', ')
      .flatMap<[string, string]>((method) => (method ? [[method, path]] : []));
  });
}

describe('access', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await startTestApp({}, { imports: [UndeclaredModule] });
  });
  afterAll(() => test.close());

  it('answers 401 without a key on every documented route but health and docs', async () => {
    const { body: document } = await test.http().get('/docs/openapi.json');
    const open = ['/health', '/ready'];
    delete document.paths['/undeclared'];
    let checked = 0;
    for (const [path, methods] of Object.entries(document.paths as Record<string, object>)) {
      const url = path.replace('{tenant_id}', randomUUID()).replace('{provider}', 'openai');
      for (const method of Object.keys(methods) as ('get' | 'put' | 'post' | 'patch' | 'delete')[]) {
        const answer = await test.http()[method](url);
        expect([method, path, answer.status]).toEqual([method, path, open.includes(path) ? 200 : 401]);
        checked += 1;
      }
    }
    expect(checked).toBeGreaterThan(10);
  });

  it('answers no registered route without a key but health and docs, also those no document has', async () => {
    // Fastify's own list: not all that it serves is a route of Nest, and not every route of Nest is documented.
    const routes = routesOf(test.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false }));
    expect(routes).toEqual(
      expect.arrayContaining([['PUT', '/api/v1/sysadmin/tenants/:tenant_id/credentials/:provider']]),
    );
    expect(routes).toContainEqual(['POST', '/v1/chat/completions']);
    const open: string[] = [];
    for (const [method, path] of routes) {
      const url = path.replace(':tenant_id', randomUUID()).replace(':provider', 'openai').replace('*', 'x');
      const answer = await test.http()[method.toLowerCase() as 'get'](url);
      if (![401, 403].includes(answer.status)) open.push(`${method} ${path}`);
    }
    expect(open.filter((route) => !/^(GET|HEAD) \/docs(\/|\*|$)/.test(route)).sort()).toEqual([
      'GET /health',
      'GET /ready',
      'HEAD /health',
      'HEAD /ready',
    ]);
  });

  it.each([
    ['/api/v1/sysadmin/tenants', { 'x-api-key': platformKey }],
    ['/api/v1/sysadmin/tenants', { authorization: `Bearer ${superKey}` }],
    [`/api/v1/sysadmin/tenants?x-api-key=${superKey}`, {}],
    ['/api/v1/sysadmin/no-such-route', {}],
    ['/api/v1/sysadmin/tenants', { 'x-api-key': '' }],
    ['/%61pi/v1/sysadmin/tenants', {}],
    ['/v1/models', { 'x-api-key': superKey, 'x-tenant-id': randomUUID() }],
    ['/%761/models', {}],
    ['/v1/no-such-route', {}],
    ['/v1/%zz', {}],
    ['/api/v1/sysadmin/tenants/%ff', {}],
  ])('GET %s %# is 401 in our shape', async (path, headers) => {
    const answer = await test
      .http()
      .get(path)
      .set(headers as Record<string, string>);
    expect(answer.status).toBe(401);
    expect(answer.body.code ?? answer.body.error.code).toBe('unauthenticated');
    expect(answer.text).not.toContain(superKey);
  });

  it.each([
    ['{"broken', 'application/json', 400, 'malformed_request'],
    ['x'.repeat(1024 * 1024 + 10), 'application/json', 413, 'payload_too_large'],
    ['a=b', 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
  ])('judges the body only after the key (%#)', async (body, type, status, code) => {
    const send = () => test.http().post('/api/v1/sysadmin/tenants').set('content-type', type);
    expect((await send().send(body)).status).toBe(401);
    const answer = await send().set('X-API-Key', superKey).send(body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('refuses a route that does not declare who may call it, whatever the key', async () => {
    for (const key of ['', superKey, platformKey]) {
      const answer = await test.http().get('/undeclared').set('X-API-Key', key);
      expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    }
  });

  it('accepts each of several super keys, so that it can be rolled', async () => {
    const rolled = await startTestApp({ INTRIC_SUPER_API_KEY: `${superKey},the-next-super-key-5d0e7c` });
    try {
      for (const [key, status] of [
        [superKey, 200],
        ['the-next-super-key-5d0e7c', 200],
        [`${superKey},the-next-super-key-5d0e7c`, 401],
      ] as const) {
        const answer = await rolled.http().get('/api/v1/sysadmin/tenants').set('X-API-Key', key);
        expect(answer.status).toBe(status);
      }
    } finally {
      await rolled.close();
    }
  });

  it('asks for the key whatever way the target is written', async () => {
    const { port } = test.app.getHttpServer().address() as { port: number };
    for (const path of ['/v1/models', '/v1/no-such-route', '/api/v1/sysadmin/no-such-route']) {
      const answer = await new Promise<string>((resolve, reject) => {
        const outgoing = httpRequest({ port, path: `http://tenkey.test${path}` }, (incoming) => {
          let text = String(incoming.statusCode);
          incoming.on('data', (part) => (text += String(part)));
          incoming.on('end', () => resolve(text));
        });
        outgoing.on('error', reject).end();
      });
      expect(answer).toMatch(/^401.*unauthenticated/);
      expect(answer.includes('authentication_error')).toBe(path.startsWith('/v1'));
    }
  });

  it('tells a wrong method from a wrong path, without reading the body', async () => {
    const wrongMethod = await test.sysadmin('put', '/tenants').send('{"broken');
    expect([wrongMethod.status, wrongMethod.body.code]).toEqual([405, 'method_not_allowed']);
    expect(wrongMethod.headers.allow).toBe('GET, HEAD, POST');
    const onPlatform = await test.http().get('/v1/chat/completions').set('X-API-Key', platformKey);
    expect([onPlatform.status, onPlatform.body.error.code]).toEqual([405, 'method_not_allowed']);
    const wrongPath = await test.sysadmin('get', '/no-such-route');
    expect([wrongPath.status, wrongPath.body.code]).toEqual([404, 'route_not_found']);
  });
});
