import { randomUUID } from 'node:crypto';
import { startTestApp, type TestApp } from './support/app';

const key = 'sk-sentinel-set-credential-xyz9';

describe('set a credential', () => {
  let test: TestApp;
  let tenant: string;
  beforeAll(async () => {
    test = await startTestApp();
    tenant = await test.createTenant();
  });
  afterAll(() => test.close());

  it('answers 200 with the mask, also when it replaces', async () => {
    for (const _ of [1, 2]) {
      const answer = await test.setCredential(tenant, 'openai', { api_key: `  ${key}  ` });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ tenant_id: tenant, provider: 'openai', masked_key: '...xyz9' });
    }
  });

  it('stores the key sealed, lists it masked and sorted, removes it once', async () => {
    await test.setCredential(tenant, 'mistral', { api_key: key });
    const rows = await test.database.query('SELECT * FROM tenant_credentials WHERE tenant_id = $1', [tenant]);
    expect(JSON.stringify(rows)).not.toContain(key);
    expect(rows[0].sealed_api_key).toMatch(/^enc:fernet:v1:gAAAA/);
    const list = await test.sysadmin('get', `/tenants/${tenant}/credentials/`);
    expect(list.body.credentials.map((one: { provider: string }) => one.provider)).toEqual([
      'mistral',
      'openai',
    ]);
    expect(list.body.credentials[0]).toMatchObject({
      encryption_status: 'encrypted',
      status: 'ready',
      config: {},
    });
    const removed = await test.sysadmin('delete', `/tenants/${tenant}/credentials/mistral`);
    expect(removed.body).toMatchObject({ deleted: true });
    const again = await test.sysadmin('delete', `/tenants/${tenant}/credentials/mistral`);
    expect([again.status, again.body.deleted]).toEqual([200, false]);
  });

  it.each([
    ['openai', {}],
    ['openai', { api_key: 'short' }],
    ['openai', { api_key: '...xyz9' }],
    ['openai', { api_key: 'sk-line\nbreak-in-it' }],
    ['openai', { api_key: 12345678 }],
    ['openai', { api_key: key, endpont: 'https://llm.example.com/v1' }],
    ['openai', { api_key: key, endpoint: 'ftp://llm.example.com' }],
    ['azure', { api_key: key }],
    [
      'azure',
      {
        api_key: key,
        endpoint: 'https://a.openai.azure.com',
        api_version: '2024-10-21',
        deployment_name: '../x',
      },
    ],
    ['vllm', []],
  ])('refuses a bad %s credential %#, names the fault and keeps the old one', async (provider, body) => {
    const answer = await test.setCredential(tenant, provider, body as Record<string, unknown>);
    expect(answer.status).toBe(422);
    expect(answer.body.code).toBe('credential_validation_failed');
    expect(answer.body.errors[0].message).toContain(provider);
    expect(answer.body.provider_requirements.azure).toEqual([
      'api_key',
      'endpoint',
      'api_version',
      'deployment_name',
    ]);
    expect(answer.text).not.toContain('sentinel');
    const list = await test.sysadmin('get', `/tenants/${tenant}/credentials`);
    expect(list.body.credentials).toHaveLength(1);
  });

  it.each([
    ['/tenants/not-a-uuid/credentials/openai', 422],
    [`/tenants/${randomUUID()}/credentials/OpenAI`, 422],
    [`/tenants/${randomUUID()}/credentials/constructor`, 422],
    [`/tenants/${randomUUID()}/credentials/__proto__`, 422],
    [`/tenants/${randomUUID()}/credentials/openai`, 404],
  ])('PUT %s is %i', async (path, status) => {
    const answer = await test.sysadmin('put', path).send({ api_key: key });
    expect(answer.status).toBe(status);
  });

  it('refuses endpoints at addresses that only the inside can reach', async () => {
    for (const host of [
      '127.0.0.1:1',
      'localhost',
      '169.254.169.254',
      '[::1]',
      '[::ffff:a9fe:a9fe]',
      '0x7f.1',
    ]) {
      const answer = await test.setCredential(tenant, 'vllm', {
        api_key: key,
        endpoint: `http://${host}/v1`,
      });
      expect([host, answer.status, answer.body.code]).toEqual([host, 422, 'endpoint_not_allowed']);
    }
    const inside = await test.setCredential(tenant, 'vllm', {
      api_key: key,
      endpoint: 'http://10.1.2.3:8000',
    });
    expect(inside.status).toBe(200);
  });

  it('loses nothing in 20 parallel PUTs', async () => {
    const other = await test.createTenant();
    const ids = ['openai', 'anthropic', 'mistral', 'ovhcloud', 'berget'];
    const puts = Array.from({ length: 20 }, (_, index) =>
      test
        .setCredential(other, ids[index % 5]!, { api_key: `${key}-${index}` })
        .then((answer) => answer.status),
    );
    expect(new Set(await Promise.all(puts))).toEqual(new Set([200]));
    const list = await test.sysadmin('get', `/tenants/${other}/credentials`);
    expect(list.body.credentials).toHaveLength(5);
    expect(list.body.credentials.every((one: { status: string }) => one.status === 'ready')).toBe(true);
  });
});
