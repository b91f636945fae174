import { generateKey } from '#crypto';
import { startTestApp, type TestApp } from './support/app';
import { runCli, runCliProcess } from './support/cli';

const globalKey = 'sk-global-key-of-the-operator-x9y8';

describe('npx tenkey adopt-global-keys', () => {
  let strict: TestApp;
  let sundsvall: string;
  let harnosand: string;
  let own: string;
  beforeAll(async () => {
    strict = await startTestApp();
    sundsvall = await strict.createTenant('sundsvall');
    harnosand = await strict.createTenant('harnosand');
    own = await strict.createTenant('own');
    await strict.setCredential(own, 'openai', { api_key: 'sk-key-of-its-own-1234' });
    await strict
      .sysadmin('put', `/tenants/${harnosand}/credentials/openai?stage=true`)
      .send({ api_key: 'sk-key-that-is-staged-5678' });
  });
  afterAll(() => strict.close());
  afterEach(async () => {
    const lines = [...strict.logLines, ...outputs];
    expect(lines.filter((line) => line.includes(globalKey))).toEqual([]);
    const events = await strict.database.query<{ row: string }[]>(
      `SELECT e::text AS row FROM audit_events e`,
    );
    expect(events.filter(({ row }) => row.includes(globalKey))).toEqual([]);
  });

  const outputs: string[] = [];
  const runWith = async (env: Record<string, string | undefined>, ...words: string[]) =>
    recorded(await runCli({ ...usual(), ...env }, 'adopt-global-keys', ...words));
  const run = (...words: string[]) => runWith({}, ...words);
  const runProcess = async (...words: string[]) =>
    recorded(await runCliProcess(usual(), 'adopt-global-keys', ...words));
  const usual = () => ({
    DATABASE_URL: strict.databaseUrl,
    TENANT_CREDENTIALS_ENABLED: 'false',
    OPENAI_API_KEY: globalKey,
  });
  const recorded = <T extends { stdout: string; stderr: string }>(result: T): T => {
    outputs.push(result.stdout, result.stderr);
    return result;
  };
  const masks = async () => {
    const rows = await strict.database.query<{ name: string; mask: string }[]>(
      `SELECT t.name, c.key_hint AS mask FROM tenant_credentials c JOIN tenants t ON t.id = c.tenant_id ORDER BY 1`,
    );
    return Object.fromEntries(rows.map(({ name, mask }) => [name, mask]));
  };

  it('plans first and changes nothing', async () => {
    const { code, stdout } = await run('--provider', 'openai', '--all');
    expect(code).toBe(0);
    expect(stdout).toContain('OpenAI (openai): ...x9y8 of OPENAI_API_KEY');
    expect(stdout).toContain(`would set   sundsvall (${sundsvall})`);
    expect(stdout).toContain(`has ...1234 own (${own})`);
    expect(stdout).toContain(
      '3 tenants: 2 to set, 1 skipped. Nothing was changed; --yes carries out the plan.',
    );
    expect(await masks()).toEqual({ own: '...1234' });
  }, 240_000);

  it('gives the key only to the named tenants, and strict mode then uses it', async () => {
    const words = ['--provider', 'openai', '--tenants', `sundsvall,${own}`, '--yes'];
    const { code, stdout } = await runProcess(...words);
    expect([code, stdout]).toEqual([0, expect.stringContaining('2 tenants: 1 set, 1 skipped.')]);
    expect(await masks()).toEqual({ own: '...1234', sundsvall: '...x9y8' });
    await strict.chat(sundsvall).expect(200);
    expect(strict.provider.requests.at(-1)?.key === globalKey).toBe(true);
    expect((await strict.chat(harnosand)).body.error.code).toBe('credential_not_configured');
    const { body } = await strict.sysadmin(
      'get',
      `/audit-events?tenant_id=${sundsvall}&action=credential.set`,
    );
    expect(body.items).toMatchObject([
      {
        actor: 'cli',
        provider: 'openai',
        details: { before: null, after: { mask: '...x9y8' }, origin: 'adopt-global-keys' },
      },
    ]);
  }, 60_000);

  it('changes nothing the second time', async () => {
    const rows = () => strict.database.query('SELECT * FROM tenant_credentials ORDER BY tenant_id');
    await run('--provider', 'openai', '--all', '--yes');
    const before = await rows();
    const { code, stdout } = await run('--provider', 'openai', '--all', '--yes');
    expect([code, stdout]).toEqual([0, expect.stringContaining('3 tenants: 0 set, 3 skipped.')]);
    expect(await rows()).toEqual(before);
    // A staged credential is not live yet, so it does not count, and it stays staged.
    const { body } = await strict.sysadmin('get', `/tenants/${harnosand}/credentials`);
    expect(body.credentials).toMatchObject([{ masked_key: '...x9y8', staged: { masked_key: '...5678' } }]);
  }, 60_000);

  it('replaces a tenant’s own key only with --replace', async () => {
    const plan = await run('--provider', 'openai', '--tenants', 'own', '--replace');
    expect(plan.stdout).toContain('would replace');
    expect((await masks()).own).toBe('...1234');
    expect((await run('--provider', 'openai', '--tenants', 'own', '--replace', '--yes')).code).toBe(0);
    expect((await masks()).own).toBe('...x9y8');
  }, 60_000);

  it('fails for a credential that no call can use, and replaces it with --replace', async () => {
    const spoil = (tenant: string, change: string) =>
      strict.edit(`UPDATE tenant_credentials SET ${change} WHERE tenant_id = $1 AND provider = 'openai'`, [
        tenant,
      ]);
    await spoil(sundsvall, `sealed_api_key = 'in clear'`);
    await spoil(harnosand, `key_id = 'of-another-key'`);
    await spoil(own, `settings = '{"endpoint":"https://elsewhere.example"}'`);
    const { code, stdout } = await run('--provider', 'openai', '--all', '--yes');
    const last = '3 tenants: 0 set, 0 skipped, 3 failed.';
    expect([code, stdout]).toEqual([1, expect.stringContaining(last)]);
    for (const [tenant, status] of [
      [`sundsvall (${sundsvall})`, 'plaintext'],
      [`harnosand (${harnosand})`, 'unreadable'],
      [`own (${own})`, 'tampered'],
    ]) {
      expect(stdout).toContain(`failed: has ...x9y8, ${status} ${tenant}`);
    }
    const replaced = await run('--provider', 'openai', '--all', '--replace', '--yes');
    expect([replaced.code, replaced.stdout]).toEqual([0, expect.stringContaining('3 tenants: 3 set,')]);
    for (const tenant of [sundsvall, harnosand, own]) expect((await strict.chat(tenant)).status).toBe(200);
  }, 90_000);

  it('checks first that the service could open what it seals', async () => {
    const before = await masks();
    for (const words of [[], ['--replace', '--yes']]) {
      const wrong = { ENCRYPTION_KEY: generateKey(), MISTRAL_API_KEY: globalKey };
      const result = await runWith(wrong, '--provider', 'mistral', '--all', ...words);
      expect([words, result.code, result.stderr]).toEqual([
        words,
        1,
        expect.stringContaining('ENCRYPTION_KEY may be the wrong one'),
      ]);
    }
    expect(await masks()).toEqual(before);
  }, 90_000);

  it('handles any number of tenants', async () => {
    await strict.edit(
      `INSERT INTO tenants (id, name) SELECT gen_random_uuid(), 'many-' || g FROM generate_series(1, 1500) g`,
    );
    const { code, stdout } = await runProcess('--provider', 'openai', '--all');
    const named = await run('--provider', 'openai', '--tenants', `many-1,many-1500,${own.toUpperCase()}`);
    await strict.edit(`DELETE FROM tenants WHERE name LIKE 'many-%'`);
    expect([code, stdout.match(/would set {3}many-/g)?.length]).toEqual([0, 1500]);
    expect(stdout).toContain('1503 tenants: 1500 to set, 3 skipped.');
    expect(named.stdout).toContain('3 tenants: 2 to set, 1 skipped.');
  }, 60_000);

  it('copies the settings of the environment with the key, and validates them as a PUT does', async () => {
    const azure = {
      AZURE_API_KEY: 'azure-global-key-5678',
      AZURE_ENDPOINT: 'https://operator.openai.azure.com',
      AZURE_API_VERSION: '2024-10-21',
      AZURE_DEPLOYMENT_NAME: 'shared',
    };
    expect((await runWith(azure, '--provider', 'azure', '--tenants', 'own', '--yes')).code).toBe(0);
    const { body } = await strict.sysadmin('get', `/tenants/${own}/credentials`);
    expect(body.credentials[0]).toMatchObject({
      provider: 'azure',
      masked_key: '...5678',
      status: 'ready',
      config: { endpoint: 'https://operator.openai.azure.com', deployment_name: 'shared' },
    });
    for (const [change, text] of [
      [{ AZURE_DEPLOYMENT_NAME: undefined }, 'deployment_name'],
      [{ AZURE_ENDPOINT: 'http://169.254.169.254' }, 'not allowed'],
    ] as const) {
      const bad = await runWith({ ...azure, ...change }, '--provider', 'azure', '--all', '--yes');
      expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining(text)]);
    }
  }, 90_000);

  it('names what is missing, and changes nothing without it', async () => {
    const before = await masks();
    for (const [env, words, code, text] of [
      [
        {},
        ['--provider', 'openai', '--tenants', 'sundsvall,no-such', '--yes'],
        1,
        'at position 2 of --tenants',
      ],
      [
        { TENANT_CREDENTIALS_ENABLED: 'true' },
        ['--provider', 'openai', '--all', '--yes'],
        1,
        'TENANT_CREDENTIALS_ENABLED=false',
      ],
      [{ ENCRYPTION_KEY: undefined }, ['--provider', 'openai', '--all', '--yes'], 1, 'ENCRYPTION_KEY'],
      [
        { OPENAI_API_KEY: undefined },
        ['--provider', 'openai', '--all', '--yes'],
        1,
        'OPENAI_API_KEY is not set',
      ],
      [
        { DATABASE_URL: 'postgresql://tenkey@127.0.0.1:1/tenkey' },
        ['--provider', 'openai', '--all', '--yes'],
        3,
        'the database is unavailable',
      ],
      [{}, ['--provider', 'no-such', '--all'], 2, '--provider must be one of openai'],
      [{}, ['--all'], 2, '--provider must be one of openai'],
      [{}, ['--provider', 'openai'], 2, 'either --tenants or --all'],
      [{}, ['--provider', 'openai', '--all', '--tenants', 'own'], 2, 'either --tenants or --all'],
      [{}, ['--provider', 'openai', '--tenants', 'own,'], 2, 'a list such as a,b'],
    ] as const) {
      const result = await runWith(env, ...words);
      expect([words, result.code, result.stderr]).toEqual([words, code, expect.stringContaining(text)]);
      expect(result.stderr).not.toContain('no-such');
    }
    expect(await masks()).toEqual(before);
  }, 120_000);
});
