import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { loadConfig } from '#config';
import { DesiredState, planTenants } from '../apps/cli/as-code/desired-state';
import { readTenants } from '../apps/cli/as-code/tenants-file';
import { ApiKeySources } from '../apps/cli/as-code/api-key-sources';
import { withServices } from '../apps/cli/services';
import { ProviderRegistry } from '#providers';
import { parse } from 'yaml';
import { encryptionKey, startTestApp, superKey, type TestApp } from './support/app';
import { runCli, runCliProcess } from './support/cli';
import { issueSysadminKey } from './support/keys';
import { until } from './support/until';

const keys = {
  SUNDSVALL_OPENAI: 'sk-sundsvall-openai-a1b2',
  SUNDSVALL_AZURE: 'key-sundsvall-azure-c3d4',
  HARNOSAND_OPENAI: 'sk-harnosand-openai-e5f6',
};
const ofFile = 'key-from-a-file-g7h8';
const harnosandId = '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10';

const file = `
tenants:
  - name: sundsvall
    display_name: Sundsvalls kommun
    contact_email: it-drift@sundsvall.example
    expected_providers: [openai, azure]
    allowed_hosting: [usa, swe]
    allowed_providers: [openai, azure]
    egress_allow: ['10.20.0.0/16:8000']
    credentials:
      openai:
        api_key_env: SUNDSVALL_OPENAI
        organization: org-1
        expires_at: 2099-01-31
      azure:
        api_key_env: SUNDSVALL_AZURE
        endpoint: https://sundsvall.openai.azure.com
        api_version: 2024-10-21
        deployment_name: gpt-4o
    keys:
      - name: chat assistant
        allowed_models: [gpt-4o]
        requests_per_minute: 60
  - id: ${harnosandId}
    name: harnosand
    credentials:
      openai: { api_key_env: HARNOSAND_OPENAI }
      mistral: { api_key_file: mistral.key }
`;

