import { randomUUID } from 'node:crypto';
import { fixedProviders } from '#providers';
import { describeWithApp } from './support/app';

const key = 'sk-sentinel-set-credential-xyz9';

describeWithApp('setting a credential', (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
  });

  it('gives 200 with the mask, even when it replaces one', async () => {
    for (const _ of [1, 2]) {
      const answer = await tenkey.setCredential(tenant, 'openai', { api_key: `  ${key}  ` });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ tenant_id: tenant, provider: 'openai', masked_key: '...xyz9' });
    }
  });

  it('stores the key sealed, to be listed masked and sorted and removed once', async () => {
    await tenkey.setCredential(tenant, 'mistral', { api_key: key });
    const rows = await tenkey.database.query('SELECT * FROM tenant_credentials WHERE tenant_id = $1', [
      tenant,
    ]);
    expect(JSON.stringify(rows)).not.toContain(key);
    expect(rows[0].sealed_api_key).toMatch(/^enc:fernet:v1:gAAAA/);
    const list = await tenkey.sysadmin('get', `/tenants/${tenant}/credentials/`);
    expect(list.body.credentials.map((one: { provider: string }) => one.provider)).toEqual([
      'mistral',
      'openai',
    ]);
    expect(list.body.credentials[0]).toMatchObject({
      encryption_status: 'encrypted',
      status: 'ready',
      config: {},
    });
    const removed = await tenkey.sysadmin('delete', `/tenants/${tenant}/credentials/mistral`);
    expect(removed.body).toMatchObject({ deleted: true });
    const again = await tenkey.sysadmin('delete', `/tenants/${tenant}/credentials/mistral`);
    expect([again.status, again.body.deleted]).toEqual([200, false]);
  });

  it.each([
    ['openai', {}],
    ['openai', { api_key: 'short' }],
    ['openai', { api_key: '...xyz9' }],
    // Its key may be of any length, so only the shape of a mask is refused here.
    ['vllm', { api_key: '...xyz9' }],
    ['openai', { api_key: 'sk-line\nbreak-in-it' }],
    ['openai', { api_key: 12345678 }],
    ['openai', { api_key: key, endpont: 'https://llm.example.com/v1' }],
    ['openai', { api_key: key, expiresAt: '2099-01-01' }],
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
    const answer = await tenkey.setCredential(tenant, provider, body as Record<string, unknown>);
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
    const list = await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`);
    expect(list.body.credentials).toHaveLength(1);
  });

  it.each<[string, object, string, string]>([
    ['mistral', { endpoint: 'https://sentinel.example' }, 'endpoint', 'mistral has no endpoint'],
    ['mistral', { endpont: 'https://sentinel.example' }, 'endpoint', 'mistral has no endpoint'],
    ['openai', { deployment_name: 'sentinel' }, 'deployment_name', 'openai has no deployment_name'],
    ['vllm', { api_version: 'sentinel' }, 'api_version', 'vllm has no api_version'],
    ['openai', { endpont: 'https://sentinel.example' }, 'endpoint', 'openai: did you mean endpoint?'],
    ['openai', { Endpoint: 'https://sentinel.example' }, 'endpoint', 'openai: did you mean endpoint?'],
    [
      'openai',
      { expires: 'sentinel', expiresat: '2099-01-01' },
      'expires_at',
      'openai: did you mean expires_at?',
    ],
  ])(
    'refuses for %s the field in %j, which would have no effect',
    async (provider, fields, path, message) => {
      for (const query of ['', '?stage=true']) {
        const answer = await tenkey
          .sysadmin('put', `/tenants/${tenant}/credentials/${provider}${query}`)
          .send({ api_key: key, ...fields });
        expect([answer.status, answer.body.code]).toEqual([422, 'credential_validation_failed']);
        expect(answer.body.errors).toEqual([{ path, message }]);
        expect(answer.text).not.toContain('sentinel');
      }
    },
  );

  it('lists the fields that no provider has, and repeats nothing that is not a name', async () => {
    const other = await tenkey.createTenant();
    const fields = {
      comment: 'sentinel',
      purpose_of_key: null,
      team: 7,
      [key]: 'x',
      'not a name': 'x',
      endpoint: null,
      deployment_name: null,
    };
    for (const query of ['', '?stage=true']) {
      const answer = await tenkey
        .sysadmin('put', `/tenants/${other}/credentials/mistral${query}`)
        .send({ api_key: key, ...fields });
      expect([answer.status, answer.body.ignored_fields]).toEqual([
        200,
        ['comment', 'team', '(not a name)', '(not a name)'],
      ]);
      expect(answer.text).not.toContain('sentinel');
    }
    const plain = await tenkey.setCredential(other, 'mistral', { api_key: key, endpoint: null });
    expect([plain.status, 'ignored_fields' in plain.body]).toEqual([200, false]);
  });

  it.each([
    ['/tenants/not-a-uuid/credentials/openai', 422],
    [`/tenants/${randomUUID()}/credentials/OpenAI`, 422],
    [`/tenants/${randomUUID()}/credentials/constructor`, 422],
    [`/tenants/${randomUUID()}/credentials/__proto__`, 422],
    [`/tenants/${randomUUID()}/credentials/openai`, 404],
  ])('with PUT %s gives %i', async (path, status) => {
    const answer = await tenkey.sysadmin('put', path).send({ api_key: key });
    expect(answer.status).toBe(status);
  });

  it.each<[string | undefined, number, string]>([
    ['{"api_key":', 400, 'malformed_request'],
    ['[]', 422, 'credential_validation_failed'],
    ['"text"', 422, 'credential_validation_failed'],
    [undefined, 422, 'credential_validation_failed'],
    ['{"api_key":12345678}', 422, 'credential_validation_failed'],
    ['{"api_key":"short"}', 404, 'tenant_not_found'],
    ['{}', 404, 'tenant_not_found'],
  ])('checks syntax and types before the tenant, and the fields after it: %s', async (body, status, code) => {
    const put = tenkey.sysadmin('put', `/tenants/${randomUUID()}/credentials/openai`);
    const answer = await put.set('content-type', 'application/json').send(body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('changes the tenant of the path, whatever else the request names', async () => {
    const [named, other] = [await tenkey.createTenant(), await tenkey.createTenant()];
    const put = (query: string) =>
      tenkey
        .sysadmin('put', `/tenants/${named.toUpperCase()}/credentials/openai${query}`)
        .set('X-Tenant-ID', other)
        .send({ api_key: key, tenant_id: other, tenantId: other, provider: 'mistral' });
    expect((await put('')).body).toMatchObject({ tenant_id: named, provider: 'openai' });
    expect((await put(`?tenant_id=${other}`)).body).toMatchObject({ code: 'validation_failed' });
    const rows = await tenkey.database.query(
      'SELECT tenant_id, provider FROM tenant_credentials WHERE tenant_id IN ($1, $2)',
      [named, other],
    );
    expect(rows).toEqual([{ tenant_id: named, provider: 'openai' }]);
  });

  it.each(
    fixedProviders
      .filter(({ fields }) => fields.some(({ name }) => name === 'endpoint'))
      .map((provider) => [provider.id, provider] as const),
  )('moves %s to another endpoint only when the key is given again', async (id, provider) => {
    const owner = await tenkey.createTenant();
    const settings = { api_version: '2024-10-21', deployment_name: 'gpt-4o-sweden' };
    const own = new Set(provider.fields.map(({ name }) => name));
    const all: Record<string, unknown> = {
      ...settings,
      api_key: key,
      endpoint: 'https://llm.example.com/v1',
    };
    const fields = Object.fromEntries(Object.entries(all).filter(([name]) => own.has(name)));
    const list = async () => (await tenkey.sysadmin('get', `/tenants/${owner}/credentials`)).body.credentials;
    expect((await tenkey.setCredential(owner, id, fields)).status).toBe(200);
    const before = await list();
    const mask = before[0].masked_key as string;
    for (const api_key of [undefined, null, '', '        ', mask]) {
      const moved = { ...fields, api_key, endpoint: 'https://another.example.net/v1' };
      const answer = await tenkey.setCredential(owner, id, moved);
      expect([api_key, answer.status, answer.body.code]).toEqual([
        api_key,
        422,
        'credential_validation_failed',
      ]);
      expect(answer.body.errors).toContainEqual(expect.objectContaining({ path: 'api_key' }));
    }
    expect(await list()).toEqual(before);
  });

  it('replaces the whole entry and no other', async () => {
    const other = await tenkey.createTenant();
    const endpoint = 'https://llm.example.com/v1';
    await tenkey.setCredential(other, 'openai', { api_key: key, endpoint });
    await tenkey.setCredential(other, 'vllm', { api_key: key, endpoint });
    await tenkey.setCredential(other, 'openai', { api_key: `${key}-new9` });
    const { body } = await tenkey.sysadmin('get', `/tenants/${other}/credentials`);
    expect(body.credentials).toMatchObject([
      { provider: 'openai', masked_key: '...new9', config: {}, status: 'ready' },
      { provider: 'vllm', masked_key: '...xyz9', config: { endpoint }, status: 'ready' },
    ]);
    expect(BigInt(body.credentials[0].version)).toBeGreaterThan(BigInt(body.credentials[1].version));
  });

  it('is in force at the next call: after calls with the right key a wrong one fails, and the right one works again', async () => {
    const other = await tenkey.createTenant();
    const [right, wrong] = ['sk-the-right-key-aaaa', 'sk-the-wrong-key-bbbb'];
    tenkey.provider.reset();
    tenkey.provider.rejectKey(wrong);
    for (const [api_key, status] of [
      [right, 200],
      [wrong, 424],
      [right, 200],
    ] as const) {
      expect((await tenkey.setCredential(other, 'openai', { api_key })).status).toBe(200);
      expect([api_key, (await tenkey.chat(other)).status]).toEqual([api_key, status]);
    }
    expect(tenkey.provider.requests.map((request) => request.key)).toEqual([right, wrong, right]);
    tenkey.provider.reset();
  });

  it('has stored it when the response says so, even with a removal at the same moment', async () => {
    const other = await tenkey.createTenant();
    await tenkey.setCredential(other, 'openai', { api_key: key });
    const removing = tenkey.database.createQueryRunner();
    await removing.startTransaction();
    await removing.query('DELETE FROM tenant_credentials WHERE tenant_id = $1', [other]);
    const put = tenkey.setCredential(other, 'openai', { api_key: `${key}-new9` });
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    const answered = Promise.resolve(put);
    while ((await tenkey.database.query<unknown[]>(waiting)).length === 0)
      await new Promise((done) => setTimeout(done, 10));
    await removing.commitTransaction();
    await removing.release();
    expect((await answered).status).toBe(200);
    const { body } = await tenkey.sysadmin('get', `/tenants/${other}/credentials`);
    expect(body.credentials).toMatchObject([{ masked_key: '...new9', status: 'ready' }]);
  });

  it('refuses endpoints at internal addresses', async () => {
    for (const host of [
      '127.0.0.1:1',
      'localhost',
      '169.254.169.254',
      '[::1]',
      '[::ffff:a9fe:a9fe]',
      '0x7f.1',
    ]) {
      const answer = await tenkey.setCredential(tenant, 'vllm', {
        api_key: key,
        endpoint: `http://${host}/v1`,
      });
      expect([host, answer.status, answer.body.code]).toEqual([host, 422, 'endpoint_not_allowed']);
    }
    const inside = await tenkey.setCredential(tenant, 'vllm', {
      api_key: key,
      endpoint: 'http://10.1.2.3:8000',
    });
    expect(inside.status).toBe(200);
  });

  it('loses nothing in 20 parallel PUTs', async () => {
    const other = await tenkey.createTenant();
    const ids = ['openai', 'anthropic', 'mistral', 'ovhcloud', 'berget'];
    const puts = Array.from({ length: 20 }, (_, index) =>
      tenkey
        .setCredential(other, ids[index % 5]!, { api_key: `${key}-${index}` })
        .then((answer) => answer.status),
    );
    expect(new Set(await Promise.all(puts))).toEqual(new Set([200]));
    const list = await tenkey.sysadmin('get', `/tenants/${other}/credentials`);
    expect(list.body.credentials).toHaveLength(5);
    expect(list.body.credentials.every((one: { status: string }) => one.status === 'ready')).toBe(true);
  });
});
