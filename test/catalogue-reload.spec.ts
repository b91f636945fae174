import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKey } from '#crypto';
import { createTestDatabase, type TestDatabase } from './support/postgres';

const root = join(__dirname, '..');
const superKey = 'reload-super-key-of-the-test';
const platformKey = 'reload-platform-key-of-the-test';

describe('the catalogue of a running service', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-reload-'));
  const file = join(folder, 'ai_models.yml');
  let database: TestDatabase;
  let service: ChildProcess;
  let output = '';
  let base: string;
  let pid: number;
  jest.setTimeout(60_000);

  beforeAll(async () => {
    database = await createTestDatabase();
    writeFileSync(file, '- { name: first, litellm_model_name: gpt-4o }\n- { name: old, family: e5 }\n');
    const { PATH = '', HOME = '' } = process.env;
    service = spawn('npm', ['start'], {
      cwd: root,
      env: {
        PATH,
        HOME,
        PORT: '0',
        AI_MODELS_FILE: file,
        DATABASE_URL: database.url,
        INTRIC_SUPER_API_KEY: superKey,
        PLATFORM_API_KEY: platformKey,
        ENCRYPTION_KEY: generateKey(),
      },
    });
    for (const stream of [service.stdout!, service.stderr!]) {
      stream.on('data', (part: Buffer) => (output += part.toString()));
    }
    base = await until(() => /Swagger UI +(http\S+)\/docs/.exec(output)?.[1], 150);
    pid = Number(/SIGHUP to process (\d+)/.exec(output)![1]);
  }, 180_000);

  afterAll(async () => {
    if (service.exitCode === null) service.kill('SIGTERM');
    await until(() => isGone() || undefined, 15);
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  async function until<T>(found: () => T | undefined | Promise<T | undefined>, seconds = 15): Promise<T> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const value = await found();
      if (value !== undefined) return value;
      if (Date.now() > deadline) throw new Error(`it did not come true in ${seconds} s`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  function isGone(): boolean {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  }

  async function ready(): Promise<{ status: number; body: any }> {
    const answer = await fetch(`${base}/ready`);
    return { status: answer.status, body: await answer.json() };
  }

  async function ask(
    path: string,
    init: { method?: string; body?: object; tenant?: string } = {},
  ): Promise<any> {
    const key = path.startsWith('/v1') ? platformKey : superKey;
    const answer = await fetch(`${base}${path}`, {
      method: init.method ?? 'GET',
      headers: {
        'x-api-key': key,
        ...(init.tenant && { 'x-tenant-id': init.tenant }),
        ...(init.body && { 'content-type': 'application/json' }),
      },
      body: init.body && JSON.stringify(init.body),
    });
    return answer.json();
  }

  it('warns at the start of a model that no provider serves', async () => {
    expect(output).toContain(`${file}:2: old: no provider serves this family`);
    expect((await ready()).body).toMatchObject({ status: 'ready', models: 2, catalogue: 'ok' });
  });

  it('follows its file, and no data is deleted with a model', async () => {
    const tenant = (await ask('/api/v1/sysadmin/tenants', { method: 'POST', body: { name: 'reload' } })).id;
    const credentials = `/api/v1/sysadmin/tenants/${tenant}/credentials`;
    await ask(`${credentials}/openai`, { method: 'PUT', body: { api_key: 'sk-key-of-the-reload-test' } });
    writeFileSync(
      `${file}.new`,
      '- { name: second, litellm_model_name: gpt-4o }\n- { name: odd, famly: e5, family: e5 }\n',
    );
    renameSync(`${file}.new`, file);
    await until(() => (output.includes('2 added, 2 removed, 0 changed') ? true : undefined));
    expect((await ask('/v1/models', { tenant })).data.map(({ id }: { id: string }) => id)).toEqual([
      'second',
      'odd',
    ]);
    expect(output).toContain('"added":["second","odd"],"removed":["first","old"]');
    expect(output).toContain(`${file}:2: odd: unknown field famly; did you mean family?`);
    expect((await ask(credentials)).credentials).toMatchObject([{ provider: 'openai', status: 'ready' }]);
  });

  it('keeps the last good models when the file has a fault, and /ready says what is wrong', async () => {
    writeFileSync(file, '- name: third\n  litellm_model_name: nobody/sentinel-value\n- name: fourth\n');
    const stale = await until(async () => {
      const answer = await ready();
      return answer.body.catalogue === 'stale' ? answer : undefined;
    });
    expect(stale).toMatchObject({ status: 200, body: { status: 'ready', models: 2 } });
    expect(stale.body.catalogue_reason.split('\n')).toEqual([
      expect.stringMatching(
        /^ai_models\.yml:2: third: litellm_model_name has an unknown provider prefix; the known ones are /,
      ),
      'ai_models.yml:3: fourth: a model without litellm_model_name needs a family',
    ]);
    expect(output).toContain('the previous models stay in force');
    expect(output + JSON.stringify(stale)).not.toContain('sentinel-value');
    writeFileSync(file, '- { name: fifth, litellm_model_name: gpt-4o }\n');
    const mended = await until(async () => {
      const { body } = await ready();
      return body.catalogue === 'ok' ? body : undefined;
    });
    expect(mended).toMatchObject({ models: 1 });
    expect(mended).not.toHaveProperty('catalogue_reason');
  });

  it('reads its file at SIGHUP and keeps running', async () => {
    const before = output.length;
    process.kill(pid, 'SIGHUP');
    await until(() => (output.slice(before).includes('0 added, 0 removed, 0 changed') ? true : undefined));
    expect((await ready()).status).toBe(200);
  });

  it('stops at once when the service is stopped', async () => {
    process.kill(pid, 'SIGTERM');
    await until(() => isGone() || undefined, 10);
  });
});
