import crypto, { createHash, randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import OpenAI from 'openai';
import { type Response } from 'supertest';
import { issueKey } from '../libs/issued-keys/issued-key';
import { describeWithApp, platformKey, startTestApp } from './support/app';
import { issueTenantKey } from './support/keys';
import { until } from './support/until';

const messages = [{ role: 'user', content: 'hello' }];

describeWithApp('a tenant key', (tenkey) => {
  let tenant: string;
  beforeEach(async () => {
    tenkey.provider.reset();
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: `sk-of-${tenant}` });
  });

  const chat = (key: string, body: object = {}, headers: Record<string, string> = {}) =>
    tenkey
      .http()
      .post('/v1/chat/completions')
      .set({ authorization: `Bearer ${key}`, ...headers })
      .send({ model: 'gpt-4o', messages, ...body });
  const get = (key: string, path: string) => tenkey.http().get(path).set('authorization', `Bearer ${key}`);
  const outcome = ({ status, body }: Response) => [status, body.error?.code ?? body.code];
  const keysOf = (tenantId: string) => tenkey.sysadmin('get', `/tenants/${tenantId}/keys`);

  it("is shown once, and then opens the platform API with its tenant's own credential", async () => {
    const made = await tenkey.sysadmin('post', `/tenants/${tenant}/keys`).send({ name: '  chat assistant ' });
    expect([made.status, made.headers['cache-control']]).toEqual([201, 'no-store']);
    const { key, ...shown } = made.body;
    expect(key).toMatch(/^tk_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}$/);
    expect(shown).toEqual({
      id: key.slice(3, 14),
      tenant_id: tenant,
      name: 'chat assistant',
      prefix: key.slice(0, 14),
      masked_key: `...${key.slice(-4)}`,
      allowed_models: null,
      requests_per_minute: null,
      tokens_per_minute: null,
      expires_at: null,
      status: 'active',
      last_used_at: null,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect((await keysOf(tenant)).body).toEqual({ items: [shown], count: 1 });
    expect((await tenkey.sysadmin('get', `/tenants/${tenant}/keys/${shown.id}`)).body).toEqual(shown);

    const answer = await chat(key);
    expect(answer.status).toBe(200);
    expect(tenkey.provider.requests.map((request) => request.key)).toEqual([`sk-of-${tenant}`]);
    expect(JSON.stringify(tenkey.provider.requests)).not.toContain(key.slice(3));
    expect((await get(key, '/v1/models')).status).toBe(200);
    const line = tenkey.logLines
      .map((text) => JSON.parse(text))
      .findLast(({ path }) => path === '/v1/chat/completions');
    expect(line).toMatchObject({ tenant, key: shown.id });
  });

  it("works in OpenAI's client, and in x-api-key where Anthropic's clients send it", async () => {
    const { key } = await issueTenantKey(tenkey, tenant);
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const baseURL = `http://127.0.0.1:${port}/v1`;
    const client = new OpenAI({ apiKey: key, baseURL, maxRetries: 0 });
    const completion = await client.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'hello' }],
    });
    expect(completion.choices).toHaveLength(1);
    const stranger = new OpenAI({ apiKey: issueKey('tk').text.expose(), baseURL, maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    const message = await tenkey
      .http()
      .post('/v1/messages')
      .set({ 'x-api-key': key, 'anthropic-version': '2023-06-01' })
      .send({ model: 'gpt-4o', max_tokens: 10, messages });
    expect([message.status, message.body.type]).toEqual([200, 'message']);
    expect((await tenkey.http().get('/v1/models').set('x-api-key', key)).status).toBe(200);
    expect(tenkey.provider.requests.map((request) => request.key)).toEqual(Array(2).fill(`sk-of-${tenant}`));
  });

  it('is only for its own tenant, whatever X-Tenant-ID says', async () => {
    const other = await tenkey.createTenant();
    await tenkey.setCredential(other, 'openai', { api_key: `sk-of-${other}` });
    const { key } = await issueTenantKey(tenkey, tenant);
    expect((await chat(key, {}, { 'x-tenant-id': tenant.toUpperCase() })).status).toBe(200);
    for (const named of [other, randomUUID(), 'x', `${tenant} `, `${tenant},${other}`]) {
      const answer = await chat(key, {}, { 'x-tenant-id': named });
      // Spaces around a header's value are not a part of the value.
      expect(outcome(answer)).toEqual(named.trim() === tenant ? [200, undefined] : [403, 'forbidden']);
    }
    expect(new Set(tenkey.provider.requests.map((request) => request.key))).toEqual(
      new Set([`sk-of-${tenant}`]),
    );
    const both = await chat(key, {}, { 'x-api-key': platformKey, 'x-tenant-id': other });
    expect(both.status).toBe(200);
    expect(tenkey.provider.requests.at(-1)?.key).toBe(`sk-of-${other}`);
    const foreign = await tenkey.sysadmin('delete', `/tenants/${other}/keys/${key.slice(3, 14)}`);
    expect(foreign.body.deleted).toBe(false);
    expect((await tenkey.sysadmin('get', `/tenants/${other}/keys/${key.slice(3, 14)}`)).body.code).toBe(
      'key_not_found',
    );
    expect((await chat(key)).status).toBe(200);
  });

  it('does what a change says from its response on, and is still the same key', async () => {
    const { id, key } = await issueTenantKey(tenkey, tenant, { expires_at: '2099-01-31T00:00:00Z' });
    const change = (body: object) => tenkey.sysadmin('put', `/tenants/${tenant}/keys/${id}`).send(body);
    expect((await chat(key)).status).toBe(200);
    const limited = { name: 'limited', allowed_models: ['claude-sonnet'], requests_per_minute: 5 };
    const changed = await change(limited);
    expect([changed.status, changed.body]).toMatchObject([200, { id, ...limited, expires_at: null }]);
    expect(outcome(await chat(key))).toEqual([403, 'forbidden']);
    // When it was used is written at some time after the call.
    const { last_used_at: _, ...same } = changed.body;
    expect((await change(limited)).body).toMatchObject(same);
    expect((await change({ name: 'a', expires_at: '2001-01-01T00:00:00Z' })).body.errors[0].path).toBe(
      'expires_at',
    );
    expect((await change({ name: 'open' })).status).toBe(200);
    expect((await chat(key)).status).toBe(200);
    const { body } = await tenkey.sysadmin('get', `/audit-events?tenant_id=${tenant}&action=key.update`);
    expect(body.items.map(({ details }: any) => [details.before.name, details.after.name])).toEqual([
      ['limited', 'open'],
      [expect.any(String), 'limited'],
    ]);
    const other = await tenkey.createTenant();
    const foreign = await tenkey.sysadmin('put', `/tenants/${other}/keys/${id}`).send({ name: 'a' });
    expect([foreign.status, foreign.body.code]).toEqual([404, 'key_not_found']);
  });

  it('is never mixed up with another in simultaneous calls', async () => {
    const callers = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const id = await tenkey.createTenant();
        await tenkey.setCredential(id, 'openai', { api_key: `sk-of-${id}` });
        return { id, key: (await issueTenantKey(tenkey, id)).key };
      }),
    );
    const answers = await Promise.all(
      Array.from({ length: 300 }, async (_, call) => {
        const { id, key } = callers[call % callers.length]!;
        const content = `${id} call ${call}`;
        const { status, text } = await chat(key, { messages: [{ role: 'user', content }] });
        return [status, text.includes(content)];
      }),
    );
    expect(answers).toEqual(Array(300).fill([200, true]));
    expect(tenkey.provider.requests).toHaveLength(300);
    for (const { key, body } of tenkey.provider.requests) {
      expect(key).toBe(`sk-of-${body.messages[0].content.split(' ')[0]}`);
    }
  });

  it('that is mistyped, unknown, wrong, expired, revoked or of a deleted tenant gets the same response', async () => {
    const { id, key } = await issueTenantKey(tenkey, tenant);
    const soon = await issueTenantKey(tenkey, tenant, {
      expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    });
    const revoked = await issueTenantKey(tenkey, tenant);
    const gone = await tenkey.createTenant();
    const orphan = await issueTenantKey(tenkey, gone);
    expect((await chat(soon.key)).status).toBe(200);
    await tenkey.edit(`update tenant_keys set expires_at = now() where id = $1`, [soon.id]);
    const removed = await tenkey.sysadmin('delete', `/tenants/${tenant}/keys/${revoked.id}`);
    expect(removed.body).toEqual({
      tenant_id: tenant,
      id: revoked.id,
      message: 'The key is revoked.',
      deleted: true,
    });
    expect((await tenkey.sysadmin('delete', `/tenants/${tenant}/keys/${revoked.id}`)).body.deleted).toBe(
      false,
    );
    await tenkey.sysadmin('delete', `/tenants/${gone}`);

    const unknown = issueKey('tk');
    // A well-formed key with the id of an existing key.
    await tenkey.edit(`update tenant_keys set id = $1 where id = $2`, [unknown.id, id]);
    const cases = [
      key.slice(0, -1),
      key.toUpperCase(),
      key,
      unknown.text.expose(),
      soon.key,
      revoked.key,
      orphan.key,
    ];
    const answers = new Set<string>();
    for (const each of cases) {
      const answer = await chat(each);
      expect(outcome(answer)).toEqual([401, 'unauthenticated']);
      expect(answer.headers['www-authenticate']).toContain('Bearer');
      answers.add(answer.text);
    }
    expect(answers.size).toBe(1);
    expect((await keysOf(tenant)).body.items.map(({ status }: { status: string }) => status)).toEqual([
      'expired',
      'active',
    ]);
  });

  it('is found only by its id, and its hash is compared as a whole and in constant time', async () => {
    const { id, key } = await issueTenantKey(tenkey, tenant);
    const hash = createHash('sha256').update(key).digest('hex');
    const other = (digit: string) => (digit === '0' ? '1' : '0');
    const compare = jest.spyOn(crypto, 'timingSafeEqual');
    try {
      for (const [stored, status] of [
        [hash, 200],
        [other(hash[0]!) + hash.slice(1), 401],
        [hash.slice(0, -1) + other(hash.at(-1)!), 401],
      ] as const) {
        await tenkey.edit('update tenant_keys set key_hash = $1 where id = $2', [stored, id]);
        await tenkey.inForce();
        compare.mockClear();
        expect((await get(key, '/v1/models')).status).toBe(status);
        const compared = compare.mock.calls.map((buffers) => buffers.map(String));
        expect(compared).toContainEqual([stored, hash]);
      }
    } finally {
      compare.mockRestore();
    }
  });

  it('of a suspended tenant is refused with that reason, and works again afterwards', async () => {
    const { key } = await issueTenantKey(tenkey, tenant);
    await tenkey.sysadmin('patch', `/tenants/${tenant}`).send({ state: 'suspended' });
    expect(outcome(await chat(key))).toEqual([403, 'tenant_suspended']);
    expect(outcome(await get(key, '/v1/models'))).toEqual([403, 'tenant_suspended']);
    await tenkey.sysadmin('patch', `/tenants/${tenant}`).send({ state: 'active' });
    expect((await chat(key)).status).toBe(200);
  });

  it('with allowed models can call and list only those, on every endpoint', async () => {
    const { key } = await issueTenantKey(tenkey, tenant, {
      // The last one starts like a key, but is not one.
      allowed_models: ['gpt-4o', 'not-yet-there', 'xai-grok-4-fast'],
    });
    expect((await chat(key)).status).toBe(200);
    expect(tenkey.provider.requests).toHaveLength(1);
    expect((await get(key, '/v1/models')).body.data.map(({ id }: { id: string }) => id)).toEqual(['gpt-4o']);
    expect((await get(key, '/v1/models/gpt-4o')).status).toBe(200);
    expect(outcome(await get(key, '/v1/models/mistral-large'))).toEqual([403, 'forbidden']);
    const post = (path: string, body: object) =>
      tenkey.http().post(`/v1/${path}`).set('authorization', `Bearer ${key}`).send(body);
    const model = 'gpt-4o-mini-of-nobody';
    const refused = [
      // The response does not reveal whether such a model exists.
      await chat(key, { model: 'mistral-large' }),
      await chat(key, { model }),
      await chat(key, { model: 'GPT-4o' }),
      await post('completions', { model, prompt: 'x' }),
      await post('responses', { model, input: 'x' }),
      await post('messages', { model, max_tokens: 1, messages }),
      await post('messages/count_tokens', { model, messages }),
      await post('embeddings', { model: 'text-embedding-3-small', input: 'x' }),
      await post('moderations', { model, input: 'x' }),
      await post('images/generations', { model, prompt: 'x' }),
      await post('images/edits', { model, prompt: 'x' }),
      await post('rerank', { model, query: 'x', documents: ['y'] }),
      await post('audio/speech', { model, input: 'x', voice: 'alloy' }),
      await tenkey
        .http()
        .post('/v1/audio/transcriptions')
        .set('authorization', `Bearer ${key}`)
        .field('model', 'whisper')
        .attach('file', Buffer.from('sound'), 'sound.wav'),
    ];
    expect(refused.map(outcome)).toEqual(Array(refused.length).fill([403, 'forbidden']));
    expect(refused[0]!.body.error).toMatchObject({ type: 'permission_error', param: 'model' });
    expect(refused[0]!.body.error.message).toContain('allowed models');
    expect(outcome(await chat(key, { model: 'not-yet-there' }))).toEqual([404, 'model_not_found']);
    expect(tenkey.provider.requests).toHaveLength(1);
  });

  it('with a limit may send again after a minute, even when the clock was set back meanwhile', async () => {
    const { key } = await issueTenantKey(tenkey, tenant, { requests_per_minute: 1 });
    const statusOf = async () => (await get(key, '/v1/models')).status;
    expect([await statusOf(), await statusOf()]).toEqual([200, 429]);
    const [wall, elapsed] = [Date.now(), performance.now()];
    const clocks = [
      jest.spyOn(Date, 'now').mockReturnValue(wall - 3_600_000),
      jest.spyOn(performance, 'now').mockReturnValue(elapsed + 62_000),
    ];
    try {
      expect([await statusOf(), await statusOf()]).toEqual([200, 429]);
    } finally {
      for (const clock of clocks) clock.mockRestore();
    }
  });

  it('with a limit sends no more requests than that in a minute, and learns when to retry', async () => {
    const limited = await issueTenantKey(tenkey, tenant, { requests_per_minute: 3 });
    const free = await issueTenantKey(tenkey, tenant);
    const answers = await Promise.all(Array.from({ length: 8 }, () => chat(limited.key)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 429, 429, 429, 429, 429]);
    expect(tenkey.provider.requests).toHaveLength(3);
    const refused = await get(limited.key, '/v1/models');
    expect(refused.body.error).toMatchObject({ type: 'rate_limit_error', code: 'rate_limited' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50);
    const message = await tenkey.http().post('/v1/messages').set('x-api-key', limited.key).send('{"broken');
    expect([message.status, message.body.type, message.body.error.type]).toEqual([
      429,
      'error',
      'rate_limit_error',
    ]);
    expect((await chat(free.key)).status).toBe(200);
    const other = await startTestApp({}, { databaseUrl: tenkey.databaseUrl });
    try {
      // All processes count together.
      expect((await other.http().get('/v1/models').set('x-api-key', limited.key)).status).toBe(429);
    } finally {
      await other.close();
    }
  });

  it('has the time of its last use, written once a minute and never at the cost of a call', async () => {
    const { id, key } = await issueTenantKey(tenkey, tenant);
    const lastUse = async () =>
      (await tenkey.sysadmin('get', `/tenants/${tenant}/keys/${id}`)).body.last_used_at;
    const noted = async (before: string | null): Promise<string> => {
      await until(async () => (await lastUse()) !== before, 'the note of a use');
      return lastUse();
    };
    const chatAfter = async (ms: number) => {
      const later = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + ms);
      const { status } = await chat(key);
      later.mockRestore();
      return status;
    };
    await chat(key);
    const first = await noted(null);
    expect(Math.abs(Date.parse(first) - Date.now())).toBeLessThan(30_000);
    await Promise.all(Array.from({ length: 5 }, () => chat(key)));
    expect(await lastUse()).toBe(first);
    await tenkey.edit(`update tenant_keys set last_used_at = now() - interval '61 seconds' where id = $1`, [
      id,
    ]);
    const older = await lastUse();
    expect(await chatAfter(61_000)).toBe(200);
    expect(Date.parse(await noted(older))).toBeGreaterThanOrEqual(Date.parse(first));

    await tenkey.edit(`update tenant_keys set last_used_at = null where id = $1`, [id]);
    await tenkey.database.query(
      'alter table tenant_keys add constraint unused check (last_used_at is null) not valid',
    );
    const warn = jest.spyOn(Logger.prototype, 'warn');
    for (const count of [1, 2]) {
      expect(await chatAfter(130_000)).toBe(200);
      await until(() => warn.mock.calls.length === count, 'the write that is refused');
    }
    expect(warn).toHaveBeenCalledWith(`the last use of key ${id} was not noted: QueryFailedError`);
    warn.mockRestore();
    await tenkey.database.query('alter table tenant_keys drop constraint unused');
    expect(await chatAfter(130_000)).toBe(200);
    await noted(null);
  });

  it('is never in a response, log line or table after it was issued, in any spelling, except as its hash', async () => {
    const { key } = await issueTenantKey(tenkey, tenant);
    const secret = key.slice(15);
    const spellings = [
      key,
      secret,
      secret.slice(0, 43),
      ...[key, secret].flatMap((text) =>
        [0, 1, 2].map((offset) =>
          Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
            .toString('base64')
            .slice(offset && 4, -4),
        ),
      ),
      Buffer.from(secret).toString('hex'),
    ].map((text) => text.toLowerCase());
    const leaksIn = (text: string) => spellings.filter((each) => text.toLowerCase().includes(each)).length;
    expect(leaksIn(Buffer.from(`Bearer ${key}`).toString('base64'))).toBeGreaterThan(0);

    const path = `/tenants/${tenant}/keys`;
    const answers = [
      await chat(key),
      await chat(key, { model: 'no-such-model' }),
      await chat(key, { messages: [{ role: 'user', content: 'x' }], stream: true }),
      await chat(`${key}x`),
      await chat(key, {}, { 'x-tenant-id': key }),
      await tenkey.http().get(`/v1/models/${key}`).set('x-api-key', key),
      await tenkey.http().get(`/v1/${key}?key=${key}`).set('authorization', `Bearer ${key}`),
      await tenkey.http().get(`/v1/%zz${key}`).set('authorization', `Bearer ${key}`),
      await tenkey.http().get(`/api/v1/sysadmin/tenants?key=${key}`).set('x-api-key', key),
      await tenkey.http().get(`/api/v1/sysadmin${path}/${key}`).set('authorization', `Bearer ${key}`),
      await tenkey.sysadmin('get', path),
      await tenkey.sysadmin('post', path).send({ name: key }),
      await tenkey
        .sysadmin('post', path)
        .send({ name: 'a', allowed_models: { [key]: key }, expires_at: key }),
      await tenkey.sysadmin('get', `${path}/${key}`),
      await tenkey.sysadmin('delete', `${path}/${key}`),
      await tenkey.sysadmin('get', '/audit-events?limit=1000'),
    ];
    tenkey.provider.next({ echoRequestHeaders: true, status: 500, body: 'no' });
    answers.push(await chat(key));
    await tenkey.database.query('alter table tenants rename to tenants_gone');
    answers.push(await chat(key), await tenkey.sysadmin('post', path).send({ name: 'a' }));
    await tenkey.database.query('alter table tenants_gone rename to tenants');
    expect(answers.map((answer) => leaksIn(`${JSON.stringify(answer.headers)}\n${answer.text}`))).toEqual(
      Array(answers.length).fill(0),
    );
    expect(leaksIn(tenkey.logLines.join('\n'))).toBe(0);
    expect(leaksIn(JSON.stringify(tenkey.provider.requests))).toBe(0);
    const tables = await tenkey.database.query(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    expect(tables.length).toBeGreaterThan(6);
    for (const { name } of tables) {
      const rows = await tenkey.database.query(`select t::text as row from ${name} t`);
      expect([name, leaksIn(JSON.stringify(rows))]).toEqual([name, 0]);
    }
  });
});

