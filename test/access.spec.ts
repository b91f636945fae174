import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { Controller, Get, Module } from '@nestjs/common';
import { type Scope, scopes } from '#http';
import { describeWithApp, platformKey, startTestApp, superKey } from './support/app';
import { issueSysadminKey, issueTenantKey, type SignedIn, signIn } from './support/keys';
import { registeredRoutes } from './support/routes';

const tenants = '/api/v1/sysadmin/tenants';

/**
 * Every route and what opens it: a scope, each of several scopes, any key of the sysadmin API, only the super key, or the keys of the
 * platform API. Add new routes here.
 */
const opens: Record<string, Scope | readonly Scope[] | 'any' | 'super' | 'platform' | 'everybody'> = {
  [`GET ${tenants}`]: 'tenants:read',
  [`POST ${tenants}`]: 'tenants:write',
  [`GET ${tenants}/:tenant_id`]: 'tenants:read',
  [`PUT ${tenants}/:tenant_id`]: 'tenants:write',
  [`PATCH ${tenants}/:tenant_id`]: 'tenants:write',
  [`DELETE ${tenants}/:tenant_id`]: 'tenants:write',
  [`GET ${tenants}/:tenant_id/credentials`]: 'credentials:read',
  [`PUT ${tenants}/:tenant_id/credentials/:provider`]: 'credentials:write',
  [`POST ${tenants}/:tenant_id/credentials/:provider/verify`]: 'credentials:write',
  [`POST ${tenants}/:tenant_id/credentials/:provider/promote`]: 'credentials:write',
  [`POST ${tenants}/:tenant_id/credentials/:provider/rollback`]: 'credentials:write',
  [`GET ${tenants}/:tenant_id/models`]: 'credentials:read',
  [`DELETE ${tenants}/:tenant_id/credentials/:provider`]: 'credentials:write',
  [`GET ${tenants}/:tenant_id/keys`]: 'keys:write',
  [`POST ${tenants}/:tenant_id/keys`]: 'keys:write',
  [`GET ${tenants}/:tenant_id/keys/:key_id`]: 'keys:write',
  [`PUT ${tenants}/:tenant_id/keys/:key_id`]: 'keys:write',
  [`DELETE ${tenants}/:tenant_id/keys/:key_id`]: 'keys:write',
  'GET /api/v1/sysadmin/keys': 'super',
  'POST /api/v1/sysadmin/keys': 'super',
  'GET /api/v1/sysadmin/keys/:key_id': 'super',
  'PUT /api/v1/sysadmin/keys/:key_id': 'super',
  'DELETE /api/v1/sysadmin/keys/:key_id': 'super',
  'GET /api/v1/sysadmin/session': 'any',
  'POST /api/v1/sysadmin/session': 'any',
  'DELETE /api/v1/sysadmin/session': 'any',
  'GET /api/v1/sysadmin/readiness': 'readiness:read',
  'GET /api/v1/sysadmin/processes': 'readiness:read',
  'GET /api/v1/sysadmin/models': ['credentials:read', 'readiness:read'],
  'GET /api/v1/sysadmin/providers': 'credentials:read',
  'GET /api/v1/sysadmin/credentials': 'credentials:read',
  'GET /api/v1/sysadmin/credentials/verify': 'credentials:read',
  'POST /api/v1/sysadmin/credentials/verify': 'credentials:write',
  'POST /api/v1/sysadmin/credentials/verify/pause': 'credentials:write',
  'GET /api/v1/sysadmin/encryption': ['encryption:rotate', 'readiness:read'],
  'POST /api/v1/sysadmin/encryption/rotation': 'encryption:rotate',
  'POST /api/v1/sysadmin/encryption/rotation/pause': 'encryption:rotate',
  'GET /api/v1/sysadmin/audit-events': 'audit:read',
  'GET /api/v1/sysadmin/audit-events/export': 'audit:read',
  'GET /api/v1/sysadmin/audit-events/chain': 'audit:read',
  'POST /api/v1/sysadmin/audit-events/chain/verify': 'audit:read',
  'GET /api/v1/sysadmin/metrics': 'usage:read',
  'GET /api/v1/sysadmin/usage': 'usage:read',
  'GET /api/v1/sysadmin/usage/series': 'usage:read',
  'GET /api/v1/sysadmin/usage/records': 'usage:read',
  'POST /api/v1/sysadmin/receipts/verify': 'usage:read',
  [`GET ${tenants}/:tenant_id/usage`]: 'usage:read',
  'GET /v1/usage': 'platform',
  'GET /v1/models': 'platform',
  'GET /v1/models/:model': 'platform',
  'GET /v1/models/*': 'platform',
  'POST /v1/chat/completions': 'platform',
  'POST /v1/completions': 'platform',
  'POST /v1/embeddings': 'platform',
  'POST /v1/responses': 'platform',
  'GET /v1/responses/:response_id': 'platform',
  'DELETE /v1/responses/:response_id': 'platform',
  'POST /v1/responses/:response_id/cancel': 'platform',
  'GET /v1/responses/:response_id/input_items': 'platform',
  'POST /v1/messages': 'platform',
  'POST /v1/messages/count_tokens': 'platform',
  'POST /v1/moderations': 'platform',
  'POST /v1/images/generations': 'platform',
  'POST /v1/images/edits': 'platform',
  'POST /v1/rerank': 'platform',
  'POST /v1/audio/speech': 'platform',
  'POST /v1/audio/transcriptions': 'platform',
  'POST /v1/audio/translations': 'platform',
  'GET /': 'everybody',
  'GET /health': 'everybody',
  'GET /ready': 'everybody',
};

