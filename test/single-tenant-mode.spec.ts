import { platformKey, startTestApp, superKey, type TestApp } from './support/app';
import { issueSysadminKey } from './support/keys';

const globalKey = 'sk-global-key-of-the-operator';

describe('single-tenant mode', () => {
  let strict: TestApp;
  let single: TestApp;
  let tenant: string;
  beforeAll(async () => {
    strict = await startTestApp();
    tenant = await strict.createTenant();
    await strict.setCredential(tenant, 'openai', { api_key: 'sk-stored-key-of-the-tenant' });
    single = await startTestApp(
      { TENANT_CREDENTIALS_ENABLED: 'false', ENCRYPTION_KEY: undefined, OPENAI_API_KEY: globalKey },
      { databaseUrl: strict.databaseUrl },
    );
  });
  afterAll(async () => {
    await single.close();
    await strict.close();
  });

  it('uses the global key for every tenant and both adapters, and reads no stored one', async () => {
    const other = await single.createTenant();
    for (const [id, model, adapter] of [
      [tenant, 'gpt-4o', 'litellm'],
      [other, 'gpt-4o', 'litellm'],
      [tenant, 'gpt-4o-legacy', 'legacy'],
    ] as const) {
      const answer = await single.chat(id, { model });
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        'x-tenkey-adapter': adapter,
        'x-tenkey-credential-source': 'global',
        'x-tenkey-credential': 'openai/...ator/global',
      });
    }
    expect(single.provider.requests.map(({ key }) => key)).toEqual([globalKey, globalKey, globalKey]);
  });

  it('gives feature_disabled on every credential route, before path and body are validated', async () => {
    for (const method of ['put', 'get', 'delete'] as const) {
      const path = method === 'get' ? '/tenants/no-uuid/credentials' : '/tenants/no-uuid/credentials/none';
      const request = single.sysadmin(method, path);
      const answer = await (method === 'put'
        ? request.set('content-type', 'application/json').send('{"broken')
        : request);
      expect([answer.status, answer.body.code]).toEqual([404, 'feature_disabled']);
      expect(answer.body.hint).toContain('TENANT_CREDENTIALS_ENABLED');
    }
    const noKey = await single.http().put(`/api/v1/sysadmin/tenants/${tenant}/credentials/openai`);
    expect(noKey.status).toBe(401);
  });

  it('gives feature_disabled to every key before a body is refused for its type or size', async () => {
    const { key } = await issueSysadminKey(single, { scopes: ['credentials:write', 'usage:read'] });
    const root = `/api/v1/sysadmin/tenants/${tenant}/credentials/openai`;
    for (const [path, type, body] of [
      [root, 'text/plain', 'api_key=x'],
      [root, 'multipart/form-data; boundary=x', '--x--'],
      [root, 'application/json', 'x'.repeat(1024 * 1024 + 1)],
      [`${root}/verify`, 'text/plain', 'x'],
      [`${root}/promote/`, 'application/xml', '<x/>'],
    ] as const) {
      for (const [presented, ...expected] of [
        [superKey, 404, 'feature_disabled'],
        [key, 404, 'feature_disabled'],
        ['wrong', 401, 'unauthenticated'],
      ] as const) {
        const answer = await single.nest.inject({
          method: path === root ? 'PUT' : 'POST',
          url: path,
          headers: { 'x-api-key': presented, 'content-type': type },
          payload: body,
        });
        expect([answer.statusCode, answer.json().code]).toEqual(expected);
      }
    }
  });

  it('names the variable of a global key that is not set', async () => {
    const answer = await single.chat(tenant, { model: 'mistral-large' });
    expect([answer.status, answer.body.error.code]).toEqual([424, 'credential_not_configured']);
    expect(answer.body.error.message).toContain('MISTRAL_API_KEY');
  });

  it('is named in /ready', async () => {
    expect((await single.http().get('/ready')).body).toMatchObject({
      status: 'ready',
      mode: 'single-tenant',
    });
    expect((await strict.http().get('/ready')).body).toMatchObject({ status: 'ready', mode: 'strict' });
  });

  it('is not needed for legacy models to use the global key, if a setting allows that in strict mode', async () => {
    const opted = await startTestApp(
      {
        LEGACY_MODELS_USE_GLOBAL_KEYS: 'true',
        OPENAI_API_KEY: globalKey,
        MISTRAL_API_KEY: 'mistral-key-pasted-with-a-quote”',
        AZURE_API_KEY: 'azure-global-key-w1x2',
        AZURE_ENDPOINT: 'my-resource.openai.azure.com',
        AZURE_API_VERSION: '2024-10-21',
        AZURE_DEPLOYMENT_NAME: 'shared',
      },
      {
        databaseUrl: strict.databaseUrl,
        models: [
          '- { name: gpt-4o, litellm_model_name: gpt-4o }',
          '- { name: gpt-4o-legacy, family: openai }',
          '- { name: azure-legacy, family: azure }',
          '- { name: mistral-legacy, family: mistral }',
        ].join('\n'),
      },
    );
    try {
      const legacy = await opted.chat(tenant, { model: 'gpt-4o-legacy' });
      expect([legacy.status, legacy.headers['x-tenkey-credential-source']]).toEqual([200, 'global']);
      const own = await opted.chat(tenant);
      expect(own.headers['x-tenkey-credential-source']).toBe('tenant');
      const none = await opted.chat(await opted.createTenant());
      expect(none.body.error.code).toBe('credential_not_configured');
      const keys = opted.provider.requests.map(({ key }) => key);
      expect(keys).toEqual([globalKey, 'sk-stored-key-of-the-tenant']);

      // An invalid key or address fails only the calls of its own model, and the error names the variable.
      for (const [model, code, variable] of [
        ['azure-legacy', 'endpoint_not_configured', 'AZURE_ENDPOINT'],
        ['mistral-legacy', 'credential_not_configured', 'MISTRAL_API_KEY'],
      ] as const) {
        const answer = await opted.chat(tenant, { model });
        expect([model, answer.status, answer.body.error.code]).toEqual([model, 424, code]);
        expect(answer.body.error.message).toContain(`Correct ${variable}`);
        expect(answer.text).not.toMatch(/my-resource|quote/);
      }
      const list = await opted
        .http()
        .get('/v1/models')
        .set('X-API-Key', platformKey)
        .set('X-Tenant-ID', tenant);
      expect(list.body.data.map((each: any) => [each.id, each.tenkey.ready])).toEqual([
        ['gpt-4o', true],
        ['gpt-4o-legacy', true],
        ['azure-legacy', false],
        ['mistral-legacy', false],
      ]);
      expect((await opted.sysadmin('get', `/tenants/${tenant}/models`)).status).toBe(200);
      expect((await opted.sysadmin('get', '/readiness')).status).toBe(200);
    } finally {
      await opted.close();
    }
  });
});
