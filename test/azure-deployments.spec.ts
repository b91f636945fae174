import { type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithApp, startTestApp, type TestApp } from './support/app';
import { runCli } from './support/cli';

const models = `
completion_models:
  - { name: gpt-5, litellm_model_name: azure/gpt-5 }
  - { name: gpt-5-alias, litellm_model_name: azure/gpt-5 }
  - { name: gpt-5-mini, litellm_model_name: azure/gpt-5-mini }
  - { name: catalogued, litellm_model_name: azure/o3, deployment_name: of-the-catalogue }
  - { name: gpt-4o, litellm_model_name: gpt-4o }
embedding_models:
  - { name: vectors, litellm_model_name: azure/text-embedding-3-small }
`;

describeWithApp('the deployments of several Azure models', {}, { models }, (tenkey) => {
  let tenant: string;
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-azure-'));
  const file = join(folder, 'models.yml');
  beforeAll(() => writeFileSync(file, models));
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(async () => {
    tenant = await tenkey.createTenant();
    tenkey.provider.reset();
  });

  const setAzure = async (fields: object = {}) => {
    const answer = await tenkey.setCredential(tenant, 'azure', {
      api_key: 'azure-key-of-the-tenant',
      endpoint: tenkey.provider.url,
      api_version: '2024-10-21',
      deployment_name: 'usual',
      ...fields,
    });
    expect(answer.status).toBe(200);
  };
  const explained = async (app: TestApp = tenkey) =>
    (await app.sysadmin('get', `/tenants/${tenant}/models`)).body.models as any[];
  const rulesOf = async (app?: TestApp) =>
    Object.fromEntries(
      (await explained(app))
        .filter(({ provider }) => provider === 'azure')
        .map(({ name, target, target_from }) => [name, [target, target_from]]),
    );
  /** The deployments that calls of these models reach. */
  const reached = async (names: readonly string[], app: TestApp = tenkey) => {
    app.provider.reset();
    for (const model of names) expect((await app.chat(tenant, { model })).status).toBe(200);
    return app.provider.requests.map(({ path }) => /\/deployments\/([^/]+)\//.exec(path)?.[1]);
  };

  it('are chosen by the most specific rule, as explain says and calls in any order show', async () => {
    await setAzure({ deployments: { 'gpt-5': 'by-upstream', 'gpt-5-alias': 'by-name' } });
    expect(await rulesOf()).toEqual({
      'gpt-5': ['by-upstream', 'deployments'],
      'gpt-5-alias': ['by-name', 'deployments'],
      'gpt-5-mini': ['usual', 'deployment_name'],
      catalogued: ['of-the-catalogue', 'catalogue'],
      vectors: ['usual', 'deployment_name'],
    });
    const order = ['gpt-5', 'gpt-5-mini', 'catalogued', 'gpt-5-alias', 'gpt-5', 'catalogued', 'gpt-5-mini'];
    expect(await reached(order)).toEqual([
      'by-upstream',
      'usual',
      'of-the-catalogue',
      'by-name',
      'by-upstream',
      'of-the-catalogue',
      'usual',
    ]);
    const other = await tenkey.sysadmin('get', `/tenants/${tenant}/models`);
    expect(other.body.models.find((one: any) => one.name === 'gpt-4o').target_from).toBeNull();
  });

  it('may be named in the credential for a model of the catalogue that has its own', async () => {
    await setAzure({ deployments: { catalogued: 'of-the-tenant' } });
    expect((await rulesOf()).catalogued).toEqual(['of-the-tenant', 'deployments']);
    expect(await reached(['catalogued'])).toEqual(['of-the-tenant']);
  });

  it('are not shared silently: explain and readiness warn, and other names of one model do not count', async () => {
    await setAzure();
    const warned = (await explained()).filter(({ warnings }) => warnings.length > 0);
    // The embedding model has the same deployment_name, and no chat can reach it by mistake.
    expect(warned.map(({ name }) => name)).toEqual(['gpt-5', 'gpt-5-alias', 'gpt-5-mini']);
    const warning = expect.stringMatching(
      /^gpt-5, gpt-5-alias, gpt-5-mini reach the same deployment usual, .*`deployments`/,
    );
    for (const { warnings, ready } of warned) expect([ready, warnings]).toEqual([true, [warning]]);
    const cellOf = async () => {
      const { items } = (await tenkey.sysadmin('get', '/readiness?limit=200')).body;
      const { providers } = items.find((item: any) => item.tenant_id === tenant);
      return providers.find((cell: any) => cell.provider === 'azure');
    };
    expect(await cellOf()).toMatchObject({ ready: true, warnings: [warning] });
    const { port } = tenkey.nest.getHttpServer().address() as AddressInfo;
    const printed = await runCli({ PORT: String(port) }, 'readiness');
    expect(printed.stdout).toContain(
      `(${tenant}) azure: gpt-5, gpt-5-alias, gpt-5-mini reach the same deployment`,
    );

    await setAzure({ deployments: { 'gpt-5-mini': 'mini' } });
    expect((await explained()).flatMap(({ warnings }) => warnings)).toEqual([]);
    expect((await cellOf()).warnings).toEqual([]);
  }, 120_000);

  it('are warned about by `models check`, which knows no credential', async () => {
    const { stdout, code } = await runCli({}, 'models', 'check', file);
    expect(stdout).toContain(
      `${file}:4: warning: gpt-5, gpt-5-alias, gpt-5-mini share the deployment_name of the Azure OpenAI credential`,
    );
    expect(code).toBe(0);
  }, 120_000);

  it('follow the same rules in single-tenant mode, with AZURE_DEPLOYMENTS as the map', async () => {
    const single = await startTestApp(
      {
        TENANT_CREDENTIALS_ENABLED: 'false',
        AZURE_API_KEY: 'azure-global-key-w1x2',
        AZURE_ENDPOINT: tenkey.provider.url,
        AZURE_API_VERSION: '2024-10-21',
        AZURE_DEPLOYMENT_NAME: 'usual',
        AZURE_DEPLOYMENTS: 'gpt-5=first, gpt-5-mini=second',
      },
      { models: `${models}  - { name: of-old, family: azure }\n`, databaseUrl: tenkey.databaseUrl },
    );
    try {
      expect(await rulesOf(single)).toEqual({
        'gpt-5': ['first', 'deployments'],
        'gpt-5-alias': ['first', 'deployments'],
        'gpt-5-mini': ['second', 'deployments'],
        catalogued: ['of-the-catalogue', 'catalogue'],
        vectors: ['usual', 'deployment_name'],
        'of-old': ['usual', 'deployment_name'],
      });
      for (const model of ['gpt-5-mini', 'catalogued', 'gpt-5'])
        expect((await single.chat(tenant, { model })).status).toBe(200);
      expect(tenkey.provider.requests.map(({ path }) => path.split('/')[3])).toEqual([
        'second',
        'of-the-catalogue',
        'first',
      ]);
      const shared = (await explained(single)).find(({ name }) => name === 'of-old').warnings;
      expect(shared).toEqual([expect.stringContaining('Name a deployment for each in AZURE_DEPLOYMENTS')]);
    } finally {
      await single.close();
    }
  });

  it('also separate legacy models, whose catalogue entry comes before the global deployment_name', async () => {
    const legacy = await startTestApp(
      {
        LEGACY_MODELS_USE_GLOBAL_KEYS: 'true',
        AZURE_API_KEY: 'azure-global-key-w1x2',
        AZURE_ENDPOINT: tenkey.provider.url,
        AZURE_API_VERSION: '2024-10-21',
        AZURE_DEPLOYMENT_NAME: 'usual',
        AZURE_DEPLOYMENTS: 'not-a-map',
      },
      {
        models: '- { name: a, family: azure, deployment_name: of-a }\n- { name: b, family: azure }\n',
        databaseUrl: tenkey.databaseUrl,
      },
    );
    try {
      // In strict mode the global variables are not checked at the start, so the call names the one that is wrong.
      const refused = await legacy.chat(tenant, { model: 'a' });
      expect([refused.status, refused.body.error.code]).toEqual([424, 'endpoint_not_configured']);
      expect(refused.body.error.message).toContain('Correct AZURE_DEPLOYMENTS');
      expect(refused.text).not.toContain('not-a-map');
    } finally {
      await legacy.close();
    }
    const good = await startTestApp(
      {
        LEGACY_MODELS_USE_GLOBAL_KEYS: 'true',
        AZURE_API_KEY: 'azure-global-key-w1x2',
        AZURE_ENDPOINT: tenkey.provider.url,
        AZURE_API_VERSION: '2024-10-21',
        AZURE_DEPLOYMENT_NAME: 'usual',
        AZURE_DEPLOYMENTS: 'c=of-c',
      },
      {
        models:
          '- { name: a, family: azure, deployment_name: of-a }\n- { name: b, family: azure }\n- { name: c, family: azure }\n',
        databaseUrl: tenkey.databaseUrl,
      },
    );
    try {
      tenkey.provider.reset();
      for (const model of ['a', 'b', 'c']) expect((await good.chat(tenant, { model })).status).toBe(200);
      expect(tenkey.provider.requests.map(({ path }) => path.split('/')[3])).toEqual([
        'of-a',
        'usual',
        'of-c',
      ]);
    } finally {
      await good.close();
    }
  });
});
