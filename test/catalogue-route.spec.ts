import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configFrom } from '#config';
import { createLog } from '#log';
import { CatalogueWatch, ModelCatalogue } from '#model-routing';
import { startTestApp, superKey, type TestApp } from './support/app';
import { runCli } from './support/cli';
import { issueSysadminKey } from './support/keys';
import { OpenApi } from './support/openapi';

const password = 'password-in-the-base-url-7c1e';
const good = `
providers:
  - { id: gdm, kind: openai_compatible, label: GDM, endpoint: https://gdm.example/v1 }
completion_models:
  - name: gpt-4o
    nickname: GPT-4o
    family: openai
    litellm_model_name: gpt-4o
    token_limit: 128000
    hosting: usa
    vision: true
    org: OpenAI
    description: Answers most questions.
    stability: stable
    is_deprecated: false
  - { name: of-the-lab, family: vllm, base_url: "https://lab:${password}@lab.example:8443/v1?key=${password}" }
  - { name: large, litellm_model_name: gdm/org/large, token_limit: many, hostng: eu }
  - { name: european, litellm_model_name: azure/gpt-4o, deployment_name: gpt-4o-sweden }
embedding_models:
  - { name: e5, family: e5, dimensions: 1024, max_input: 512, open_source: true }
`;
const faulty = `
completion_models:
  - { name: third, litellm_model_name: nobody/sentinel-value }
  - { name: fourth, litellm_model_name: azure/gpt-4o, colour: blue }
  - { name: fourth, litellm_model_name: gpt-4o }
`;

