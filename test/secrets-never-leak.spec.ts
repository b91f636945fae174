import { ChangesService } from '#cache';
import { randomUUID } from 'node:crypto';
import { RotationService, VerificationRunService } from '#credentials';
import { FernetService } from '#crypto';
import { type Answer, describeLeakSearch, sentinelModels } from './support/leak-search';
import { formsOf, leaksIn, type SentinelName, sentinels } from './support/sentinels';
import { until } from './support/until';
import { usageRecords } from './support/usage';

describeLeakSearch('secrets never leak', (search) => {
  const { tenkey, answers, tenantId, ask, sysadmin, put, platform, chat, azureFields } = search;

  it('in any spelling that the search knows', () => {
    for (const [name, secret] of Object.entries(sentinels)) {
      const basic = Buffer.from(`user:${secret}`).toString('base64');
      const copied = JSON.stringify({ ...Buffer.from(secret) });
      for (const text of [...formsOf(secret).map(([, form]) => form), basic, copied]) {
        expect(leaksIn(`before ${text} after`).map((leak) => leak.split(' ')[0])).toContain(name);
      }
    }
    expect(leaksIn('nothing of that kind')).toEqual([]);
  });

  it('when a credential is set, listed, used, streamed and removed, and the provider gets each right key', async () => {
    expect((await put('openai', { api_key: sentinels.openai })).status).toBe(200);
    expect((await put('anthropic', { api_key: sentinels.anthropic })).status).toBe(200);
    expect((await put('azure', azureFields())).status).toBe(200);
    const vllm = await put('vllm', { api_key: sentinels.vllm, endpoint: tenkey.provider.url });
    expect(vllm.status).toBe(200);
    const list = await sysadmin('GET', `/tenants/${tenantId()}/credentials`);
    expect(list.text).toContain(sentinels.openai.slice(-4));
    for (const [name, model] of sentinelModels) {
      expect([name, (await chat(model)).status]).toEqual([name, 200]);
      const streamed = await chat(model, { stream: true });
      expect([name, streamed.status]).toEqual([name, 200]);
      expect(streamed.text).toContain('[DONE]');
    }
    const embedded = await platform('POST', '/v1/embeddings', {
      model: 'text-embedding-3-small',
      input: 'one',
    });
    expect(embedded.status).toBe(200);
    const { openai, anthropic, azure, vllm: plain } = sentinels;
    const keys = tenkey.provider.requests.map(({ key }) => key);
    expect(
      keys.join('\n') ===
        [openai, openai, anthropic, anthropic, azure, azure, plain, plain, openai].join('\n'),
    ).toBe(true);
    // The same search finds the keys where they belong.
    const seen = new Set(leaksIn(JSON.stringify(tenkey.provider.requests)).map((leak) => leak.split(' ')[0]));
    expect([...seen].sort()).toEqual(['anthropic', 'azure', 'openai', 'vllm']);
    expect((await platform('GET', '/v1/models')).text).toContain('"ready":true');
    expect((await platform('GET', '/v1/models/gpt-4o')).text).toContain('"ready":true');
    expect((await sysadmin('GET', '/providers')).text).toContain('"id":"openai"');
    expect((await sysadmin('GET', '/models')).text).toContain('"state":"ok"');
    expect((await sysadmin('GET', '/audit-events/chain')).text).toContain('"head":');
    expect((await sysadmin('POST', '/audit-events/chain/verify')).text).toContain('"intact":true');
    const other = (
      JSON.parse((await sysadmin('POST', '/tenants', { name: randomUUID() })).text) as { id: string }
    ).id;
    const path = `/tenants/${other}`;
    await sysadmin('PUT', `${path}/credentials/openai?verify=true`, { api_key: sentinels.openai });
    expect((await sysadmin('POST', `${path}/credentials/openai/verify`)).text).toContain('"accepted"');
    for (const status of [401, 403, 404, 429, 440, 500]) {
      const body = { error: { message: `Incorrect key: ${sentinels.openai}` } };
      tenkey.provider.next({ status, body, echoRequestHeaders: true });
      expect((await sysadmin('POST', `${path}/credentials/openai/verify`)).status).toBe(200);
    }
    tenkey.provider.next({ status: 401, echoRequestHeaders: true });
    const refused = { api_key: sentinels.anthropic };
    expect((await sysadmin('PUT', `${path}/credentials/openai?verify=true`, refused)).status).toBe(422);
    expect((await sysadmin('GET', `${path}/models`)).text).toContain('credential_rejected');
    const staged = { api_key: sentinels.anthropic };
    expect((await sysadmin('PUT', `${path}/credentials/openai?stage=true`, staged)).status).toBe(200);
    tenkey.provider.next({ status: 401, echoRequestHeaders: true });
    const verifyStaged = `${path}/credentials/openai/verify?slot=staged`;
    expect((await sysadmin('POST', verifyStaged)).text).toContain('"rejected"');
    expect((await sysadmin('POST', `${path}/credentials/openai/promote`)).code).toBe('credential_rejected');
    expect((await sysadmin('POST', verifyStaged)).text).toContain('"accepted"');
    expect((await sysadmin('POST', `${path}/credentials/openai/promote`)).status).toBe(200);
    expect((await sysadmin('GET', `${path}/credentials`)).text).toContain('rollback_until');
    expect((await sysadmin('POST', `${path}/credentials/openai/rollback`)).status).toBe(200);
    expect((await sysadmin('GET', `${path}/models`)).text).toContain('credential_rejected');
    expect((await sysadmin('GET', '/readiness?mode=strict')).text).toContain('credential_rejected');
    expect((await sysadmin('DELETE', `${path}/credentials/openai`)).status).toBe(200);
    for (const [keys, body] of [
      [`${path}/keys`, { name: 'a key' }],
      ['/keys', { name: 'a key', scopes: ['audit:read'] }],
    ] as const) {
      const made = await sysadmin('POST', keys, body);
      const { id } = JSON.parse(made.text) as { id: string };
      expect([made.status, (await sysadmin('GET', keys)).status]).toEqual([201, 200]);
      expect((await sysadmin('GET', `${keys}/${id}`)).status).toBe(200);
      expect((await sysadmin('PUT', `${keys}/${id}`, { ...body, name: 'renamed' })).status).toBe(200);
      expect((await sysadmin('DELETE', `${keys}/${id}`)).status).toBe(200);
    }
    for (const [method, status] of [
      ['POST', 201],
      ['GET', 200],
      ['DELETE', 204],
    ] as const)
      expect([method, (await sysadmin(method, '/session')).status]).toEqual([method, status]);
    expect((await sysadmin('GET', path)).status).toBe(200);
    expect((await sysadmin('PUT', path, { name: 'leaks' })).status).toBe(200);
    expect((await sysadmin('PATCH', path, { state: 'suspended' })).status).toBe(200);
    expect((await sysadmin('DELETE', path)).status).toBe(204);
    expect((await sysadmin('GET', '/tenants')).status).toBe(200);
    for (const list of ['/audit-events', '/audit-events/export']) {
      expect((await sysadmin('GET', list)).text).toContain('credential.delete');
    }
    await usageRecords(tenkey, keys.length, '', sentinels.super);
    for (const report of ['/usage', `/tenants/${tenantId()}/usage`]) {
      const query = '?group_by=day,model,key,source,credential';
      expect((await sysadmin('GET', `${report}${query}`)).text).toContain('"calls":');
      expect((await sysadmin('GET', `${report}${query}&format=csv`)).text).toContain('gemma-vllm');
    }
    expect((await sysadmin('GET', '/usage/series?by=model')).text).toContain('gemma-vllm');
    expect((await sysadmin('GET', '/processes')).text).toContain('"has_sealing_key":true');
    expect((await sysadmin('GET', '/metrics')).text).toContain('tenkey_calls_total');
    expect((await sysadmin('GET', '/usage/records')).text).toContain(sentinels.openai.slice(-4));
    expect((await platform('GET', '/v1/usage')).text).toContain('"calls":');
    const receipt = /^x-tenkey-receipt: (.*)$/m.exec(answers.map(({ text }) => text).join('\n'))?.[1];
    const said = Buffer.from(receipt?.split('.')[2] ?? '', 'base64url').toString();
    expect([said.includes('"mask":'), leaksIn(said)]).toEqual([true, []]);
    expect((await sysadmin('POST', '/receipts/verify', { receipt })).text).toContain('"valid":true');
  });

  it('when what is set is not valid', async () => {
    for (const key of [sentinels.openai, sentinels.anthropic, sentinels.azure, sentinels.vllm]) {
      for (const body of [
        { api_kye: key },
        { api_key: [key] },
        { api_key: { value: key } },
        { api_key: `${key}\u0007` },
        { api_key: `${key}\u00e5` },
        { api_key: key.repeat(1000) },
        { api_key: key, endpoint: key },
        { api_key: key, endpoint: `https://user:${encodeURIComponent(key)}@llm.example.com` },
        { api_key: key, endpoint: `https://llm.example.com/?key=${encodeURIComponent(key)}` },
        { api_key: key, endpoint: 'http://169.254.169.254/latest' },
        `{"api_key":${JSON.stringify(key)}`,
        `{"api_key":${JSON.stringify(key)}}}`,
        [key],
        JSON.stringify(key),
        key,
      ]) {
        const answer = await put('openai', body);
        expect([400, 422]).toContain(answer.status);
      }
      for (const body of [
        { api_key: key },
        { ...azureFields(), api_key: key, deployment_name: key.repeat(5) },
        { ...azureFields(), api_key: key, api_version: `${key} ${key}` },
        { ...azureFields(), api_key: key, deployments: { [`${key}\u00e5`]: key } },
      ]) {
        expect((await put('azure', body)).code).toBe('credential_validation_failed');
      }
      const path = `/api/v1/sysadmin/tenants/${tenantId()}/credentials`;
      const own = { 'x-api-key': sentinels.super };
      const typed = await ask('PUT', `${path}/openai`, { ...own, 'content-type': 'text/plain' }, key);
      expect(typed.code).toBe('unsupported_media_type');
      const long = await put('openai', { api_key: key, note: 'x'.repeat(1024 * 1024) });
      expect(long.code).toBe('payload_too_large');
      const asProvider = await put(encodeURIComponent(key), { api_key: key });
      expect([404, 422]).toContain(asProvider.status);
      const asTenant = await sysadmin('GET', `/tenants/${encodeURIComponent(key)}/credentials`);
      expect(asTenant.code).toBe('validation_failed');
      const asCursor = await sysadmin('GET', `/tenants?cursor=${encodeURIComponent(key)}`);
      expect(asCursor.code).toBe('validation_failed');
      await sysadmin('GET', `/tenants?search=${encodeURIComponent(key)}&limit=${encodeURIComponent(key)}`);
      expect((await chat(key)).code).toBe('model_not_found');
    }
  });

  const clip = (model: string) => {
    const form = new FormData();
    form.set('file', new Blob(['RIFF']), 'a.wav');
    form.set('model', model);
    return form;
  };
  const conversation = { messages: [{ role: 'user', content: 'one two three' }], max_tokens: 9 };
  /** Each endpoint, the provider whose key serves it, and its body; one endpoint once more through a translation. */
  const endpoints: readonly [string, SentinelName, () => unknown][] = [
    ['chat/completions', 'openai', () => ({ model: 'gpt-4o', ...conversation })],
    ['chat/completions', 'anthropic', () => ({ model: 'claude-sonnet', ...conversation })],
    ['completions', 'vllm', () => ({ model: 'gemma-vllm', prompt: 'one two three' })],
    ['embeddings', 'openai', () => ({ model: 'text-embedding-3-small', input: 'one' })],
    ['responses', 'openai', () => ({ model: 'gpt-4o', input: 'one two three' })],
    ['messages', 'anthropic', () => ({ model: 'claude-sonnet', ...conversation })],
    ['messages', 'openai', () => ({ model: 'gpt-4o', ...conversation })],
    ['messages/count_tokens', 'anthropic', () => ({ model: 'claude-sonnet', ...conversation })],
    ['audio/transcriptions', 'openai', () => clip('whisper')],
    ['audio/translations', 'openai', () => clip('whisper')],
    ['audio/speech', 'openai', () => ({ model: 'gpt-4o-mini-tts', input: 'one', voice: 'alloy' })],
    ['images/generations', 'openai', () => ({ model: 'gpt-image', prompt: 'one' })],
    ['images/edits', 'openai', () => clip('gpt-image')],
    ['rerank', 'vllm', () => ({ model: 'rerank-vllm', query: 'one', documents: ['two'] })],
    ['moderations', 'openai', () => ({ model: 'omni-moderation', input: 'one' })],
  ];

  it.each(endpoints)(
    'on /v1/%s by %s when the key is used, echoed, refused, and when a stream breaks off',
    async (path, name, body) => {
      const key = sentinels[name];
      const call = (fields?: object) =>
        platform('POST', `/v1/${path}`, fields ? { ...(body() as object), ...fields } : body());
      tenkey.provider.next({ echoRequestHeaders: true });
      expect((await call()).status).toBe(200);
      expect(tenkey.provider.requests.map((request) => request.key === key)).toEqual([true]);
      for (const status of [400, 401, 404, 429, 500]) {
        tenkey.provider.next({
          status,
          body: { error: { message: `Incorrect key: ${key}` } },
          echoRequestHeaders: true,
        });
        expect((await call()).status).toBeGreaterThanOrEqual(400);
      }
      const streams = ['chat/completions', 'completions', 'responses', 'messages'];
      if (!streams.includes(path)) return;
      expect((await call({ stream: true })).status).toBe(200);
      tenkey.provider.next({ breakAfterChunks: 2 });
      expect((await call({ stream: true })).text).toContain('upstream_unavailable');
      for (const event of [
        { error: { message: `Incorrect key: ${key}` } },
        { type: 'error', error: { type: 'api_error', message: `Incorrect key: ${key}` } },
        { type: 'error', code: 'x', message: `Incorrect key: ${key}`, param: null },
        { type: 'response.failed', response: { error: { code: 'x', message: `Incorrect key: ${key}` } } },
      ]) {
        tenkey.provider.next({ chunks: [`event: error\ndata: ${JSON.stringify(event)}\n\n`] });
        await call({ stream: true });
      }
    },
  );

  it('through the addresses that clients of Azure and Cohere build', async () => {
    const inAzure = ['messages', 'messages/count_tokens', 'moderations', 'rerank'];
    for (const [path, name, body] of endpoints) {
      const model =
        (body() as { model?: string }).model ?? (path.startsWith('images') ? 'gpt-image' : 'whisper');
      const addresses = [`/openai/v1/${path}`];
      if (!inAzure.includes(path)) addresses.push(`/openai/${path}`, `/openai/deployments/${model}/${path}`);
      if (path === 'rerank') addresses.push('/v2/rerank');
      for (const address of addresses) {
        tenkey.provider.reset();
        tenkey.provider.next({ echoRequestHeaders: true });
        expect([address, (await platform('POST', address, body())).status]).toEqual([address, 200]);
        expect(tenkey.provider.requests.map(({ key }) => key === sentinels[name])).toEqual([true]);
        tenkey.provider.next({
          status: 401,
          body: { error: { message: `Incorrect key: ${sentinels[name]}` } },
        });
        expect((await platform('POST', address, body())).code).toBe('credential_rejected');
      }
    }
    for (const path of [
      '/openai/models',
      '/openai/models/gpt-4o',
      '/openai/v1/models',
      '/openai/v1/models/gpt-4o',
    ]) {
      expect((await platform('GET', path)).status).toBe(200);
    }
    expect((await platform('GET', '/openai/v1/usage')).status).toBe(200);
  });

  it('of a stored response, at each of its addresses', async () => {
    for (const prefix of ['/v1', '/openai/v1', '/openai']) {
      const body = { model: 'gpt-4o', input: 'one two three', background: true };
      const made = JSON.parse((await platform('POST', `${prefix}/responses`, body)).text) as { id: string };
      const path = `${prefix}/responses/${made.id}`;
      for (const [method, each] of [
        ['GET', path],
        ['GET', `${path}/input_items`],
        ['POST', `${path}/cancel`],
        ['DELETE', path],
      ] as const) {
        tenkey.provider.next({
          status: 400,
          body: { error: { message: `Incorrect key: ${sentinels.openai}` } },
        });
        expect((await platform(method, each)).status).toBe(400);
        expect([method, each, (await platform(method, each)).status]).toEqual([method, each, 200]);
      }
    }
  });

  it('when a client presents a wrong key, in whatever place', async () => {
    const { presented } = sentinels;
    const wrong = [presented, sentinels.openai, sentinels.anthropic, sentinels.azure];
    const paths = [
      '/api/v1/sysadmin/tenants',
      `/api/v1/sysadmin/tenants/${tenantId()}/credentials`,
      '/v1/models',
      '/openai/models',
    ];
    for (const key of [...wrong, sentinels.super, sentinels.platform, sentinels.encryption]) {
      const encoded = encodeURIComponent(key);
      const basic = Buffer.from(`user:${key}`).toString('base64');
      for (const path of paths) {
        for (const [suffix, headers] of [
          ['', { 'x-api-key': `${key}x` }],
          ['', { 'api-key': `${key}x` }],
          ['', { authorization: `Bearer ${key}` }],
          ['', { authorization: `Basic ${basic}` }],
          [
            '',
            {
              authorization: key,
              cookie: `key=${encoded}; tenkey_session=${encoded}`,
              'x-request-id': key,
              referer: `http://a/${encoded}`,
            },
          ],
          [`?api_key=${encoded}&x-api-key=${encoded}`, {}],
          [`/${encoded}`, {}],
          [`/%zz${encoded}`, {}],
        ] as const) {
          const answer = await ask('GET', path + suffix, headers);
          expect([path, suffix.slice(0, 2), answer.status, answer.code]).toEqual([
            path,
            suffix.slice(0, 2),
            401,
            'unauthenticated',
          ]);
        }
        expect((await ask('POST', path, { 'x-api-key': `${key}x` }, { api_key: key })).status).toBe(401);
      }
      const headers = { 'x-api-key': sentinels.platform, 'x-tenant-id': key };
      expect((await ask('GET', '/v1/models', headers)).code).toBe(
        key === sentinels.platform ? 'tenant_not_found' : 'malformed_request',
      );
    }
  });

  it('on routes without a key, routes that do not exist and wrong methods', async () => {
    const key = { 'x-api-key': sentinels.super };
    for (const secret of Object.values(sentinels)) {
      const encoded = encodeURIComponent(secret);
      for (const path of ['/', '/health', '/ready', '/docs', '/docs/openapi.json', '/docs/openapi.yaml']) {
        const answer = await ask('GET', `${path}?key=${encoded}`, { 'x-api-key': secret });
        expect([200, 302]).toContain(answer.status);
        expect((await ask('POST', `${path}?key=${encoded}`, key, { secret })).status).toBe(405);
      }
      for (const path of [`/${encoded}`, `/docs/${encoded}`, `/${encoded}/%ff`]) {
        expect((await ask('GET', path, { 'x-api-key': secret })).status).toBeGreaterThanOrEqual(400);
      }
      expect((await sysadmin('GET', `/${encoded}`)).code).toBe('route_not_found');
      expect(
        (await sysadmin('PATCH', `/tenants/${tenantId()}/credentials/${encoded}`, { secret })).code,
      ).toBe('method_not_allowed');
      expect((await platform('GET', `/v1/${encoded}`)).code).toBe('route_not_found');
    }
    // A key that has the form of a tenant id, in place of the id, which is the only part of a path that the audit records.
    expect((await sysadmin('DELETE', `/tenants/${sentinels.platform}`)).code).toBe('tenant_not_found');
  });

  const by = { actor: 'test', requestId: 'r', address: 'local' };

  it('while everything is sealed again', async () => {
    await tenkey.nest.get(RotationService).start(by);
    expect((await sysadmin('POST', '/encryption/rotation/pause')).status).toBe(200);
    expect((await sysadmin('POST', '/encryption/rotation')).status).toBe(202);
    const shown = async () => JSON.parse((await sysadmin('GET', '/encryption')).text);
    await until(async () => (await shown()).rotation.state === 'finished', 'the end of the rotation');
  });

  it('while the credentials of all tenants are listed and verified', async () => {
    await tenkey.nest.get(VerificationRunService, { strict: false }).start({}, by);
    expect((await sysadmin('POST', '/credentials/verify/pause')).status).toBe(200);
    expect((await sysadmin('POST', '/credentials/verify?resume=true')).status).toBe(202);
    const shown = async () => JSON.parse((await sysadmin('GET', '/credentials/verify')).text);
    await until(async () => (await shown()).verification.state === 'finished', 'the end of the verification');
    expect((await sysadmin('GET', '/credentials')).status).toBe(200);
    expect((await sysadmin('GET', '/credentials?format=csv')).status).toBe(200);
  });

  it('from any documented route, each with a successful response', async () => {
    const document = JSON.parse((await ask('GET', '/docs/openapi.json')).text) as {
      paths: Record<string, object>;
    };
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    );
    const succeeded = new Set(
      tenkey.logLines
        .map((line) => JSON.parse(line) as { method?: string; path?: string; status?: number })
        .filter(({ status }) => status !== undefined && status < 300)
        .map(({ method, path }) => `${method} ${path}`),
    );
    expect(documented.filter((route) => !succeeded.has(route))).toEqual([]);
    expect(documented.length).toBeGreaterThan(10);
  });

  it('from one call to the next, since each opens its credential once', async () => {
    const decrypt = jest.spyOn(FernetService.prototype, 'open' as never);
    try {
      let opened = 0;
      const opensOne = async (call: () => Promise<Answer>) => {
        await call();
        opened += 1;
        expect(decrypt).toHaveBeenCalledTimes(opened);
      };
      for (const [, model] of sentinelModels) {
        await opensOne(() => chat(model));
        await opensOne(() => chat(model));
      }
      await opensOne(() => chat('gpt-4o', { stream: true }));
      tenkey.provider.next({ status: 500 });
      await opensOne(() => chat('gpt-4o'));
      await platform('GET', '/v1/models');
      await chat('no-such-model');
      expect(decrypt).toHaveBeenCalledTimes(opened);
    } finally {
      decrypt.mockRestore();
    }
  });

  it('into any table of the database', async () => {
    const tables = await tenkey.database.query<{ name: string }[]>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
    );
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['public.tenant_credentials', 'public.credential_slots']),
    );
    let rows = 0;
    for (const { name } of tables) {
      const dump = await tenkey.database.query<{ row: string }[]>(`SELECT t::text AS row FROM ${name} t`);
      rows += dump.length;
      expect([name, dump.flatMap(({ row }) => leaksIn(row))]).toEqual([name, []]);
    }
    expect(rows).toBeGreaterThanOrEqual(6);
  });

  it('when the database fails in the middle of a request', async () => {
    const refuse = 'ALTER TABLE tenant_credentials ADD CONSTRAINT refused CHECK (false) NOT VALID';
    await tenkey.database.query(refuse);
    expect((await put('openai', { api_key: sentinels.openai })).code).toBe('internal_error');
    await tenkey.database.query(`ALTER TABLE tenant_credentials DROP CONSTRAINT refused`);
    // PostgreSQL's own message then repeats the row.
    await tenkey.database.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'refused %', NEW; END $$`,
    );
    await tenkey.database.query(
      `CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON tenant_credentials FOR EACH ROW EXECUTE FUNCTION refuse()`,
    );
    expect((await put('openai', { api_key: sentinels.openai })).code).toBe('internal_error');
    await tenkey.database.query('DROP TABLE tenant_credentials CASCADE');
    // No trigger fires when a table is dropped.
    await tenkey.nest.get(ChangesService).inForce('all');
    for (const [name, model] of sentinelModels) {
      expect((await put(name, name === 'azure' ? azureFields() : { api_key: sentinels[name] })).code).toBe(
        'internal_error',
      );
      expect((await chat(model)).code).toBe('internal_error');
    }
    expect((await sysadmin('GET', `/tenants/${tenantId()}/credentials`)).code).toBe('internal_error');
    expect((await ask('GET', '/ready')).status).toBe(503);
    await tenkey.database.destroy();
    expect((await put('openai', { api_key: sentinels.openai })).code).toBe('credential_store_unavailable');
    expect((await chat('gpt-4o')).code).toBe('credential_store_unavailable');
    expect((await sysadmin('GET', '/tenants')).code).toBe('credential_store_unavailable');
    expect((await ask('GET', '/ready')).status).toBe(503);
    expect(answers.length).toBeGreaterThan(500);
    expect(tenkey.logLines.length).toBeGreaterThan(500);
  });
});
