import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelCatalogue } from '#model-routing';
import { describeWithApp, platformKey, startTestApp, type TestApp } from './support/app';
import { runCli } from './support/cli';
import { usageRecords } from './support/usage';
import { type ProviderServer, startProviderServer } from './support/provider-server';

const key = (name: string) => `key-of-the-declared-server-${name}`;

describe('providers that the catalogue declares', () => {
  let server: ProviderServer;
  let models: string;
  beforeAll(async () => {
    server = await startProviderServer();
    models = `
providers:
  - { id: gdm, kind: openai_compatible, label: GDM, endpoint: ${server.url}/gdm/v1 }
  - { id: klang, kind: openai_compatible, label: Klang }
  - { id: lab-1, kind: vllm, label: The lab }
  - { id: azure_eu, kind: azure, label: Azure in Europe }
completion_models:
  - { name: big, litellm_model_name: gdm/org/big }
  - { name: small, litellm_model_name: klang/small }
  - { name: of-lab, litellm_model_name: lab-1/of/lab }
  - { name: european, litellm_model_name: azure_eu/gpt }
  - { name: gpt-4o, litellm_model_name: gpt-4o }
`;
  });
  afterAll(() => server.close());
  beforeEach(() => server.reset());

  const withApp = (
    title: string,
    env: Record<string, string | undefined>,
    specs: (tenkey: () => TestApp) => void,
  ) =>
    describe(title, () => {
      let tenkey: TestApp;
      beforeAll(async () => void (tenkey = await startTestApp(env, { models })));
      afterAll(() => tenkey.close());
      specs(() => tenkey);
    });
  const put = async (app: TestApp, tenant: string, provider: string, fields: object = {}) => {
    const answer = await app.setCredential(tenant, provider, { api_key: key(provider), ...fields });
    expect([provider, answer.status]).toEqual([provider, 200]);
    return answer;
  };
  const azureFields = () => ({
    endpoint: `${server.url}/azure`,
    api_version: '2024-10-21',
    deployment_name: 'european-gpt',
  });

  withApp('in strict mode', { EGRESS_ALLOW: '127.0.0.1:*' }, (app) => {
    it('have separate credentials, at the addresses of their kinds', async () => {
      const tenkey = app();
      const tenant = await tenkey.createTenant();
      await put(tenkey, tenant, 'gdm');
      await put(tenkey, tenant, 'klang', { endpoint: `${server.url}/klang` });
      await put(tenkey, tenant, 'lab-1', { endpoint: `${server.url}/lab` });
      await put(tenkey, tenant, 'azure_eu', azureFields());
      const expected = [
        ['big', 'gdm', '/gdm/v1/chat/completions', 'org/big'],
        ['small', 'klang', '/klang/chat/completions', 'small'],
        ['of-lab', 'lab-1', '/lab/v1/chat/completions', 'of/lab'],
        ['european', 'azure_eu', '/azure/openai/deployments/european-gpt/chat/completions', 'european-gpt'],
      ] as const;
      for (const [model, provider, path, upstream] of expected) {
        server.reset();
        const answer = await tenkey.chat(tenant, { model });
        expect([model, answer.status]).toEqual([model, 200]);
        expect(server.requests).toMatchObject([{ path, key: key(provider), body: { model: upstream } }]);
        expect(answer.headers).toMatchObject({
          'x-tenkey-provider': provider,
          'x-tenkey-credential': expect.stringMatching(new RegExp(`^${provider}/\\.\\.\\..{4}/v\\d+$`)),
        });
      }
    });

    it('are never called with the credential of another provider', async () => {
      const tenkey = app();
      const tenant = await tenkey.createTenant();
      await put(tenkey, tenant, 'klang', { endpoint: `${server.url}/klang` });
      await put(tenkey, tenant, 'openai_compatible', { endpoint: `${server.url}/other` });
      const answer = await tenkey.chat(tenant, { model: 'big' });
      expect([answer.status, answer.body.error.code]).toEqual([424, 'credential_not_configured']);
      expect(answer.body.error.message).toContain(`PUT /api/v1/sysadmin/tenants/${tenant}/credentials/gdm`);
      expect(server.requests).toEqual([]);
      // A row that was moved to another provider in SQL fits no seal.
      await tenkey.edit(
        `UPDATE tenant_credentials SET provider = 'gdm' WHERE tenant_id = $1 AND provider = 'klang'`,
        [tenant],
      );
      expect((await tenkey.chat(tenant, { model: 'big' })).body.error.code).toBe('credential_tampered');
      expect(server.requests).toEqual([]);
    });

    it('need the fields of their kinds, but no endpoint where the catalogue has one', async () => {
      const tenkey = app();
      const tenant = await tenkey.createTenant();
      for (const [provider, missing] of [
        ['klang', ['endpoint']],
        ['azure_eu', ['endpoint', 'api_version', 'deployment_name']],
      ] as const) {
        const { status, body } = await tenkey.setCredential(tenant, provider, { api_key: key('x') });
        expect([status, body.code]).toEqual([422, 'credential_validation_failed']);
        expect(body.errors.map(({ path }: { path: string }) => path).sort()).toEqual([...missing].sort());
        expect(body.provider_requirements).toMatchObject({
          gdm: ['api_key'],
          klang: ['api_key', 'endpoint'],
          'lab-1': ['api_key'],
          azure_eu: ['api_key', 'endpoint', 'api_version', 'deployment_name'],
        });
      }
      const unset = await put(tenkey, tenant, 'lab-1');
      expect(unset.body.message).toContain('LAB_1_BASE_URL');
      // A tenant may have its own server.
      await put(tenkey, tenant, 'gdm', { endpoint: `${server.url}/own` });
      expect((await tenkey.chat(tenant, { model: 'big' })).status).toBe(200);
      expect(server.requests).toMatchObject([{ path: '/own/chat/completions' }]);
      const nobody = await tenkey.setCredential(tenant, 'infinity', { api_key: key('x') });
      expect([nobody.status, nobody.body.code]).toEqual([422, 'validation_failed']);
      expect(nobody.body.errors[0].message).toContain('openai_compatible, gdm, klang, lab-1, azure_eu');
    });

    it('are verified, staged, promoted and rolled back like any other', async () => {
      const tenkey = app();
      const tenant = await tenkey.createTenant();
      await put(tenkey, tenant, 'gdm');
      const path = `/tenants/${tenant}/credentials/gdm`;
      const verified = await tenkey.sysadmin('post', `${path}/verify`);
      expect(verified.body).toMatchObject({ provider: 'gdm', outcome: 'accepted' });
      expect(server.requests).toMatchObject([{ path: '/gdm/v1/models', key: key('gdm') }]);
      const staged = await tenkey.sysadmin('put', `${path}?stage=true`).send({ api_key: key('staged') });
      expect(staged.body).toMatchObject({ staged: true, message: expect.stringContaining('GDM (gdm)') });
      expect((await tenkey.sysadmin('post', `${path}/promote`)).status).toBe(200);
      await tenkey.chat(tenant, { model: 'big' });
      expect(server.requests.at(-1)!.key).toBe(key('staged'));
      expect((await tenkey.sysadmin('post', `${path}/rollback`)).status).toBe(200);
      await tenkey.chat(tenant, { model: 'big' });
      expect(server.requests.at(-1)!.key).toBe(key('gdm'));
    });

    it('are in explain, readiness, the list of models, audit, usage and metrics', async () => {
      const tenkey = app();
      const tenant = await tenkey.createTenant();
      await put(tenkey, tenant, 'gdm');
      expect((await tenkey.chat(tenant, { model: 'big' })).status).toBe(200);
      const explained = await tenkey.sysadmin('get', `/tenants/${tenant}/models`);
      expect(explained.body.models[0]).toMatchObject({
        provider: 'gdm',
        host: new URL(server.url).host,
        ready: true,
        credential: { source: 'tenant', status: 'ready' },
      });
      const readiness = await tenkey.sysadmin('get', '/readiness?limit=200');
      const row = readiness.body.items.find((item: any) => item.tenant_id === tenant);
      const cell = (provider: string) => row.providers.find((each: any) => each.provider === provider);
      expect([cell('gdm').ready, cell('klang').ready]).toEqual([true, false]);
      const listed = await tenkey
        .http()
        .get('/v1/models')
        .set({ 'x-api-key': platformKey, 'x-tenant-id': tenant });
      expect(listed.body.data[0].tenkey).toEqual({ provider: 'gdm', adapter: 'litellm', ready: true });
      const audit = await tenkey.sysadmin('get', `/audit-events?tenant_id=${tenant}&limit=10`);
      expect(audit.body.items).toEqual(
        expect.arrayContaining([expect.objectContaining({ action: 'credential.set', provider: 'gdm' })]),
      );
      const [record] = await usageRecords(tenkey, 1, `&tenant_id=${tenant}`);
      expect(record).toMatchObject({ provider: 'gdm', model: 'big', source: 'tenant', outcome: 'completed' });
      const { text } = await tenkey.sysadmin('get', '/metrics');
      expect(text).toMatch(/tenkey_calls_total\{provider="gdm",operation="chat\/completions"/);
    });

    it('follow the catalogue while Tenkey runs, and no credential is lost', async () => {
      const tenkey = app();
      const tenant = await tenkey.createTenant();
      const other = await tenkey.createTenant();
      await put(tenkey, tenant, 'gdm');
      await put(tenkey, other, 'gdm');
      await put(tenkey, tenant, 'openai');
      await tenkey.sysadmin('put', `/tenants/${other}/credentials/klang?stage=true`).send({
        api_key: key('klang'),
        endpoint: `${server.url}/klang`,
      });
      const call = (id = tenant) => tenkey.chat(id, { model: 'big' });
      expect((await call()).status).toBe(200);
      const catalogue = tenkey.nest.get(ModelCatalogue);
      const replace = (text: string) => catalogue.replaceWith(ModelCatalogue.parse(text, 'models.yml'));

      replace('- { name: gpt-4o, litellm_model_name: gpt-4o }');
      expect((await call()).body.error.code).toBe('model_not_found');
      const list = (id: string) => tenkey.sysadmin('get', `/tenants/${id}/credentials`);
      expect((await list(tenant)).body.credentials).toMatchObject([
        { provider: 'gdm', status: 'ready', unknown_provider: true },
        { provider: 'openai', status: 'ready' },
      ]);
      expect((await list(tenant)).body.credentials[1]).not.toHaveProperty('unknown_provider');
      expect((await list(other)).body.without_live).toMatchObject([
        { provider: 'klang', unknown_provider: true, staged: { status: 'ready' } },
      ]);
      expect((await tenkey.sysadmin('get', '/readiness?limit=200')).status).toBe(200);
      expect((await tenkey.sysadmin('get', `/tenants/${tenant}/models`)).status).toBe(200);
      const path = `/tenants/${tenant}/credentials/gdm`;
      expect((await tenkey.sysadmin('put', path).send({ api_key: key('x') })).body.code).toBe(
        'validation_failed',
      );
      expect((await tenkey.sysadmin('post', `${path}/verify`)).body.code).toBe('validation_failed');

      // Declared again, as another kind and at another address: the same credential is used.
      replace(
        `providers: [{ id: gdm, kind: vllm, label: GDM, endpoint: ${server.url}/moved }]\ncompletion_models: [{ name: big, litellm_model_name: gdm/big }]`,
      );
      server.reset();
      for (const _ of [1, 2]) expect((await call()).status).toBe(200);
      expect(server.requests).toMatchObject([
        { path: '/moved/v1/chat/completions', key: key('gdm') },
        { path: '/moved/v1/chat/completions', key: key('gdm') },
      ]);

      // As a kind that needs more, it has to be set again.
      replace(
        'providers: [{ id: gdm, kind: azure, label: GDM, endpoint: https://gdm.example }]\ncompletion_models: [{ name: big, litellm_model_name: gdm/big }]',
      );
      const incomplete = await call();
      expect([incomplete.status, incomplete.body.error.message]).toEqual([
        424,
        `The GDM setting deployment_name is missing or not valid. PUT /api/v1/sysadmin${path} with a valid deployment_name.`,
      ]);

      // Without a declaration it can still be removed, and nothing else is.
      replace('- { name: gpt-4o, litellm_model_name: gpt-4o }');
      const removed = await tenkey.sysadmin('delete', path);
      expect([removed.status, removed.body]).toEqual([
        200,
        { tenant_id: tenant, provider: 'gdm', message: 'The gdm credential is removed.', deleted: true },
      ]);
      expect((await list(tenant)).body.credentials).toMatchObject([{ provider: 'openai' }]);
      expect((await tenkey.sysadmin('delete', path)).body.code).toBe('validation_failed');
      const staged = await tenkey.sysadmin('delete', `/tenants/${other}/credentials/klang?slot=staged`);
      expect(staged.body).toMatchObject({ deleted: true });
      replace(models);
      expect((await call()).body.error.code).toBe('credential_not_configured');
      expect((await call(other)).status).toBe(200);
    });

    it('do not disturb a process with an older catalogue', async () => {
      const tenkey = app();
      const tenant = await tenkey.createTenant();
      await put(tenkey, tenant, 'gdm');
      await put(tenkey, tenant, 'openai');
      const older = await startTestApp(
        {},
        { models: '- { name: gpt-4o, litellm_model_name: gpt-4o }', databaseUrl: tenkey.databaseUrl },
      );
      try {
        expect((await older.chat(tenant)).status).toBe(200);
        const { body } = await older.sysadmin('get', `/tenants/${tenant}/credentials`);
        expect(body.credentials.map((each: any) => [each.provider, each.status])).toEqual([
          ['gdm', 'ready'],
          ['openai', 'ready'],
        ]);
        expect((await older.sysadmin('get', '/readiness?limit=200')).status).toBe(200);
        expect((await older.sysadmin('get', '/metrics')).status).toBe(200);
        // A change that it makes is in force in the newer process, and the reverse.
        expect((await older.sysadmin('delete', `/tenants/${tenant}/credentials/gdm`)).body.deleted).toBe(
          true,
        );
        expect((await tenkey.chat(tenant, { model: 'big' })).body.error.code).toBe(
          'credential_not_configured',
        );
      } finally {
        await older.close();
      }
    });
  });

  withApp(
    'in single-tenant mode',
    {
      TENANT_CREDENTIALS_ENABLED: 'false',
      GDM_API_KEY: 'global-key-of-gdm',
      KLANG_API_KEY: 'global-key-of-klang',
      LAB_1_API_KEY: 'EMPTY',
      AZURE_EU_API_KEY: 'global-key-of-azure-eu',
      AZURE_EU_API_VERSION: '2024-10-21',
      AZURE_EU_DEPLOYMENT_NAME: 'usual',
      AZURE_EU_DEPLOYMENTS: 'gpt=of-the-map',
    },
    (app) => {
      it('use the variables that begin with their ids', async () => {
        const { databaseUrl } = app();
        const address = { LAB_1_BASE_URL: `${server.url}/lab`, AZURE_EU_ENDPOINT: `${server.url}/azure` };
        const single = await startTestApp(
          {
            TENANT_CREDENTIALS_ENABLED: 'false',
            GDM_API_KEY: 'global-key-of-gdm',
            GDM_BASE_URL: `${server.url}/moved`,
            LAB_1_API_KEY: 'EMPTY',
            AZURE_EU_API_KEY: 'global-key-of-azure-eu',
            AZURE_EU_API_VERSION: '2024-10-21',
            AZURE_EU_DEPLOYMENT_NAME: 'usual',
            AZURE_EU_DEPLOYMENTS: 'gpt=of-the-map',
            ...address,
          },
          { models, databaseUrl },
        );
        try {
          const tenant = await single.createTenant();
          for (const model of ['big', 'of-lab', 'european']) {
            const answer = await single.chat(tenant, { model });
            expect([model, answer.status, answer.headers['x-tenkey-credential-source']]).toEqual([
              model,
              200,
              'global',
            ]);
          }
          expect(server.requests).toMatchObject([
            { path: '/moved/chat/completions', key: 'global-key-of-gdm' },
            { path: '/lab/v1/chat/completions', key: 'EMPTY' },
            { path: '/azure/openai/deployments/of-the-map/chat/completions', key: 'global-key-of-azure-eu' },
          ]);
          const none = await single.chat(tenant, { model: 'small' });
          expect(none.body.error).toMatchObject({
            code: 'credential_not_configured',
            message: expect.stringContaining('KLANG_API_KEY'),
          });
        } finally {
          await single.close();
        }
      });

      it('say which variable an address is missing in', async () => {
        const answer = await app().chat(await app().createTenant(), { model: 'small' });
        expect(answer.body.error).toMatchObject({
          code: 'endpoint_not_configured',
          message: expect.stringContaining('KLANG_BASE_URL'),
        });
      });

      it('can have their global keys copied to tenants, for strict mode', async () => {
        const tenkey = app();
        const tenant = await tenkey.createTenant('adopting');
        const folder = mkdtempSync(join(tmpdir(), 'tenkey-declared-'));
        const AI_MODELS_FILE = join(folder, 'models.yml');
        writeFileSync(AI_MODELS_FILE, models);
        const env = {
          DATABASE_URL: tenkey.databaseUrl,
          AI_MODELS_FILE,
          TENANT_CREDENTIALS_ENABLED: 'false',
          GDM_API_KEY: 'global-key-of-gdm',
        };
        const adopt = (provider: string) =>
          runCli(env, 'adopt-global-keys', '--provider', provider, '--tenants', 'adopting', '--yes');
        try {
          const done = await adopt('gdm');
          expect([done.code, done.stdout]).toEqual([
            0,
            expect.stringContaining('GDM (gdm): ...-gdm of GDM_API_KEY'),
          ]);
          const unknown = await adopt('infinity');
          expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('gdm, klang, lab-1')]);
        } finally {
          rmSync(folder, { recursive: true });
        }
        const strict = await startTestApp({}, { models, databaseUrl: tenkey.databaseUrl });
        try {
          expect((await strict.chat(tenant, { model: 'big' })).status).toBe(200);
          expect(server.requests).toMatchObject([{ key: 'global-key-of-gdm' }]);
        } finally {
          await strict.close();
        }
      }, 120_000);
    },
  );
});

describeWithApp(
  'prefixes that nothing declares',
  {},
  { models: '- { name: a, litellm_model_name: gdm/x }\n- { name: b, litellm_model_name: klang/y }\n' },
  (tenkey) => {
    it('gdm, klang and infinity mean openai_compatible', async () => {
      const tenant = await tenkey.createTenant();
      const fields = { api_key: key('shared'), endpoint: `${tenkey.provider.url}/v1` };
      await tenkey.setCredential(tenant, 'openai_compatible', fields);
      for (const model of ['a', 'b']) expect((await tenkey.chat(tenant, { model })).status).toBe(200);
      expect(tenkey.provider.requests.map((each) => each.key)).toEqual([key('shared'), key('shared')]);
    });
  },
);
