import { randomUUID } from 'node:crypto';
import { TenantCredential } from '#credentials';
import { FernetService } from '#crypto';
import { describeWithApp, startTestApp, type TestApp } from './support/app';

const models = `
completion_models:
  - name: gpt-4o
    family: openai
    litellm_model_name: gpt-4o
  - name: swedish
    family: azure
    litellm_model_name: azure/gpt-4o-mini
  - name: gemma
    family: vllm
    litellm_model_name: hosted_vllm/google/gemma
  - name: claude
    family: claude
    litellm_model_name: anthropic/claude-sonnet
  - name: old
    family: openai
embedding_models:
  - name: nobody
    family: e5
  - name: claude-embedding
    family: claude
    litellm_model_name: anthropic/claude-embedding
`;

describeWithApp('the explanation of a tenant’s models', {}, { models }, (tenkey) => {
  let single: TestApp;
  let tenant: string;
  beforeAll(async () => {
    single = await startTestApp(
      { TENANT_CREDENTIALS_ENABLED: 'false', OPENAI_API_KEY: 'sk-global-key-of-the-operator' },
      { models, databaseUrl: tenkey.databaseUrl },
    );
  });
  afterAll(() => single.close());
  beforeEach(async () => {
    tenkey.provider.reset();
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-the-tenant-1234' });
  });

  const ask = (id = tenant, app = tenkey) => app.sysadmin('get', `/tenants/${id}/models`);
  const explained = async (name: string, app = tenkey) =>
    (await ask(tenant, app)).body.models.find((model: { name: string }) => model.name === name);

  it('says for each model where a call goes and whose key pays, as the call then shows', async () => {
    const { status, body } = await ask();
    expect([status, body.tenant_id, body.tenant_state, body.mode]).toEqual([200, tenant, 'active', 'strict']);
    const names = body.models.map((model: { name: string }) => model.name);
    expect(names).toEqual(['gpt-4o', 'swedish', 'gemma', 'claude', 'old', 'nobody', 'claude-embedding']);
    const [first] = body.models;
    expect(first).toEqual({
      name: 'gpt-4o',
      kind: 'completion',
      adapter: 'litellm',
      provider: 'openai',
      upstream_model: 'gpt-4o',
      target: 'gpt-4o',
      target_from: null,
      host: `127.0.0.1:${tenkey.provider.port}`,
      endpoints: expect.arrayContaining(['/v1/chat/completions', '/v1/messages']),
      credential: {
        source: 'tenant',
        masked_key: '...1234',
        version: expect.stringMatching(/^\d+$/),
        status: 'ready',
        expires_at: null,
      },
      staged: null,
      rollback_until: null,
      ready: true,
      problem: null,
      warnings: [],
    });
    const call = await tenkey.chat(tenant);
    const { source, masked_key, version } = first.credential;
    expect(call.headers).toMatchObject({
      'x-tenkey-provider': first.provider,
      'x-tenkey-adapter': first.adapter,
      'x-tenkey-credential-source': source,
      'x-tenkey-credential': `${first.provider}/${masked_key}/v${version}`,
    });
  });

  it('gives the problem that the call itself runs into, with the same fix', async () => {
    for (const model of ['swedish', 'gemma', 'claude', 'old']) {
      const { ready, problem, host } = await explained(model);
      const { error } = (await tenkey.chat(tenant, { model })).body;
      expect([model, ready, host, problem.code]).toEqual([model, false, null, error.code]);
      expect(error.message).toContain(problem.detail);
      expect(error.message).toContain(problem.hint);
    }
    await tenkey.setCredential(tenant, 'vllm', { api_key: 'vllm-key-of-the-tenant' });
    expect(await explained('gemma')).toMatchObject({
      ready: false,
      credential: { masked_key: '...nant', source: 'tenant' },
      problem: { code: 'endpoint_not_configured', hint: expect.stringContaining('VLLM_MODEL_URL') },
    });
    expect(await explained('nobody')).toMatchObject({
      provider: null,
      upstream_model: null,
      endpoints: [],
      credential: null,
      problem: { code: 'legacy_model_in_strict_mode' },
    });
    expect((await explained('nobody', single)).problem.code).toBe('endpoint_not_supported');
    expect(await explained('claude-embedding')).toMatchObject({
      provider: 'anthropic',
      endpoints: [],
      problem: { code: 'endpoint_not_supported' },
    });
  });

  it('shows which deployment of Azure is meant', async () => {
    const fields = {
      api_key: 'azure-key-of-the-tenant',
      endpoint: 'https://sundsvall.openai.azure.com',
      api_version: '2024-10-21',
      deployment_name: 'usual',
    };
    await tenkey.setCredential(tenant, 'azure', fields);
    const host = 'sundsvall.openai.azure.com';
    expect(await explained('swedish')).toMatchObject({ ready: true, host, target: 'usual' });
    await tenkey.setCredential(tenant, 'azure', { ...fields, deployments: { 'gpt-4o-mini': 'mini' } });
    expect(await explained('swedish')).toMatchObject({ upstream_model: 'gpt-4o-mini', target: 'mini' });
  });

  it('names a credential that cannot be used, and why', async () => {
    for (const [change, code, status] of [
      [`sealed_api_key = 'sk-plain-row'`, 'credential_plaintext', 'plaintext'],
      [`key_id = 'no-such-key'`, 'credential_unreadable', 'unreadable'],
      [`key_hint = '...0000'`, 'credential_tampered', 'tampered'],
    ]) {
      await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-the-tenant-1234' });
      await tenkey.edit(
        `UPDATE tenant_credentials SET ${change} WHERE tenant_id = $1 AND provider = 'openai'`,
        [tenant],
      );
      const one = await explained('gpt-4o');
      expect(one).toMatchObject({ ready: false, credential: { status }, problem: { code } });
      expect(JSON.stringify(one)).not.toContain('sk-plain-row');
    }
  });

  it('names a credential that the provider refused, with the time and how to verify it again', async () => {
    tenkey.provider.next({ status: 401 });
    await tenkey.sysadmin('post', `/tenants/${tenant}/credentials/openai/verify`);
    expect(await explained('gpt-4o')).toMatchObject({
      ready: false,
      host: expect.any(String),
      credential: { status: 'rejected' },
      problem: {
        code: 'credential_rejected',
        detail: expect.stringMatching(/last at \d{4}-.*Z, 1 time/),
        hint: expect.stringContaining('/credentials/openai/verify'),
      },
    });
  });

  it('names an endpoint that EGRESS_ALLOW no longer allows, as the call and the readiness report do', async () => {
    const fields = { api_key: 'sk-key-of-the-tenant-1234', endpoint: `${tenkey.provider.url}/v1` };
    expect((await tenkey.setCredential(tenant, 'openai', fields)).status).toBe(200);
    expect(await explained('gpt-4o')).toMatchObject({
      ready: true,
      host: `127.0.0.1:${tenkey.provider.port}`,
    });
    const closed = await startTestApp({ EGRESS_ALLOW: '' }, { models, databaseUrl: tenkey.databaseUrl });
    try {
      const one = await explained('gpt-4o', closed);
      const { error } = (await closed.chat(tenant)).body;
      expect(one).toMatchObject({
        ready: false,
        target: null,
        credential: { source: 'tenant', masked_key: '...1234', status: 'ready' },
        problem: { code: 'endpoint_not_allowed' },
      });
      expect([error.code, error.message]).toEqual([
        one.problem.code,
        `${one.problem.detail} ${one.problem.hint}`,
      ]);
      const cellOf = async (app: TestApp) => {
        const { items } = (await app.sysadmin('get', '/readiness?mode=strict&limit=200')).body;
        const row = items.find((item: { tenant_id: string }) => item.tenant_id === tenant);
        return row.providers.find((cell: { provider: string }) => cell.provider === 'openai');
      };
      expect(await cellOf(closed)).toMatchObject({
        breaking_models: ['gpt-4o'],
        problem: { code: 'endpoint_not_allowed' },
      });
      expect((await cellOf(tenkey)).breaking_models).toEqual([]);
      // The address policy does not apply to the operator's own address.
      await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-the-tenant-1234' });
      expect((await explained('gpt-4o', closed)).ready).toBe(true);
    } finally {
      await closed.close();
    }
  });

  it('opens no key, calls no provider, and reads the credentials in one query', async () => {
    const decrypt = jest.spyOn(FernetService.prototype, 'open' as never);
    const build = jest.spyOn(tenkey.database, 'createQueryBuilder');
    await ask();
    expect(decrypt).not.toHaveBeenCalled();
    const queries = build.mock.calls.map(([entity]) => entity as unknown);
    expect(queries.filter((entity) => entity === TenantCredential)).toHaveLength(1);
    build.mockRestore();
    decrypt.mockRestore();
    expect(tenkey.provider.requests).toHaveLength(0);
  });

  it('shows the global key in single-tenant mode, and what is missing in the environment', async () => {
    expect((await ask(tenant, single)).body.mode).toBe('single-tenant');
    for (const model of ['gpt-4o', 'old']) {
      expect(await explained(model, single)).toMatchObject({
        ready: true,
        credential: { source: 'global', masked_key: '...ator', version: null, status: null },
      });
    }
    expect(await explained('claude', single)).toMatchObject({
      ready: false,
      credential: null,
      problem: {
        code: 'credential_not_configured',
        hint: expect.stringContaining('ANTHROPIC_API_KEY'),
      },
    });
  });

  it('says that the calls of a suspended tenant are refused, and how to change that', async () => {
    await tenkey.sysadmin('patch', `/tenants/${tenant}`).send({ state: 'suspended' });
    const { body } = await ask();
    expect(body.tenant_state).toBe('suspended');
    for (const model of body.models) {
      expect([model.ready, model.problem.code]).toEqual([false, 'tenant_suspended']);
    }
  });

  it('is 404 for an unknown tenant, 422 without a UUID, and 401 without a key', async () => {
    expect((await ask(randomUUID())).body.code).toBe('tenant_not_found');
    expect((await ask('no-uuid')).body.code).toBe('validation_failed');
    expect((await tenkey.http().get(`/api/v1/sysadmin/tenants/${tenant}/models`)).status).toBe(401);
  });
});