describe('the list of the models of the catalogue', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-catalogue-'));
  const file = join(folder, 'ai_models.yml');
  let tenkey: TestApp;
  let watch: CatalogueWatch;
  let startedAt: number;
  beforeAll(async () => {
    writeFileSync(file, good);
    startedAt = Date.now();
    tenkey = await startTestApp({}, { modelsFile: file });
    const config = configFrom({ INTRIC_SUPER_API_KEY: superKey, TENANT_CREDENTIALS_ENABLED: 'false' })();
    const catalogue = tenkey.nest.get(ModelCatalogue);
    watch = CatalogueWatch.start(catalogue, createLog('fatal', [], { write: () => undefined }), config);
  });
  afterAll(async () => {
    watch.stop();
    await tenkey.close();
    rmSync(folder, { recursive: true });
  });
  const list = async () => {
    const { status, body } = await tenkey.sysadmin('get', '/models');
    expect(status).toBe(200);
    return body;
  };
  /** What `models check` finds in the file. */
  const checked = async () => {
    const { stdout } = await runCli({}, 'models', 'check', file, '--json');
    const { faults, warnings, findings } = JSON.parse(stdout);
    return {
      faults,
      warnings,
      findings: findings.map(({ file: _, line = null, ...rest }: Record<string, unknown>) => ({
        ...rest,
        line,
      })),
    };
  };
  const replaceFile = (text: string) => {
    writeFileSync(file, text);
    watch.reload();
  };

  it('has what the file says about each model, and which provider serves it', async () => {
    const response = await tenkey.sysadmin('get', '/models');
    const { models } = response.body;
    expect(models.map(({ name }: { name: string }) => name)).toEqual([
      'gpt-4o',
      'of-the-lab',
      'large',
      'european',
      'e5',
    ]);
    expect(models[0]).toEqual({
      name: 'gpt-4o',
      nickname: 'GPT-4o',
      kind: 'completion',
      adapter: 'litellm',
      provider: 'openai',
      upstream_model: 'gpt-4o',
      litellm_model_name: 'gpt-4o',
      family: 'openai',
      deployment_name: null,
      host: null,
      endpoints: ['/v1/chat/completions', '/v1/completions', '/v1/responses', '/v1/messages'],
      hosting: 'usa',
      org: 'OpenAI',
      description: 'Answers most questions.',
      stability: 'stable',
      is_deprecated: false,
      vision: true,
      reasoning: null,
      open_source: null,
      token_limit: 128000,
      max_input: null,
      dimensions: null,
    });
    expect(models[1]).toMatchObject({ adapter: 'legacy', provider: 'vllm', host: 'lab.example:8443' });
    // A value of another form is not shown, because clients rely on the type of a field.
    expect(models[2]).toMatchObject({ provider: 'gdm', upstream_model: 'org/large', token_limit: null });
    expect(models[3]).toMatchObject({ provider: 'azure', deployment_name: 'gpt-4o-sweden' });
    expect(models[4]).toMatchObject({
      ...{ kind: 'embedding', adapter: 'legacy', provider: null, upstream_model: null, endpoints: [] },
      ...{ dimensions: 1024, max_input: 512, open_source: true },
    });
    expect(response.text).not.toContain(password);
    expect(response.text).not.toContain(folder);
    const api = await OpenApi.of(tenkey);
    expect(api.faultsOfAnswer('GET /api/v1/sysadmin/models', response)).toEqual([]);
  });

  it('agrees with what a tenant is told about its models', async () => {
    const tenant = await tenkey.createTenant();
    const explained = (await tenkey.sysadmin('get', `/tenants/${tenant}/models`)).body.models;
    const shared = ({
      name,
      kind,
      adapter,
      provider,
      upstream_model,
      endpoints,
    }: Record<string, unknown>) => ({
      name,
      kind,
      adapter,
      provider,
      upstream_model,
      endpoints,
    });
    expect((await list()).models.map(shared)).toEqual(explained.map(shared));
  });

  it('says since when the file is in force, and what models check says about it', async () => {
    const catalogue = await list();
    expect(catalogue).toMatchObject({ state: 'ok', reason: null, file: 'ai_models.yml', faults: 0 });
    expect(Date.parse(catalogue.in_force_since)).toBeGreaterThanOrEqual(startedAt);
    expect(Date.parse(catalogue.in_force_since)).toBeLessThanOrEqual(Date.now());
    expect(catalogue).toMatchObject(await checked());
    expect(catalogue.findings.map(({ severity, line }: Record<string, unknown>) => [severity, line])).toEqual(
      expect.arrayContaining([['warning', 17]]),
    );
  });

  it('keeps the models when the file has a fault, and lists its faults and warnings by line', async () => {
    const before = await list();
    replaceFile(faulty);
    const stale = await list();
    const { catalogue_reason: reason } = (await tenkey.http().get('/ready')).body;
    expect(stale).toMatchObject({ state: 'stale', reason, faults: 2 });
    expect(reason).toContain('ai_models.yml:3: third');
    expect([stale.models, stale.in_force_since]).toEqual([before.models, before.in_force_since]);
    expect(stale).toMatchObject(await checked());
    expect(stale.findings).toHaveLength(stale.faults + stale.warnings);
    expect(stale.warnings).toBeGreaterThan(0);
    expect(JSON.stringify(stale)).not.toContain('sentinel-value');

    replaceFile('completion_models: [');
    expect(await list()).toMatchObject({ state: 'stale', ...(await checked()) });
    rmSync(file);
    watch.reload();
    const missing = await list();
    expect(missing).toMatchObject({
      state: 'stale',
      faults: 1,
      findings: [{ severity: 'fault', line: null }],
    });

    // The same text as before has been in force all the time.
    replaceFile(good);
    expect(await list()).toEqual(before);
    replaceFile('- { name: next, litellm_model_name: gpt-4o }');
    const next = await list();
    expect(next.models).toMatchObject([{ name: 'next' }]);
    expect(Date.parse(next.in_force_since)).toBeGreaterThan(Date.parse(before.in_force_since));
    replaceFile(good);
  });

  it('lists a bounded number of findings, and counts all', async () => {
    const entries = Array.from({ length: 300 }, (_, index) => `- { name: model-${index}, family: none }`);
    replaceFile(entries.join('\n'));
    const { warnings, findings, models } = await list();
    expect([warnings, findings.length, models.length]).toEqual([300, 200, 300]);
    replaceFile(good);
  });

  it('can be read with either of its scopes, also by a key that is limited to a tenant', async () => {
    const tenant = await tenkey.createTenant();
    const { models } = await list();
    for (const scope of ['credentials:read', 'readiness:read']) {
      const { key } = await issueSysadminKey(tenkey, { scopes: [scope], tenant_ids: [tenant] });
      const response = await tenkey.http().get('/api/v1/sysadmin/models').set('X-API-Key', key);
      expect([scope, response.status, response.body.models]).toEqual([scope, 200, models]);
    }
    const { key } = await issueSysadminKey(tenkey, { scopes: ['usage:read'] });
    const refused = await tenkey.http().get('/api/v1/sysadmin/models').set('X-API-Key', key);
    expect([refused.status, refused.body.detail]).toEqual([
      403,
      'This key does not have the scope credentials:read or readiness:read.',
    ]);
  });
});