describe('when the database is unavailable', () => {
  it('a mistyped key is still 401, since it is not looked up, and a well-formed one is 503 without any call', async () => {
    const tenkey = await startTestApp();
    const tenant = await tenkey.createTenant();
    const { key } = await issueTenantKey(tenkey, tenant);
    await tenkey.database.destroy();
    const ask = async (headers: Record<string, string>, path = '/v1/models') => {
      const { status, body } = await tenkey.http().get(path).set(headers);
      return [status, body.error?.code ?? body.code];
    };
    const away = [503, 'credential_store_unavailable'];
    const refused = [401, 'unauthenticated'];
    expect(await ask({ authorization: `Bearer ${key}` })).toEqual(away);
    expect(await ask({ authorization: `Bearer ${key}` }, '/v1/no-such-route')).toEqual(away);
    expect(await ask({ authorization: `Bearer ${key}` }, '/v1/%zz')).toEqual(away);
    expect(await ask({ 'x-api-key': issueKey('tks').text.expose() }, '/api/v1/sysadmin/tenants')).toEqual(
      away,
    );
    const swapped = key.slice(0, 20) + key.charAt(21) + key.charAt(20) + key.slice(22);
    for (const mistyped of [
      key.slice(0, -1),
      `${key}0`,
      swapped === key ? key.slice(1) : swapped,
      'tk_',
      'x',
    ]) {
      expect(await ask({ authorization: `Bearer ${mistyped}` })).toEqual(refused);
      expect(await ask({ 'x-api-key': mistyped })).toEqual(refused);
      expect(await ask({ 'x-api-key': mistyped }, '/api/v1/sysadmin/tenants')).toEqual(refused);
    }
    expect(await ask({ 'x-api-key': key }, '/api/v1/sysadmin/tenants')).toEqual(refused);
    expect(tenkey.provider.requests).toHaveLength(0);
    await tenkey.close();
  });
});