/** Routes that have a scope but concern all tenants, so a key that is limited to some tenants cannot open them. */
const aboutAllAtOnce = [
  `POST ${tenants}`,
  'GET /api/v1/sysadmin/metrics',
  'GET /api/v1/sysadmin/processes',
  'GET /api/v1/sysadmin/credentials/verify',
  'POST /api/v1/sysadmin/credentials/verify',
  'POST /api/v1/sysadmin/credentials/verify/pause',
  'GET /api/v1/sysadmin/encryption',
  'POST /api/v1/sysadmin/encryption/rotation',
  'POST /api/v1/sysadmin/encryption/rotation/pause',
  'GET /api/v1/sysadmin/audit-events/chain',
  'POST /api/v1/sysadmin/audit-events/chain/verify',
];

/** Routes of the sysadmin API that also take the key from `Authorization: Bearer`. */
const bearerRoutes = ['GET /api/v1/sysadmin/metrics'];

/** A controller of the platform that does not declare who may call it. */
@Controller('undeclared')
class UndeclaredController {
  @Get()
  open(): string {
    return 'open to everybody';
  }
}

@Module({ controllers: [UndeclaredController] })
class UndeclaredModule {}

describeWithApp('access to a route', {}, { imports: [UndeclaredModule] }, (tenkey) => {
  it('is refused with 401 without a key on every documented route except health and docs', async () => {
    const { body: document } = await tenkey.http().get('/docs/openapi.json');
    const open = ['/', '/health', '/ready'];
    delete document.paths['/undeclared'];
    let checked = 0;
    for (const [path, methods] of Object.entries<Record<string, any>>(document.paths)) {
      const url = path.replace('{tenant_id}', randomUUID()).replace('{provider}', 'openai');
      for (const method of Object.keys(methods) as ('get' | 'put' | 'post' | 'patch' | 'delete')[]) {
        const answer = await tenkey.http()[method](url);
        expect([method, path, answer.status]).toEqual([method, path, open.includes(path) ? 200 : 401]);
        const scope = opens[`${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`];
        expect([path, methods[method]['x-tenkey-scope']]).toEqual([
          path,
          scope === 'any' || Array.isArray(scope) || scopes.includes(scope as Scope) ? scope : undefined,
        ]);
        checked += 1;
      }
    }
    expect(checked).toBeGreaterThan(10);
  });

  it('is refused without a key on every registered route except health and docs, documented or not', async () => {
    const routes = registeredRoutes(tenkey);
    expect(routes).toEqual(
      expect.arrayContaining([['PUT', '/api/v1/sysadmin/tenants/:tenant_id/credentials/:provider']]),
    );
    expect(routes).toContainEqual(['POST', '/v1/chat/completions']);
    const open: string[] = [];
    for (const [method, path] of routes) {
      const url = path.replace(':tenant_id', randomUUID()).replace(':provider', 'openai').replace('*', 'x');
      const answer = await tenkey.http()[method.toLowerCase() as 'get'](url);
      if (![401, 403].includes(answer.status)) open.push(`${method} ${path}`);
    }
    expect(open.filter((route) => !/^(GET|HEAD) \/docs(\/|\*|$)/.test(route)).sort()).toEqual([
      'GET /',
      'GET /health',
      'GET /ready',
      'HEAD /',
      'HEAD /health',
      'HEAD /ready',
    ]);
  });

  it('is exactly what the table says, for every route and every kind of key', async () => {
    const registered = registeredRoutes(tenkey).filter(
      ([, path]) => !path.startsWith('/docs') && path !== '/undeclared',
    );
    // Last, because it deletes the tenant that the other routes are asked about.
    const deletion = `DELETE ${tenants}/:tenant_id`;
    registered.sort((a, b) => Number(a.join(' ') === deletion) - Number(b.join(' ') === deletion));
    const asGet = (method: string) => (method === 'HEAD' ? 'GET' : method);
    expect([...new Set(registered.map(([method, path]) => `${asGet(method)} ${path}`))].sort()).toEqual(
      Object.keys(opens).sort(),
    );

    const [own, other] = [await tenkey.createTenant(), await tenkey.createTenant()];
    const tenantKey = {
      own: (await issueTenantKey(tenkey, own)).key,
      other: (await issueTenantKey(tenkey, other)).key,
    };
    const mistyped = tenantKey.own.slice(0, -1) + (tenantKey.own.endsWith('0') ? '1' : '0');
    const scoped: [Scope, string][] = [];
    for (const scope of scopes)
      scoped.push([scope, (await issueSysadminKey(tenkey, { scopes: [scope] })).key]);
    const ofOwn = (await issueSysadminKey(tenkey, { scopes: [...scopes], tenant_ids: [own] })).key;
    const sessions = new Map<string, SignedIn>();
    const sessionOf = async (key: string) => {
      const session = sessions.get(key) ?? (await signIn(tenkey, key));
      sessions.set(key, session);
      return session;
    };

    const found: string[] = [];
    const expected: string[] = [];
    for (const [method, path] of registered) {
      const need = opens[`${asGet(method)} ${path}`]!;
      const ask = async (
        name: string,
        headers: Record<string, string>,
        outcome: 'open' | 401 | 403,
        tenant: string = randomUUID(),
      ) => {
        const url = path
          .replace(':tenant_id', tenant)
          .replace(':provider', 'openai')
          .replace(':key_id', '0'.repeat(11))
          .replace(':model', 'gpt-4o')
          .replace('*', 'no/such');
        const { status } = await tenkey.http()[method.toLowerCase() as 'get'](url).set(headers);
        found.push(`${method} ${path} ${name}: ${[401, 403].includes(status) ? status : 'open'}`);
        expected.push(`${method} ${path} ${name}: ${need === 'everybody' ? 'open' : outcome}`);
      };
      const isPlatform = need === 'platform';
      const ofSysadmin = (scope: Scope) =>
        isPlatform ? 401 : need === 'any' || [need].flat().includes(scope) ? 'open' : 403;
      const takesBearer = bearerRoutes.includes(`${asGet(method)} ${path}`);
      const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

      await ask('no key', {}, 401);
      await ask('a wrong key', { 'x-api-key': 'nobodys-key-of-some-length' }, 401);
      await ask('a mistyped tenant key', bearer(mistyped), 401);
      await ask('the super key', { 'x-api-key': superKey }, isPlatform ? 401 : 'open');
      await ask('the super key as bearer', bearer(superKey), takesBearer ? 'open' : 401);
      await ask('the super key after a wrong key', { 'x-api-key': 'wrong', ...bearer(superKey) }, 401);
      await ask(
        'the platform key',
        { 'x-api-key': platformKey, 'x-tenant-id': own, ...bearer(tenantKey.other) },
        isPlatform ? 'open' : 401,
      );
      await ask('the platform key as bearer', { ...bearer(platformKey), 'x-tenant-id': own }, 401);
      // A tenant key opens no route of the sysadmin API, not even for its own tenant.
      await ask('a tenant key', bearer(tenantKey.own), isPlatform ? 'open' : 401, own);
      const claims = { scope: 'all', 'x-scope': 'all', 'x-role': 'admin', 'x-admin': 'true' };
      const claiming = { ...bearer(tenantKey.own), ...claims };
      await ask('a tenant key that claims more', claiming, isPlatform ? 'open' : 401, own);
      await ask('a tenant key in x-api-key', { 'x-api-key': tenantKey.own }, isPlatform ? 'open' : 401, own);
      await ask('a tenant key in api-key', { 'api-key': tenantKey.own }, isPlatform ? 'open' : 401, own);
      await ask('the super key in api-key', { 'api-key': superKey }, 401);
      await ask(
        'a tenant key for another tenant',
        { ...bearer(tenantKey.own), 'x-tenant-id': other },
        isPlatform ? 403 : 401,
        other,
      );
      await ask(
        "another tenant's key for this tenant",
        { ...bearer(tenantKey.other), 'x-tenant-id': own },
        isPlatform ? 403 : 401,
        own,
      );
      for (const [scope, key] of scoped) await ask(scope, { 'x-api-key': key }, ofSysadmin(scope));
      for (const [scope, key] of scoped)
        await ask(`${scope} as bearer`, bearer(key), takesBearer ? ofSysadmin(scope) : 401);
      const isOpenToOwn =
        !isPlatform && need !== 'super' && !aboutAllAtOnce.includes(`${asGet(method)} ${path}`);
      await ask(
        'all scopes, for its tenant',
        { 'x-api-key': ofOwn },
        isPlatform ? 401 : isOpenToOwn ? 'open' : 403,
        own,
      );
      // A session opens what its key opens, but for another session, and changes nothing without the header of the console.
      const isSignIn = `${method} ${path}` === 'POST /api/v1/sysadmin/session';
      const isChange = method !== 'GET' && method !== 'HEAD';
      const ofSession = (outcome: 'open' | 401 | 403) => (isSignIn ? 403 : outcome);
      for (const [name, key, outcome] of [
        ['the super key', superKey, isPlatform ? 401 : 'open'],
        [scoped[0]![0], scoped[0]![1], ofSysadmin(scoped[0]![0])],
        [scoped[3]![0], scoped[3]![1], ofSysadmin(scoped[3]![0])],
      ] as const) {
        const { cookie } = await sessionOf(key);
        await ask(`a session of ${name} elsewhere`, { cookie }, isPlatform ? 401 : isChange ? 403 : outcome);
        await ask(`a session of ${name}`, { ...(await sessionOf(key)) }, ofSession(outcome));
      }
      const session = { ...(await sessionOf(ofOwn)) };
      // The key has just deleted its tenant.
      const isLeft = `${method} ${path}` !== deletion;
      await ask(
        'a session for its tenant',
        session,
        isPlatform ? 401 : ofSession(isOpenToOwn && isLeft ? 'open' : 403),
        own,
      );
      // It has ended them.
      if (`${method} ${path}` === 'DELETE /api/v1/sysadmin/session') sessions.clear();
      await ask('a forged session', { cookie: 'tenkey_session=tkc_0_0', 'x-tenkey-console': '1' }, 401);
      const isAboutAll = !path.includes(':tenant_id');
      await ask(
        'all scopes, for another tenant',
        { 'x-api-key': ofOwn },
        isPlatform ? 401 : isOpenToOwn && isAboutAll ? 'open' : 403,
        other,
      );
    }
    expect(found).toEqual(expected);
    expect(found.length).toBeGreaterThan(800);
  }, 120_000);

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
  ])('is refused with 401 in our shape for GET %s (%#)', async (path, headers) => {
    const answer = await tenkey
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
  ])('is decided before the body is validated (%#)', async (body, type, status, code) => {
    const send = () => tenkey.http().post('/api/v1/sysadmin/tenants').set('content-type', type);
    expect((await send().send(body)).status).toBe(401);
    const answer = await send().set('X-API-Key', superKey).send(body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('is refused for every key on a route that does not declare who may call it', async () => {
    for (const key of ['', superKey, platformKey]) {
      const answer = await tenkey.http().get('/undeclared').set('X-API-Key', key);
      expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    }
  });

  it('is given to everybody at /, which says where things are and sends a browser to the documentation', async () => {
    const { status, body } = await tenkey.http().get('/');
    expect([status, body]).toEqual([
      200,
      {
        service: 'Tenkey',
        platform_api: '/v1',
        sysadmin_api: '/api/v1/sysadmin',
        health: '/health',
        ready: '/ready',
        docs: '/docs',
        openapi: '/docs/openapi.json',
      },
    ]);
    const browser = await tenkey.http().get('/').set('accept', 'text/html,application/xhtml+xml,*/*;q=0.8');
    expect([browser.status, browser.headers.location]).toEqual([302, 'docs']);
  });

  it('is given to each of several super keys, so that the super key can be replaced', async () => {
    const rolled = await startTestApp({
      INTRIC_SUPER_API_KEY: `${superKey},the-next-super-key-5d0e7c`,
      DOCS: 'false',
    });
    try {
      for (const [key, status] of [
        [superKey, 200],
        ['the-next-super-key-5d0e7c', 200],
        [`${superKey},the-next-super-key-5d0e7c`, 401],
      ] as const) {
        const answer = await rolled.http().get('/api/v1/sysadmin/tenants').set('X-API-Key', key);
        expect(answer.status).toBe(status);
      }
      // DOCS=false switches the documentation off.
      for (const path of [
        '/docs',
        '/docs/',
        '/docs/openapi.json',
        '/docs/openapi.yaml',
        '/docs/swagger-ui.css',
      ]) {
        const answer = await rolled.http().get(path);
        expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'route_not_found']);
      }
      const addresses = await rolled.http().get('/').set('accept', 'text/html');
      expect([addresses.status, addresses.text]).toEqual([200, expect.not.stringContaining('docs')]);
    } finally {
      await rolled.close();
    }
  });

  it('needs a key in whatever form the request target is written', async () => {
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
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

  it('distinguishes a wrong method from a wrong path, without reading the body', async () => {
    const wrongMethod = await tenkey.sysadmin('put', '/tenants').send('{"broken');
    expect([wrongMethod.status, wrongMethod.body.code]).toEqual([405, 'method_not_allowed']);
    expect(wrongMethod.headers.allow).toBe('GET, HEAD, POST');
    const onPlatform = await tenkey.http().get('/v1/chat/completions').set('X-API-Key', platformKey);
    expect([onPlatform.status, onPlatform.body.error.code]).toEqual([405, 'method_not_allowed']);
    const wrongPath = await tenkey.sysadmin('get', '/no-such-route');
    expect([wrongPath.status, wrongPath.body.code]).toEqual([404, 'route_not_found']);
  });
});