describe('tenants as code', () => {
  let app: TestApp;
  let folder: string;
  const outputs: string[] = [];
  beforeAll(async () => {
    app = await startTestApp();
    folder = mkdtempSync(join(tmpdir(), 'tenkey-as-code-'));
    writeFileSync(join(folder, 'mistral.key'), `${ofFile}\n`);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await app.close();
  });
  afterEach(async () => {
    const events = await app.database.query<{ row: string }[]>('SELECT e::text AS row FROM audit_events e');
    const texts = [...outputs, ...app.logLines, ...events.map(({ row }) => row)];
    for (const key of [...Object.values(keys), ofFile]) {
      expect(texts.filter((text) => text.includes(key))).toEqual([]);
    }
  });

  const run = async (...words: string[]) => {
    const result = await runCli({ ...keys, DATABASE_URL: app.databaseUrl }, ...words);
    outputs.push(result.stdout, result.stderr);
    return result;
  };
  const write = (text: string, name = 'tenants.yml') => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  /** Everything that a change would change. */
  const state = async () => {
    const rows = await app.database.query<{ row: string }[]>(
      `SELECT t::text AS row FROM tenants t UNION ALL SELECT c::text FROM tenant_credentials c
       UNION ALL SELECT k::text FROM (SELECT id, name, allowed_models, requests_per_minute, expires_at FROM tenant_keys) k
       UNION ALL SELECT count(*)::text FROM audit_events ORDER BY 1`,
    );
    return rows.map(({ row }) => row);
  };
  const idOf = async (name: string) =>
    (await app.sysadmin('get', `/tenants?search=${name}`)).body.items[0].id as string;

  it('are planned with masks, and a plan changes nothing', async () => {
    const before = await state();
    const { code, stdout } = await run('plan', '-f', write(file));
    expect([code, stdout]).toEqual([0, expect.stringContaining('+ tenant sundsvall (')]);
    expect(stdout).toContain(`+ tenant harnosand (${harnosandId})`);
    expect(stdout).toContain('    + credential openai ...a1b2\n        organization: org-1\n');
    expect(stdout).toContain('    + credential mistral ...g7h8\n');
    expect(stdout).toContain('2 tenants compared, to create: 2 tenants, 4 credentials, 1 key\n');
    expect(await state()).toEqual(before);
    expect((await run('plan', '-f', write(file), '--check')).code).toBe(1);
    const { counts } = JSON.parse((await run('plan', '-f', write(file), '--json')).stdout);
    expect(counts).toEqual({ create: { tenant: 2, credential: 4, key: 1 } });
  }, 60_000);

  it('are applied only with --yes, and with a file for the keys that are created', async () => {
    const before = await state();
    const path = write(file);
    const refused = await run('apply', '-f', path, '--yes');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--new-keys-file')]);
    const newKeys = join(folder, 'new-keys.jsonl');
    const asked = await runCliProcess(
      { ...keys, DATABASE_URL: app.databaseUrl },
      'apply',
      '-f',
      path,
      '--new-keys-file',
      newKeys,
    );
    expect([asked.code, asked.stderr]).toEqual([1, expect.stringContaining('--yes')]);
    expect(await state()).toEqual(before);
    const { code, stdout } = await run('apply', '-f', path, '--yes', '--new-keys-file', newKeys);
    expect([code, stdout]).toEqual([0, expect.stringContaining('2 tenants applied\n')]);
    const created = JSON.parse(readFileSync(newKeys, 'utf8'));
    expect([created.tenant, created.name, statSync(newKeys).mode & 0o777]).toEqual([
      'sundsvall',
      'chat assistant',
      0o600,
    ]);
    const chat = await app
      .http()
      .post('/v1/chat/completions')
      .set('Authorization', `Bearer ${created.key}`)
      .send({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] });
    expect([chat.status, app.provider.requests.at(-1)?.key === keys.SUNDSVALL_OPENAI]).toEqual([200, true]);
    await app.chat(harnosandId).expect(200);
    expect(app.provider.requests.at(-1)?.key === keys.HARNOSAND_OPENAI).toBe(true);
    const sundsvall = await idOf('sundsvall');
    expect((await app.sysadmin('get', `/tenants/${sundsvall}`)).body).toMatchObject({
      display_name: 'Sundsvalls kommun',
      expected_providers: ['openai', 'azure'],
      allowed_hosting: ['usa', 'swe'],
      allowed_providers: ['openai', 'azure'],
      egress_allow: ['10.20.0.0/16:8000'],
    });
    const { body } = await app.sysadmin('get', `/audit-events?tenant_id=${sundsvall}`);
    expect(body.items.map(({ action, actor }: any) => [action, actor]).reverse()).toEqual([
      ['tenant.create', 'cli'],
      ['credential.set', 'cli'],
      ['credential.set', 'cli'],
      ['key.create', 'cli'],
    ]);
    expect((await run('audit', 'verify')).code).toBe(0);
  }, 60_000);

  it('are the same after a second apply, and what export prints describes them', async () => {
    const before = await state();
    const again = await run('apply', '-f', write(file), '--yes');
    expect([again.code, again.stdout]).toEqual([0, '2 tenants compared, nothing to change\n']);
    const exported = await run('export');
    expect(exported.stdout).toContain('# ...g7h8, ready');
    for (const words of [['--check'], ['--check', '--prune']]) {
      const plan = await run('plan', '-f', write(exported.stdout, 'exported.yml'), ...words);
      expect([plan.code, plan.stdout]).toEqual([0, '2 tenants compared, nothing to change\n']);
    }
    expect(await state()).toEqual(before);
  }, 60_000);

  it('are changed only where they differ', async () => {
    const versions = async () => {
      const rows = await app.database.query<{ key: string; version: string }[]>(
        `SELECT t.name || ' ' || provider AS key, version FROM tenant_credentials JOIN tenants t ON t.id = tenant_id ORDER BY 1`,
      );
      return Object.fromEntries(rows.map(({ key, version }) => [key, Number(version)]));
    };
    const before = await versions();
    const changed = file
      .replace('organization: org-1', 'organization: org-2')
      .replace('display_name: Sundsvalls kommun', 'state: suspended')
      .replace('requests_per_minute: 60', 'requests_per_minute: 30');
    const { code, stdout } = await run('apply', '-f', write(changed), '--yes');
    expect([code, stdout]).toEqual([0, expect.stringContaining('~ tenant sundsvall (')]);
    expect(stdout).toContain('    state: active -> suspended\n');
    expect(stdout).toContain('    ~ credential openai ...a1b2\n        organization: org-1 -> org-2\n');
    expect(stdout).toContain('requests_per_minute: 60 -> 30');
    expect(stdout).not.toContain('azure');
    // What the file leaves out stays.
    const tenant = (await app.sysadmin('get', `/tenants/${await idOf('sundsvall')}`)).body;
    expect(tenant).toMatchObject({ display_name: 'Sundsvalls kommun', state: 'suspended' });
    const after = await versions();
    expect({ ...after, 'sundsvall openai': 0 }).toEqual({ ...before, 'sundsvall openai': 0 });
    expect(after['sundsvall openai']).toBeGreaterThan(before['sundsvall openai']!);
    const withoutKey = changed.replace(
      'api_key_env: SUNDSVALL_OPENAI',
      'endpoint: https://elsewhere.example/v1',
    );
    const refused = await run('apply', '-f', write(withoutKey), '--yes');
    expect([refused.code, refused.stdout]).toEqual([
      1,
      expect.stringMatching(/:11: endpoint of the stored OpenAI credential/),
    ]);
    expect(await versions()).toEqual(after);
  }, 60_000);

  it('lose what the file does not describe only with --prune, as if the API had deleted it', async () => {
    const other = await app.createTenant('pruned');
    const limited = await issueSysadminKey(app, { scopes: ['credentials:read'], tenant_ids: [other] });
    const smaller = `tenants:\n  - name: sundsvall\n    credentials: {}\n    keys: []\n  - name: harnosand\n`;
    const kept = await run('plan', '-f', write(smaller), '--check');
    expect([kept.code, kept.stdout]).toEqual([0, '2 tenants compared, nothing to change\n']);
    const { code, stdout } = await run('apply', '-f', write(smaller), '--prune', '--yes');
    expect([code, stdout]).toEqual([0, expect.stringContaining('to delete: 2 credentials, 1 key, 1 tenant')]);
    expect(stdout).toContain(`- tenant pruned (${other}), with its credentials and keys`);
    expect((await app.sysadmin('get', `/tenants/${other}`)).status).toBe(404);
    // A list that the file does not have is not pruned.
    const { body } = await app.sysadmin('get', `/tenants/${harnosandId}/credentials`);
    expect(body.credentials).toHaveLength(2);
    const { tenant_ids: tenantIds } = (await app.sysadmin('get', `/keys/${limited.id}`)).body;
    expect(tenantIds).toEqual([]);
    const [deletion] = (await app.sysadmin('get', `/audit-events?action=tenant.delete`)).body.items;
    expect(deletion.details.before).toMatchObject({
      name: 'pruned',
      credentials: [],
      sysadmin_keys: [{ id: limited.id }],
    });
  }, 60_000);

  it('are left alone by a file with faults, each of which is named with its line and without its value', async () => {
    const before = await state();
    const cases: readonly [text: string, line: number, reason: string][] = [
      ['tenant: []', 1, 'there is no such field'],
      ['tenants:\n  - name: a\n  - name: a\n', 3, 'another tenant of this file has the same name'],
      ['tenants:\n  - name: a\n    id: secret-text\n', 3, 'id must be a UUID'],
      ['tenants:\n  - display_name: secret-text\n', 2, 'a tenant must have a name'],
      ['tenants:\n  - name: a\n    stat: secret-text\n', 3, 'did you mean state?'],
      ['tenants:\n  - name: a\n    "secret-text": 1\n', 3, 'there is no such field'],
      ['tenants:\n  - name: a\n    credentials: [secret-text]\n', 3, 'credentials must be a map'],
      [
        'tenants:\n  - name: a\n    credentials: { secret-text: {} }\n',
        3,
        'the provider must be one of openai',
      ],
      [
        'tenants:\n  - name: a\n    credentials:\n      openai:\n        api_key: secret-text\n',
        5,
        'api_key is not accepted from a file on a disk',
      ],
      [
        'tenants:\n  - name: a\n    credentials:\n      openai:\n        api_key_env: secret-text\n',
        5,
        'api_key_env must be the name',
      ],
      [
        'tenants:\n  - name: a\n    credentials:\n      openai:\n        api_key_env: ENCRYPTION_KEY\n',
        5,
        'names a secret of Tenkey itself',
      ],
      [
        'tenants:\n  - name: a\n    credentials:\n      openai:\n        api_key_env: NOT_SET\n',
        5,
        'is not set',
      ],
      [
        'tenants:\n  - name: a\n    credentials:\n      openai:\n        api_key_file: secret-text\n',
        5,
        'cannot be read (ENOENT)',
      ],
      [
        'tenants:\n  - name: a\n    credentials:\n      openai:\n        endpoint: secret-text\n',
        5,
        'endpoint must be',
      ],
      [
        'tenants:\n  - name: a\n    credentials:\n      openai:\n        endpint: secret-text\n',
        5,
        'did you mean endpoint?',
      ],
      [
        'tenants:\n  - name: a\n    credentials:\n      openai: {}\n',
        4,
        'OpenAI has no credential yet: give api_key_env or api_key_file',
      ],
      [
        'tenants:\n  - name: a\n    credentials:\n      openai:\n        api_key_env: SUNDSVALL_OPENAI\n        endpoint: http://169.254.169.254/v1\n',
        4,
        'is not allowed',
      ],
      ['tenants:\n  - name: a\n    keys:\n      - allowed_models: [x]\n', 4, 'name must'],
      [
        'tenants:\n  - name: a\n    keys:\n      - { name: b }\n      - { name: b }\n',
        5,
        'another key of this tenant has the same name',
      ],
      [
        'tenants:\n  - name: a\n    keys:\n      - { name: b, expires_at: 2020-01-01T00:00:00Z }\n',
        4,
        'expires_at must be in the future',
      ],
      [
        `tenants:\n  - { id: ${harnosandId}, name: sundsvall }\n  - { id: ${await idOf('sundsvall')}, name: harnosand }\n`,
        2,
        'Rename that one first',
      ],
      [
        'tenants:\n  - name: a\n    keys:\n      - { id: secret-text, name: b }\n',
        4,
        'the tenant has no key with this id',
      ],
      ['sops: {}\ntenants: []\n', 1, 'this file is encrypted'],
      [
        'tenants:\n  - name: a\n    keys:\n      - { id: BoT0VjF9rQ2, name: b }\n      - { name: b }\n',
        5,
        'another key of this tenant has the same name',
      ],
      [
        'tenants:\n  - name: a\n    credentials:\n      openai:\n        api_key_env: ENEO_SUPER_API_KEY\n',
        5,
        'names a secret of Tenkey itself',
      ],
      ['tenants:\n  - name: "secret-text\n', 3, 'a character is missing'],
    ];
    for (const [text, line, reason] of cases) {
      const { code, stdout, stderr } = await run(
        'apply',
        '-f',
        write(text),
        '--yes',
        '--new-keys-file',
        join(folder, 'never'),
      );
      const output = stdout + stderr;
      expect([text, code]).toEqual([text, 1]);
      expect(output).toMatch(new RegExp(`tenants\\.yml:${line}: .*${reason.replace(/[()?]/g, '\\$&')}`));
      expect(output).not.toContain('secret-text');
    }
    expect(await state()).toEqual(before);
  }, 60_000);

  it('take keys from a pipe, which leaves no copy, as sops exec-file provides the file', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('sh', ['-c', 'mkfifo "$0"', pipe]);
    const text = file.replace('api_key_env: SUNDSVALL_OPENAI', `api_key: "${ofFile}\\n"`);
    const writer = spawn('sh', ['-c', 'cat > "$0"', pipe], { stdio: ['pipe', 'ignore', 'ignore'] });
    writer.stdin.end(text);
    const { code, stdout } = await run('plan', '-f', pipe);
    expect([code, stdout]).toEqual([0, expect.stringContaining('+ credential openai ...g7h8')]);
  }, 60_000);

  describe('in one transaction for each tenant', () => {
    const providers = new ProviderRegistry();
    const desiredOf = (text: string) => {
      const source = { name: 'tenants.yml', text, isStored: true, folder };
      return readTenants(
        source,
        providers,
        new ApiKeySources(source, (name) => keys[name as keyof typeof keys]),
      );
    };
    const withState = <T>(run: Parameters<typeof withServices<T>>[1]) =>
      withServices(
        loadConfig({
          DATABASE_URL: app.databaseUrl,
          INTRIC_SUPER_API_KEY: superKey,
          ENCRYPTION_KEY: encryptionKey,
        }),
        run,
      );

    it('refuse a plan after another change', async () => {
      const desired = desiredOf(
        `tenants:\n  - name: harnosand\n    credentials:\n      openai: { api_key_env: SUNDSVALL_OPENAI }\n`,
      );
      await withState(async (services) => {
        const [plan] = await planTenants(services, desired, false);
        await app.setCredential(harnosandId, 'openai', { api_key: 'sk-set-by-someone-else' });
        const before = await state();
        const applied = new DesiredState(services, false, () => undefined).apply(plan!);
        await expect(applied).rejects.toThrow('changed after it was planned');
        expect(await state()).toEqual(before);
      });
    }, 60_000);

    it('leave nothing of a tenant when one of its changes fails', async () => {
      const before = await state();
      await app.database.query(
        `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$`,
      );
      await app.database.query(
        `CREATE TRIGGER refuse BEFORE INSERT ON tenant_keys FOR EACH ROW WHEN (NEW.name = 'second') EXECUTE FUNCTION refuse()`,
      );
      const text = file
        .replace('name: sundsvall', 'name: broken')
        .replace('    keys:\n', '    keys:\n      - name: first\n      - name: second\n');
      expect(text).toContain('second');
      const { code, stdout } = await run(
        'apply',
        '-f',
        write(text),
        '--yes',
        '--new-keys-file',
        join(folder, 'broken.jsonl'),
      );
      await app.database.query('DROP TRIGGER refuse ON tenant_keys');
      expect([code, stdout]).toEqual([1, expect.stringContaining('failed broken: ')]);
      expect(stdout).toContain('1 tenant applied, 1 failed');
      // The key was written to the file before its creation was rolled back.
      expect(readFileSync(join(folder, 'broken.jsonl'), 'utf8')).toBe('');
      expect((await app.sysadmin('get', '/tenants?search=broken')).body.total).toBe(0);
      expect((await state()).length).toBe(before.length);
    }, 60_000);

    it('wait for what locks a credential before they hold up the audit of all other changes', async () => {
      const desired = desiredOf(
        `tenants:\n  - name: harnosand\n    display_name: new\n    credentials:\n      openai: { api_key_env: SUNDSVALL_OPENAI }\n`,
      );
      await withState(async (services) => {
        const [plan] = await planTenants(services, desired, false);
        const other = app.database.createQueryRunner();
        await other.startTransaction();
        await other.query(`SELECT 1 FROM tenant_credentials WHERE tenant_id = $1 FOR UPDATE`, [harnosandId]);
        const applied = new DesiredState(services, false, () => undefined).apply(plan!);
        await until(async () => {
          const [row] = await app.database.query<{ waiting: number }[]>(
            `SELECT count(*)::int AS waiting FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          );
          return row?.waiting === 1;
        }, 'the lock that the apply waits for');
        await other.query('SELECT 1 FROM audit_head FOR UPDATE NOWAIT');
        await other.commitTransaction();
        await other.release();
        await applied;
        expect((await app.sysadmin('get', `/tenants/${harnosandId}`)).body.display_name).toBe('new');
      });
    }, 60_000);
  });

  it('have a JSON schema that accepts and refuses what the command does', async () => {
    const schema = JSON.parse((await run('schema')).stdout);
    const ajv = new Ajv({ allowUnionTypes: true });
    addFormats(ajv);
    const validate = ajv.compile(schema);
    const cases: readonly [text: string, isAccepted: boolean][] = [
      [file, true],
      ['tenants: []', true],
      ['tenants:\n  - name: a\n    credentials: { openai: }\n', true],
      ['tenants:\n  - name: a\n    credentials: { azure: }\n', false],
      ['tenants:\n  - name: a\n    state: on\n', false],
      ['tenants:\n  - {}\n', false],
      ['tenants:\n  - name: a\n    colour: blue\n', false],
      ['tenants:\n  - name: a\n    expected_providers: [no-such]\n', false],
      ['tenants:\n  - name: a\n    allowed_providers: [no-such]\n', false],
      ['tenants:\n  - name: a\n    allowed_hosting: []\n', true],
      ['tenants:\n  - name: a\n    allowed_hosting: [""]\n', false],
      [
        'tenants:\n  - name: a\n    credentials: { mistral: { api_key_env: SUNDSVALL_OPENAI, endpoint: https://a.example } }\n',
        false,
      ],
      [
        'tenants:\n  - name: a\n    credentials: { mistral: { api_key_env: SUNDSVALL_OPENAI, api_key_file: mistral.key } }\n',
        false,
      ],
      ['tenants:\n  - name: a\n    keys: [{ name: b, requests_per_minute: 0 }]\n', false],
      ['tenants:\n  - name: a\n    keys: [{ name: b, tokens_per_minute: 5 }]\n', true],
      ['more: 1\ntenants: []', false],
    ];
    for (const [text, isAccepted] of cases) {
      const source = { name: 'tenants.yml', text, isStored: true, folder };
      const read = () =>
        readTenants(
          source,
          new ProviderRegistry(),
          new ApiKeySources(source, (name) => keys[name as keyof typeof keys]),
        );
      expect([text, validate(parse(text))]).toEqual([text, isAccepted]);
      if (isAccepted) read();
      else expect(read).toThrow('the file is not valid');
    }
  });
});
