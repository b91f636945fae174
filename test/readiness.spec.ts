import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { FernetService, generateKey } from '#crypto';
import { startTestApp, type TestApp } from './support/app';
import { runCli, runCliProcess, startCliProcess } from './support/cli';
import { issueSysadminKey } from './support/keys';

const models = `
completion_models:
  - name: gpt-4o
    family: openai
    litellm_model_name: gpt-4o
  - name: mistral-large
    family: mistral
    litellm_model_name: mistral/mistral-large-latest
  - name: gemma
    family: vllm
    litellm_model_name: hosted_vllm/google/gemma
  - name: old
    family: openai
`;
const globalKey = 'sk-global-key-of-the-operator';
const day = 24 * 60 * 60 * 1000;

describe('the readiness report', () => {
  let strict: TestApp;
  let single: TestApp;
  let keyless: TestApp;
  const off = { TENANT_CREDENTIALS_ENABLED: 'false', OPENAI_API_KEY: globalKey };
  const contact = 'it-drift@sundsvall.example';
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    strict = await startTestApp({}, { models });
    const onSame = { models, databaseUrl: strict.databaseUrl };
    single = await startTestApp(off, onSame);
    keyless = await startTestApp({ ...off, ENCRYPTION_KEY: undefined }, onSame);
    for (const name of ['with-key', 'without', 'rejected', 'unreadable', 'suspended']) {
      ids[name] = await strict.createTenant(name);
    }
    const set = (name: string, provider: string, fields: Record<string, unknown> = {}) =>
      strict.setCredential(ids[name]!, provider, { api_key: `sk-key-of-${name}`, ...fields });
    await set('with-key', 'openai', { expires_at: new Date(Date.now() + 5 * day).toISOString() });
    await set('with-key', 'cohere', { expires_at: new Date(Date.now() - day).toISOString() });
    await set('rejected', 'openai');
    strict.provider.next({ status: 401 });
    await strict.sysadmin('post', `/tenants/${ids.rejected}/credentials/openai/verify`);
    await set('unreadable', 'openai', { expires_at: new Date(Date.now() + 25 * day).toISOString() });
    await strict.edit(`UPDATE tenant_credentials SET key_id = 'of-another-key' WHERE tenant_id = $1`, [
      ids.unreadable,
    ]);
    await strict.sysadmin('patch', `/tenants/${ids.suspended}`).send({ state: 'suspended' });
    await strict.sysadmin('patch', `/tenants/${ids['with-key']}`).send({ contact_email: contact });
    strict.provider.reset();
  });
  afterAll(async () => {
    await keyless.close();
    await single.close();
    await strict.close();
  });

  const ask = async (app: TestApp, query = '') => (await app.sysadmin('get', `/readiness${query}`)).body;
  const cell = (body: any, name: string, provider: string) =>
    body.items
      .find((item: { name: string }) => item.name === name)
      .providers.find((one: { provider: string }) => one.provider === provider);

  it('is the matrix of all tenants and the providers in use, in the current mode', async () => {
    const body = await ask(strict);
    expect(body).toMatchObject({
      current_mode: 'strict',
      mode: 'strict',
      providers: [
        { provider: 'openai', models: ['gpt-4o', 'old'] },
        { provider: 'mistral', models: ['mistral-large'] },
        { provider: 'vllm', models: ['gemma'] },
      ],
      count: 5,
      total: 5,
      next_cursor: null,
    });
    expect(cell(body, 'with-key', 'openai')).toMatchObject({
      ready: false,
      credential: { source: 'tenant', masked_key: '...-key', status: 'expiring' },
      failing_models: ['old'],
      breaking_models: [],
      problem: { code: 'legacy_model_in_strict_mode' },
    });
    expect(cell(body, 'without', 'mistral')).toMatchObject({
      ready: false,
      credential: null,
      breaking_models: [],
      problem: { code: 'credential_not_configured', hint: expect.stringContaining('PUT') },
    });
    expect(cell(body, 'rejected', 'openai')).toMatchObject({
      breaking_models: ['gpt-4o'],
      problem: { code: 'credential_rejected' },
    });
    expect(cell(body, 'unreadable', 'openai')).toMatchObject({
      breaking_models: ['gpt-4o'],
      problem: { code: 'credential_unreadable' },
    });
    expect(body.breaking).toBe(2);
  });

  it('says in single-tenant mode what would break in strict mode', async () => {
    const now = await ask(single);
    expect([now.current_mode, now.mode, now.breaking, now.blockers]).toEqual([
      'single-tenant',
      'single-tenant',
      0,
      [],
    ]);
    expect(cell(now, 'without', 'openai')).toMatchObject({
      ready: true,
      credential: { source: 'global', masked_key: '...ator', version: null },
    });
    const body = await ask(single, '?mode=strict');
    expect([body.current_mode, body.mode]).toEqual(['single-tenant', 'strict']);
    expect(cell(body, 'without', 'openai')).toMatchObject({
      failing_models: ['gpt-4o', 'old'],
      breaking_models: ['gpt-4o', 'old'],
      problem: { code: 'credential_not_configured' },
    });
    // The tenant's own key serves the first model, and nothing serves the legacy model.
    expect(cell(body, 'with-key', 'openai')).toMatchObject({
      credential: { source: 'tenant' },
      breaking_models: ['old'],
    });
    expect(cell(body, 'rejected', 'openai').breaking_models).toEqual(['gpt-4o', 'old']);
    // No tenant can call Mistral now, because there is no global key, and a suspended tenant can call nothing.
    expect(cell(body, 'without', 'mistral').breaking_models).toEqual([]);
    expect(cell(body, 'suspended', 'openai').breaking_models).toEqual([]);
    // A call in strict mode fails as the report says.
    const { error } = (await strict.chat(ids.without!)).body;
    expect(error.code).toBe(cell(body, 'without', 'openai').problem.code);
  });

  it('says when it cannot tell whether stored credentials can be decrypted', async () => {
    expect((await ask(keyless)).blockers).toEqual([]);
    const { blockers } = await ask(keyless, '?mode=strict');
    expect(blockers).toEqual([expect.stringContaining('ENCRYPTION_KEY is not set')]);
  });

  it('shows on request only what breaks, only what has a warning, one provider or one tenant', async () => {
    const shown = async (query: string, app = strict) =>
      (await ask(app, query)).items
        .map(({ name, providers }: any) => `${name}: ${providers.map((one: any) => one.provider).join(' ')}`)
        .sort();
    const failing = await ask(strict, '?only=failing');
    expect(failing).toMatchObject({ breaking: 2, count: 2, total: 5, warnings: [], next_cursor: null });
    expect(await shown('?only=failing')).toEqual(['rejected: openai', 'unreadable: openai']);
    expect(await shown('?only=failing&mode=strict', single)).toEqual([
      'rejected: openai',
      'unreadable: openai',
      'with-key: openai',
      'without: openai',
    ]);
    // No model uses Cohere, whose credential has expired.
    expect(await shown('?only=warning')).toEqual(['unreadable: openai', 'with-key: openai']);
    expect(await shown('?only=warning&provider=cohere')).toEqual(['with-key: ']);
    expect((await ask(strict, '?only=warning&provider=cohere')).warnings).toMatchObject([
      { name: 'with-key', provider: 'cohere', within_days: 0 },
    ]);
    expect(await shown('?provider=mistral&limit=2')).toHaveLength(2);
    const mistral = await ask(strict, '?provider=mistral');
    expect(mistral.providers).toEqual([{ provider: 'mistral', models: ['mistral-large'] }]);
    expect(mistral.warnings).toEqual([]);
    for (const tenant of ['with-key', ids['with-key']!, ids['with-key']!.toUpperCase()]) {
      expect(await shown(`?tenant=${tenant}`)).toEqual(['with-key: openai mistral vllm']);
    }
    expect(await ask(strict, '?tenant=with-key&only=failing')).toMatchObject({
      items: [],
      total: 1,
      count: 0,
    });
    const refused = async (query: string) => {
      const { status, body } = await strict.sysadmin('get', `/readiness${query}`);
      return [status, body.code];
    };
    expect(await refused('?tenant=with')).toEqual([404, 'tenant_not_found']);
    expect(await refused(`?tenant=${ids['with-key']!.replace(/^./, 'x')}`)).toEqual([
      404,
      'tenant_not_found',
    ]);
    expect(await refused('?provider=opnai')).toEqual([422, 'validation_failed']);
    expect(await refused('?only=all')).toEqual([422, 'validation_failed']);
  });

  it('finds the few tenants that break among many, in pages without gaps', async () => {
    const all: string[] = [];
    let pages = 0;
    for (let cursor: string | null = ''; cursor !== null; pages += 1) {
      const page: any = await ask(strict, `?only=failing&limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
      all.push(...page.items.map(({ name }: any) => name));
      cursor = page.next_cursor;
    }
    expect(all.sort()).toEqual(['rejected', 'unreadable']);
    expect(pages).toBeLessThan(4);
  });

  it('shows a sysadmin key that is limited to some tenants only those', async () => {
    const limited = { scopes: ['readiness:read'], tenant_ids: [ids.rejected!, ids.without!] };
    const { key } = await issueSysadminKey(strict, limited);
    const askWith = (query: string) =>
      strict.http().get(`/api/v1/sysadmin/readiness${query}`).set('X-API-Key', key);
    const { body } = await askWith('');
    expect(body.items.map(({ name }: any) => name).sort()).toEqual(['rejected', 'without']);
    expect(body.total).toBe(2);
    expect((await askWith('?tenant=rejected')).body.count).toBe(1);
    expect((await askWith('?tenant=with-key')).status).toBe(404);
    expect((await askWith('?tenant=no-such-tenant')).body.code).toBe('tenant_not_found');
  });

  it('warns of keys that expire, even for providers that no model uses', async () => {
    const { warnings } = await ask(strict);
    const found = warnings.map((one: any) => [one.name, one.provider, one.within_days, one.contact_email]);
    expect(found.sort()).toEqual([
      ['unreadable', 'openai', 30, null],
      ['with-key', 'cohere', 0, contact],
      ['with-key', 'openai', 7, contact],
    ]);
  });

  it('names an expected provider for which a tenant has no credential', async () => {
    const breaking = async () => cell(await ask(strict), 'without', 'openai').breaking_models;
    const before = await breaking();
    const expectProviders = (providers: string[] | null) =>
      strict.sysadmin('patch', `/tenants/${ids.without}`).send({ expected_providers: providers });
    await expectProviders(['openai']);
    const during = await breaking();
    await expectProviders(null);
    expect([before, during]).toEqual([[], ['gpt-4o', 'old']]);
  });

  it('opens no key and calls no provider', async () => {
    const decrypt = jest.spyOn(FernetService.prototype, 'open' as never);
    await ask(strict);
    await ask(single, '?mode=strict');
    // Decrypting the canary is allowed, because it is not a credential.
    expect(decrypt.mock.calls.length).toBeLessThanOrEqual(2);
    decrypt.mockRestore();
    expect([...strict.provider.requests, ...single.provider.requests]).toHaveLength(0);
  });

  it('comes in pages that together are complete', async () => {
    const names: string[] = [];
    for (let cursor = ''; ;) {
      const body = await ask(strict, `?limit=2${cursor}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      names.push(...body.items.map((item: { name: string }) => item.name));
      if (body.next_cursor === null) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(names.sort()).toEqual(Object.keys(ids).sort());
    for (const query of ['?mode=single', '?mode=', '?limit=0', '?limit=201', '?cursor=x']) {
      const answer = await strict.sysadmin('get', `/readiness${query}`);
      expect([query, answer.status, answer.body.code]).toEqual([query, 422, 'validation_failed']);
    }
  });

  describe('npx tenkey readiness', () => {
    const at = (app: TestApp) => ({
      PORT: String((app.nest.getHttpServer().address() as AddressInfo).port),
    });
    const run = (app: TestApp, ...words: string[]) => runCli(at(app), 'readiness', ...words);

    it('exits with 1 when something would break, and prints what and the fix', async () => {
      const { code, stdout } = await runCliProcess(at(single), 'readiness', '--mode', 'strict');
      expect(code).toBe(1);
      expect(stdout).toContain(`without (${ids.without}) openai: credential_not_configured: gpt-4o, old`);
      expect(stdout).toContain(`PUT /api/v1/sysadmin/tenants/${ids.without}/credentials/openai`);
      expect(stdout).toMatch(/^warning: with-key .* openai: .*; contact it-drift@sundsvall\.example$/m);
      expect(stdout).toContain(
        '5 tenants, 3 providers in use, strict mode (current: single-tenant): 4 pairs of tenant and provider would break',
      );
      expect(stdout).not.toContain(globalKey);
    }, 240_000);

    it('exits with 0 when nothing breaks, and with 1 without the key that strict mode needs', async () => {
      const { code, stdout } = await run(single);
      expect([code, stdout]).toEqual([0, expect.stringContaining('single-tenant mode: nothing breaks')]);
      const blocked = await run(keyless, '--mode', 'strict');
      expect([blocked.code, blocked.stdout]).toEqual([1, expect.stringContaining('blocked: ENCRYPTION_KEY')]);
      expect(blocked.stdout).toContain('note: no ENCRYPTION_KEY');
      const wrongKey = await startTestApp(
        { ...off, ENCRYPTION_KEY: generateKey() },
        { models, databaseUrl: strict.databaseUrl },
      );
      try {
        const wrong = await run(wrongKey, '--mode', 'strict');
        expect([wrong.code, wrong.stdout]).toEqual([1, expect.stringContaining('may be the wrong one')]);
      } finally {
        await wrongKey.close();
      }
    }, 120_000);

    it('prints only what breaks, of one tenant and one provider', async () => {
      const only = ['--only', 'failing', '--provider', 'openai', '--json'];
      const { code, stdout } = await run(strict, ...only);
      expect([code, JSON.parse(stdout)]).toEqual([1, await ask(strict, '?only=failing&provider=openai')]);
      const fine = await run(strict, '--only', 'failing', '--tenant', 'with-key');
      expect([fine.code, fine.stdout]).toEqual([0, expect.stringMatching(/^1 tenant, .*nothing breaks\n$/)]);
      const unknown = await run(strict, '--tenant', 'nobody');
      expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('exact name')]);
    }, 60_000);

    it('prints the response of the route as JSON', async () => {
      const { code, stdout } = await run(single, '--mode', 'strict', '--json');
      expect([code, JSON.parse(stdout)]).toEqual([1, await ask(single, '?mode=strict')]);
    }, 60_000);

    it.each([['readiness', '--json'], ['readiness'], ['tenants', 'list', '--csv'], ['usage', '--json']])(
      'ends silently when what reads its output stops early (%#)',
      async (...words) => {
        const child = startCliProcess(at(single), ...words);
        child.stdout!.destroy();
        let errors = '';
        child.stderr!.on('data', (part: Buffer) => (errors += part.toString()));
        const [code] = (await once(child, 'close')) as [number | null];
        expect([code, errors]).toEqual([0, '']);
      },
    );

    it('exits with 3, not 1, when the report could not be made', async () => {
      const { code, stdout, stderr } = await runCli({ PORT: '4' }, 'readiness', '--mode', 'strict');
      expect([code, stdout]).toEqual([3, '']);
      expect(stderr).toMatch(/^error: http:\/\/127\.0\.0\.1:4 cannot be reached: ./);
    }, 60_000);

    it('exits with 2 for wrong usage', async () => {
      for (const words of [['all'], ['--mode', 'single'], ['--no-such']]) {
        const { code, stderr } = await run(single, ...words);
        expect([words, code]).toEqual([words, 2]);
        expect(stderr).toContain('error:');
      }
    }, 60_000);
  });
});
