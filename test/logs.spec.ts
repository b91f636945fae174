import { once } from 'node:events';
import { connect } from 'node:net';
import { AuditLogService } from '#audit';
import { describeWithApp, platformKey, superKey } from './support/app';
import { issueTenantKey } from './support/keys';
import { until } from './support/until';

describeWithApp('the log', { LOG_LEVEL: 'info', UPSTREAM_TIMEOUTS: 'first_byte=1' }, (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-logged-as-a-mask-q7w8' });
  });

  /** The log lines of one request, by the id in its response. */
  async function linesOf(id: string | undefined): Promise<Record<string, unknown>[]> {
    // The line is written after the response was sent.
    await new Promise((done) => setTimeout(done, 50));
    return tenkey.logLines.map((line) => JSON.parse(line)).filter((line) => line.request_id === id);
  }

  it('has one JSON line for each call: who, what, where, whose key, the outcome and the duration', async () => {
    for (const extra of [{}, { stream: true }]) {
      const answer = await tenkey.chat(tenant, extra);
      const lines = await linesOf(answer.headers['x-tenkey-request-id']);
      expect(lines).toEqual([
        expect.objectContaining({
          level: 30,
          method: 'POST',
          path: '/v1/chat/completions',
          status: 200,
          duration_ms: expect.any(Number),
          tenant,
          model: 'gpt-4o',
          adapter: 'litellm',
          provider: 'openai',
          source: 'tenant',
          mask: '...q7w8',
          version: expect.any(String),
        }),
      ]);
    }
  });

  it('says which credential a failed call used, and the cause where the fault is not the client’s', async () => {
    tenkey.provider.rejectKey('sk-logged-as-a-mask-q7w8');
    const rejected = await tenkey.chat(tenant);
    expect(await linesOf(rejected.headers['x-tenkey-request-id'])).toEqual([
      expect.objectContaining({
        status: 424,
        code: 'credential_rejected',
        mask: '...q7w8',
        provider: 'openai',
      }),
    ]);
    tenkey.provider.reset();
    tenkey.provider.next({ status: 500 });
    const failed = await tenkey.chat(tenant);
    expect(await linesOf(failed.headers['x-tenkey-request-id'])).toEqual([
      expect.objectContaining({
        level: 50,
        status: 502,
        code: 'upstream_unavailable',
        err: expect.any(Object),
      }),
    ]);
  });

  it.each([
    ['a whole response', {}, {}, undefined],
    ['a whole stream', { stream: true }, {}, undefined],
    ['a refused request', {}, { status: 400 }, 'upstream_rejected_request'],
    ['a refused credential', {}, { status: 401 }, 'credential_rejected'],
    ['a forbidden credential', {}, { status: 403 }, 'credential_rejected'],
    ['a model that the provider does not have', {}, { status: 404 }, 'upstream_rejected_request'],
    ['a limited rate', {}, { status: 429 }, 'upstream_rate_limited'],
    ['a fault of the provider', {}, { status: 500 }, 'upstream_unavailable'],
    ['a response that does not arrive in time', {}, { delayMs: 3000 }, 'upstream_timeout'],
    ['a stream that breaks off', { stream: true }, { breakAfterChunks: 2 }, 'upstream_unavailable'],
    ['a redirect', {}, { status: 302 }, 'upstream_unavailable'],
  ] as const)(
    'names the one credential of a call, by mask and version, after %s',
    async (_, body, next, code) => {
      tenkey.provider.reset();
      const before = (await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`)).body.credentials[0];
      tenkey.provider.next(next);
      const answer = await tenkey.chat(tenant, body);
      const lines = await linesOf(answer.headers['x-tenkey-request-id']);
      expect(lines).toEqual([
        expect.objectContaining({
          tenant,
          model: 'gpt-4o',
          provider: 'openai',
          source: 'tenant',
          mask: '...q7w8',
          version: before.version,
        }),
      ]);
      expect(lines[0]!.code).toBe(code);
      expect(answer.headers['x-tenkey-credential']).toBe(`openai/...q7w8/v${before.version}`);
    },
  );

  it('has no line for a probe that succeeds, unless LOG_LEVEL is debug, and one for a probe that is refused', async () => {
    for (const path of ['/health', '/ready', '/api/v1/sysadmin/metrics']) {
      const probe = await tenkey.http().get(path).set('x-api-key', superKey);
      expect([path, probe.status, await linesOf(probe.headers['x-tenkey-request-id'])]).toEqual([
        path,
        200,
        [],
      ]);
    }
    const refused = await tenkey.http().get('/api/v1/sysadmin/metrics');
    expect(await linesOf(refused.headers['x-tenkey-request-id'])).toEqual([
      expect.objectContaining({ level: 30, status: 401 }),
    ]);
  });

  describe('ids of the client', () => {
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const hex = '0af7651916cd43dd8448eb211c80319c';

    it.each([
      ['a whole response', {}, {}, 200],
      ['a stream', { stream: true }, {}, 200],
      ['a refused request', {}, { status: 400 }, 400],
      ['a fault of the provider', {}, { status: 500 }, 502],
    ] as const)(
      'are in response, log and usage record of %s, and its trace goes upstream',
      async (_, body, next, status) => {
        tenkey.provider.reset();
        tenkey.provider.next(next);
        const answer = await tenkey
          .chat(tenant, body)
          .set({ 'X-Request-ID': hex, traceparent: trace, tracestate: 'a=1' });
        expect([answer.status, answer.headers['x-client-request-id']]).toEqual([status, hex]);
        const id = answer.headers['x-tenkey-request-id'];
        expect(await linesOf(id)).toEqual([expect.objectContaining({ client_request_id: hex })]);
        await until(async () => {
          const { items } = (await tenkey.sysadmin('get', '/usage/records?limit=1')).body;
          return items[0]?.request_id === id && items[0].client_request_id === hex;
        }, 'the record names the id of the client');
        const [sent] = tenkey.provider.requests;
        expect([sent!.headers.traceparent, sent!.headers.tracestate]).toEqual([trace, undefined]);
      },
    );

    it('go upstream with a translated call, and come back from every route', async () => {
      tenkey.provider.reset();
      const message = { model: 'gpt-4o', max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] };
      await tenkey.call(tenant, 'messages', message).set('traceparent', trace);
      expect(tenkey.provider.requests[0]!.headers.traceparent).toBe(trace);
      for (const path of ['/', '/no-such-route', '/v1/models', '/api/v1/sysadmin/tenants', '/%zz']) {
        const answer = await tenkey.http().get(path).set('X-Client-Request-Id', 'a.b_c:1-2');
        expect([path, answer.headers['x-client-request-id']]).toEqual([path, 'a.b_c:1-2']);
        expect(await linesOf(answer.headers['x-tenkey-request-id'])).toEqual([
          expect.objectContaining({ client_request_id: 'a.b_c:1-2' }),
        ]);
      }
    });

    it.each<[string, Record<string, string>, string | undefined]>([
      ['both', { 'X-Request-ID': 'of-a-proxy', 'X-Client-Request-Id': 'own' }, 'own'],
      [
        'an own one that is not valid',
        { 'X-Request-ID': 'of-a-proxy', 'X-Client-Request-Id': 'a b' },
        'of-a-proxy',
      ],
      [
        '128 characters',
        { 'X-Request-ID': '1'.repeat(96) + '.'.repeat(32) },
        '1'.repeat(96) + '.'.repeat(32),
      ],
      ['129 characters', { 'X-Request-ID': '.'.repeat(129) }, undefined],
      ['none', { 'X-Request-ID': '' }, undefined],
      ['other characters', { 'X-Request-ID': 'a/b' }, undefined],
      ['a tenant key', { 'X-Request-ID': 'tk_BoT0VjF9rQ2_abcdefgh' }, undefined],
      ['the super key', { 'X-Request-ID': `x-${superKey}` }, undefined],
      ['the key of the request', { 'X-Request-ID': 'wrong-key', 'X-API-Key': 'wrong-key' }, undefined],
    ])('with %s', async (_, headers, expected) => {
      const answer = await tenkey.http().get('/no-such-route').set(headers);
      expect(answer.headers['x-client-request-id']).toBe(expected);
      const [line] = await linesOf(answer.headers['x-tenkey-request-id']);
      expect(line!.client_request_id).toBe(expected);
    });

    it.each([
      ['another version', trace.replace('00', 'ff')],
      ['a longer one', `${trace}-00`],
      ['no trace', trace.replace(/4bf\w+/, '0'.repeat(32))],
      ['no parent', trace.replace(/00f\w+/, '0'.repeat(16))],
      ['upper case', trace.toUpperCase()],
    ])('a malformed traceparent stays here: %s', async (_, traceparent) => {
      tenkey.provider.reset();
      expect((await tenkey.chat(tenant).set('traceparent', traceparent)).status).toBe(200);
      expect(tenkey.provider.requests[0]!.headers.traceparent).toBeUndefined();
    });
  });

  it('names key and tenant of a request that exceeds the limit of its key', async () => {
    const { id, key } = await issueTenantKey(tenkey, tenant, { requests_per_minute: 1 });
    const list = () => tenkey.http().get('/v1/models').set('authorization', `Bearer ${key}`);
    for (const [status, code] of [
      [200, undefined],
      [429, 'rate_limited'],
    ]) {
      const [line] = await linesOf((await list()).headers['x-tenkey-request-id']);
      expect([line!.status, line!.code, line!.key, line!.tenant]).toEqual([status, code, id, tenant]);
    }
  });

  it('names model, provider and fault of a call for which no credential could be used', async () => {
    const other = await tenkey.createTenant();
    await tenkey.setCredential(other, 'openai', { api_key: 'sk-edited-in-the-database-e5r6' });
    await tenkey.edit('update tenant_credentials set version = version + 1 where tenant_id = $1', [other]);
    const tampered = await tenkey.chat(other);
    const none = await tenkey.chat(other, { model: 'mistral-large' });
    for (const [answer, code, model, provider] of [
      [tampered, 'credential_tampered', 'gpt-4o', 'openai'],
      [none, 'credential_not_configured', 'mistral-large', 'mistral'],
    ] as const) {
      const [line] = await linesOf(answer.headers['x-tenkey-request-id']);
      expect(line).toMatchObject({ tenant: other, status: 424, code, model, provider });
    }
  });

  it('has one line for a call whose client disconnected, which is not an error', async () => {
    tenkey.provider.next({ delayMs: 2000 });
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const before = tenkey.logLines.length;
    const gone = new AbortController();
    const call = fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] }),
      signal: gone.signal,
    });
    const calls = tenkey.provider.requests.length;
    while (tenkey.provider.requests.length === calls) await new Promise((done) => setTimeout(done, 10));
    gone.abort();
    await expect(call).rejects.toThrow();
    await new Promise((done) => setTimeout(done, 100));
    expect(tenkey.logLines.slice(before).map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ level: 30, status: 499, aborted: true, model: 'gpt-4o', mask: '...q7w8' }),
    ]);
  });

  it('has number and hash of every audit event, to be given to audit verify', async () => {
    await tenkey.createTenant();
    const { head, events } = await tenkey.nest.get(AuditLogService).verify();
    const heads = tenkey.logLines
      .map((line) => JSON.parse(line) as { level: number; msg: string })
      .filter(({ msg }) => msg.startsWith('audit head '));
    expect(heads).toHaveLength(events);
    expect(heads.at(-1)).toMatchObject({ level: 30, msg: `audit head ${head} done tenant.create` });
    const first = heads[0]!.msg.split(' ')[2];
    expect((await tenkey.nest.get(AuditLogService).verify(first)).faults).toEqual([]);
  });

  it('has one line for a client that disconnected while it sent its request, which is not an error either', async () => {
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    for (const type of ['application/json', 'multipart/form-data; boundary=x']) {
      const before = tenkey.logLines.length;
      const path = type === 'application/json' ? 'chat/completions' : 'audio/transcriptions';
      const head = `POST /v1/${path} HTTP/1.1\r\nhost: a\r\nx-api-key: ${platformKey}\r\nx-tenant-id: ${tenant}`;
      const socket = connect({ port, host: '127.0.0.1' });
      const begun = once(tenkey.nest.getHttpServer(), 'request');
      socket.write(`${head}\r\ncontent-type: ${type}\r\ncontent-length: 50\r\n\r\n--x`);
      await begun;
      socket.resetAndDestroy();
      await until(() => tenkey.logLines.length > before, 'the line of the request');
      await new Promise((done) => setTimeout(done, 100));
      expect(tenkey.logLines.slice(before).map((line) => JSON.parse(line) as unknown)).toEqual([
        expect.objectContaining({ level: 30, status: 499, aborted: true, path: `/v1/${path}` }),
      ]);
    }
  });

  it('has one more line for a failure after the client disconnected, with code and cause', async () => {
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const other = await tenkey.createTenant();
    const blocked = `from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    const countOf = async () => (await tenkey.database.query(`select 1 ${blocked}`)).length;
    for (const [end, code, level] of [
      ['select pg_cancel_backend(pid)', 'credential_store_unavailable', 50],
      ['delete from tenants', 'tenant_not_found', 30],
    ] as const) {
      const before = tenkey.logLines.length;
      const lines = () =>
        tenkey.logLines
          .slice(before)
          .map((line) => JSON.parse(line))
          .filter((line) => line.request_id !== undefined);
      await tenkey.database.transaction(async (transaction) => {
        await transaction.query('select 1 from tenants where id = $1 for update', [other]);
        const gone = new AbortController();
        const call = fetch(`http://127.0.0.1:${port}/api/v1/sysadmin/tenants/${other}`, {
          method: 'PATCH',
          headers: { 'content-type': 'application/json', 'x-api-key': superKey },
          body: '{"state":"suspended"}',
          signal: gone.signal,
        });
        await until(async () => (await countOf()) > 0, 'the change that waits');
        gone.abort();
        await expect(call).rejects.toThrow();
        await until(() => lines().length > 0, 'the line of the request');
        if (end.startsWith('delete')) await transaction.query(`${end} where id = $1`, [other]);
        else await transaction.query(`${end} ${blocked}`);
      });
      await until(() => lines().length > 1, 'the line of its fault');
      const [left, failed] = lines();
      expect(left).toMatchObject({ level: 30, status: 499, aborted: true });
      expect(failed).toMatchObject({ level, code, request_id: left.request_id, path: left.path });
      expect(failed.err?.cause?.message).toEqual(
        level === 50 ? expect.stringContaining('cancel') : undefined,
      );
      expect(lines()).toHaveLength(2);
    }
  });

  it('has one line for a refused request, without its path when no route matches', async () => {
    const answer = await tenkey.http().get('/v1/a-secret-in-the-path?key=another');
    const [line] = await linesOf(answer.headers['x-tenkey-request-id']);
    expect(line).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(JSON.stringify(line)).not.toMatch(/a-secret|another/);
  });
});
