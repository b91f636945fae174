import { createServer } from 'node:net';
import { type Response } from 'supertest';
import { generateKey } from '#crypto';
import { startTestApp, type TestApp } from './support/app';

/** One per place a secret can be; the last looks like nobody's key format. */
const sentinels = {
  superKey: 'sentinel-super-key-8d1f6a90c7',
  platformKey: 'sentinel-platform-key-52be07d1',
  encryptionKey: generateKey(),
  openai: 'sk-proj-SENTINELopenaiABCDEFG1234567890abcdef',
  anthropic: 'sk-ant-api03-SENTINELanthropicABCDEFG123456',
  azure: '0123456789abcdefSENTINEL0123456789abcdef',
  vllm: 'plain words as a sentinel key, ~!@#$%^&*()+=/',
  refusedAtPut: 'sentinel-of-a-refused-put-91827364',
  presented: 'sentinel-presented-by-a-caller-5566',
};

/** Every spelling a secret may travel in. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
  ];
}

describe('secrets never leak', () => {
  let test: TestApp;
  let tenant: string;
  const seen: { where: string; text: string }[] = [];
  const sysadminRoot = '/api/v1/sysadmin';

  const note = (where: string, answer: Response) => {
    seen.push({ where, text: `${answer.status} ${JSON.stringify(answer.headers)}\n${answer.text ?? ''}` });
    return answer;
  };
  const sysadmin = async (
    method: 'get' | 'put' | 'post' | 'patch' | 'delete',
    path: string,
    body?: unknown,
  ) =>
    note(
      `${method} ${path}`,
      await test
        .http()
        [method](sysadminRoot + path)
        .set('X-API-Key', sentinels.superKey)
        .send(body as object),
    );
  const call = async (model: string, extra: object = {}, path = '/v1/chat/completions') =>
    note(
      `${path} ${model}`,
      await test
        .http()
        .post(path)
        .set('X-API-Key', sentinels.platformKey)
        .set('X-Tenant-ID', tenant)
        .send({ model, messages: [{ role: 'user', content: 'hello' }], ...extra }),
    );

  beforeAll(async () => {
    test = await startTestApp({
      LOG_LEVEL: 'trace',
      INTRIC_SUPER_API_KEY: sentinels.superKey,
      PLATFORM_API_KEY: sentinels.platformKey,
      ENCRYPTION_KEY: sentinels.encryptionKey,
    });
  });
  afterAll(() => test.close());

  it('sends sentinel keys through every route', async () => {
    tenant = (await sysadmin('post', '/tenants', { name: 'leaky' })).body.id;
    const put = (provider: string, body: object) =>
      sysadmin('put', `/tenants/${tenant}/credentials/${provider}`, body);
    for (const provider of ['openai', 'mistral', 'ovhcloud', 'berget']) {
      expect((await put(provider, { api_key: sentinels.openai })).status).toBe(200);
    }
    expect((await put('anthropic', { api_key: sentinels.anthropic })).status).toBe(200);
    const azure = { endpoint: test.provider.url, api_version: '2024-10-21', deployment_name: 'ours' };
    expect((await put('azure', { api_key: sentinels.azure, ...azure })).status).toBe(200);
    expect((await put('vllm', { api_key: sentinels.vllm, endpoint: test.provider.url })).status).toBe(200);
    await sysadmin('get', `/tenants/${tenant}/credentials`);
    for (const path of ['/tenants', `/tenants/${tenant}`, '/tenants?search=leaky'])
      await sysadmin('get', path);
    await sysadmin('patch', `/tenants/${tenant}`, { display_name: 'Leaky' });
    for (const model of ['gpt-4o', 'azure-gpt-4o', 'claude-sonnet', 'gemma-vllm']) {
      expect((await call(model)).status).toBe(200);
      if (model !== 'claude-sonnet') expect((await call(model, { stream: true })).status).toBe(200);
    }
    expect((await call('text-embedding-3-small', { input: 'hello' }, '/v1/embeddings')).status).toBe(200);
    note(
      'models',
      await test.http().get('/v1/models').set('X-API-Key', sentinels.platformKey).set('X-Tenant-ID', tenant),
    );
    for (const path of ['/health', '/ready', '/docs', '/docs/openapi.json', '/nowhere']) {
      note(path, await test.http().get(path));
    }
    // The sentinels did travel: otherwise nothing here could leak.
    const arrived = new Set(test.provider.requests.map(({ key }) => key));
    expect(arrived).toEqual(
      new Set([sentinels.openai, sentinels.azure, sentinels.anthropic, sentinels.vllm]),
    );
  });

  it('sends them through refused inputs and keys in wrong places', async () => {
    const secret = sentinels.refusedAtPut;
    const path = `/tenants/${tenant}/credentials`;
    for (const body of [
      { api_key: [secret] },
      { api_key: `${secret}\n` + '\u0000' },
      { api_key: `${secret}ö` },
      { api_key: 'fine-key-12345', endpoint: `https://user:${secret}@host.example/` },
      { api_key: 'fine-key-12345', endpoint: `https://host.example/?k=${secret}` },
      { api_key: 'fine-key-12345', endpont: secret },
      { [secret]: secret },
      [secret],
    ]) {
      expect((await sysadmin('put', `${path}/openai`, body)).status).toBe(422);
    }
    await sysadmin('put', `${path}/${secret}`, { api_key: secret });
    await sysadmin('put', `/tenants/${secret}/credentials/openai`, { api_key: secret });
    await sysadmin('get', `/tenants?cursor=${secret}`);
    await sysadmin('get', `/no-such-route/${secret}?key=${secret}`);
    note(
      'broken JSON',
      await test
        .http()
        .put(`${sysadminRoot}${path}/openai`)
        .set('X-API-Key', sentinels.superKey)
        .set('content-type', 'application/json')
        .send(`{"api_key": "${secret}`),
    );
    const caller = sentinels.presented;
    const wrongHeaders: Record<string, string>[] = [
      { 'x-api-key': caller },
      { 'x-api-key': ` ${caller}` },
      { authorization: `Bearer ${caller}` },
      { authorization: caller },
      { 'x-api-key': sentinels.platformKey, 'x-tenant-id': caller },
      { cookie: caller },
    ];
    for (const headers of wrongHeaders) {
      for (const url of [
        `${sysadminRoot}/tenants`,
        '/v1/models',
        `/v1/models?api_key=${caller}`,
        '/v1/%zz',
      ]) {
        note(`wrong key ${url}`, await test.http().get(url).set(headers));
      }
    }
  });

  it('sends them through every failure of a provider', async () => {
    const models = {
      'gpt-4o': 'openai',
      'azure-gpt-4o': 'azure',
      'claude-sonnet': 'anthropic',
      'gemma-vllm': 'vllm',
    } as const;
    for (const [model, name] of Object.entries(models)) {
      const key = sentinels[name];
      for (const status of [301, 400, 401, 403, 404, 413, 422, 429, 500, 503]) {
        for (const spelt of spellings(key)) {
          const message = `You sent ${spelt} and Tenkey has ${sentinels.superKey} and ${sentinels.encryptionKey}`;
          test.provider.next({
            status,
            echoRequestHeaders: true,
            body: { error: { message }, message, detail: message, key: spelt },
            headers: { location: `http://127.0.0.1:1/?k=${encodeURIComponent(key)}`, 'retry-after': '3' },
          });
          expect((await call(model)).status).toBeGreaterThanOrEqual(400);
        }
      }
      test.provider.next({ echoRequestHeaders: true });
      expect((await call(model)).status).toBe(200);
      test.provider.rejectKey(key);
      expect((await call(model)).body.error.code).toBe('credential_rejected');
      test.provider.reset();
      test.provider.next({ breakAfterChunks: 1 });
      await call(model, { stream: true });
      test.provider.reset();
      test.provider.next({
        status: 200,
        body: `not JSON ${key}`,
        headers: { 'content-type': 'application/json' },
      });
      if (model === 'claude-sonnet') expect((await call(model)).status).toBe(502);
      test.provider.reset();
    }
    // An address where nobody listens, one that hangs up, and a name that does not exist.
    const hangsUp = createServer((socket) => socket.destroy());
    await new Promise<void>((done) => hangsUp.listen(0, '127.0.0.1', done));
    const { port } = hangsUp.address() as { port: number };
    const away = await startTestApp(
      {
        LOG_LEVEL: 'trace',
        INTRIC_SUPER_API_KEY: sentinels.superKey,
        PLATFORM_API_KEY: sentinels.platformKey,
        ENCRYPTION_KEY: sentinels.encryptionKey,
        OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`,
        ANTHROPIC_BASE_URL: `https://127.0.0.1:${port}`,
        MISTRAL_BASE_URL: 'http://no-such-host.invalid/v1',
      },
      { databaseUrl: test.databaseUrl },
    );
    try {
      for (const model of ['gpt-4o', 'claude-sonnet', 'mistral-large']) {
        const answer = await away
          .http()
          .post('/v1/chat/completions')
          .set('X-API-Key', sentinels.platformKey)
          .set('X-Tenant-ID', tenant)
          .send({ model, messages: [{ role: 'user', content: 'x' }] });
        expect([model, answer.body.error.code]).toEqual([model, 'upstream_unavailable']);
        note(`unreachable ${model}`, answer);
      }
      seen.push({ where: 'log of the unreachable', text: away.logLines.join('') });
    } finally {
      await away.close();
      hangsUp.close();
    }
  });

  it('finds no spelling of any of them in answers, headers, log lines or the database', async () => {
    const tables = await test.database.query(
      `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`,
    );
    expect(tables.length).toBeGreaterThanOrEqual(4);
    for (const { table_name: name } of tables) {
      const rows = await test.database.query(`SELECT t::text FROM "${name}" t`);
      seen.push({ where: `table ${name}`, text: JSON.stringify(rows) });
    }
    expect(test.logLines.length).toBeGreaterThan(100);
    seen.push({ where: 'log', text: test.logLines.join('') });
    const leaks: string[] = [];
    for (const { where, text } of seen) {
      for (const [name, secret] of Object.entries(sentinels)) {
        for (const [index, spelt] of spellings(secret).entries()) {
          if (text.includes(spelt)) leaks.push(`${name} (spelling ${index}) in ${where}`);
        }
      }
    }
    expect([...new Set(leaks)]).toEqual([]);
    expect(seen.length).toBeGreaterThan(250);
  });

  it('also when the database fails', async () => {
    await test.database.query('ALTER TABLE tenant_credentials RENAME TO gone');
    const before = test.logLines.length;
    const answers = [
      await sysadmin('put', `/tenants/${tenant}/credentials/openai`, { api_key: sentinels.openai }),
      await sysadmin('get', `/tenants/${tenant}/credentials`),
      await call('gpt-4o'),
    ];
    for (const answer of answers)
      expect([answer.status, answer.text.includes('tenant_credentials')]).toEqual([500, false]);
    const log = test.logLines.slice(before).join('');
    expect(log).toContain('internal_error');
    for (const secret of Object.values(sentinels)) {
      for (const spelt of spellings(secret)) {
        expect(log.includes(spelt)).toBe(false);
        for (const answer of answers) expect(answer.text.includes(spelt)).toBe(false);
      }
    }
  });
});
