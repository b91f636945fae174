import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { ModelRoutingService } from '#model-routing';
import { describeWithApp, platformKey, startTestApp } from './support/app';
import { issueTenantKey } from './support/keys';
import { usageRecords } from './support/usage';

const key = 'sk-the-key-that-pays-for-it-u5g3';

describeWithApp('the usage record of a call', (tenkey) => {
  let tenant: string;
  beforeEach(async () => {
    tenkey.provider.reset();
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: key });
  });

  const records = (count: number) => usageRecords(tenkey, count, `&tenant_id=${tenant}`);
  const port = () => (tenkey.nest.getHttpServer().address() as { port: number }).port;
  const stream = (body: object = {}) =>
    fetch(`http://127.0.0.1:${port()}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
      body: JSON.stringify({
        model: 'gpt-4o',
        messages: [{ role: 'user', content: 'a b c d' }],
        stream: true,
        stream_options: { include_usage: true },
        ...body,
      }),
    });

  it('says whose key served which call, as the response and the provider do', async () => {
    const { id: tenantKeyId, key: tenantKey } = await issueTenantKey(tenkey, tenant);
    const started = Date.now();
    const answer = await tenkey
      .http()
      .post('/v1/chat/completions')
      .set('authorization', `Bearer ${tenantKey}`)
      .send({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] });
    const [record] = await records(1);
    const [sent] = tenkey.provider.requests;
    expect(sent!.key).toBe(key);
    const { version } = (await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`)).body.credentials[0];
    expect(record).toEqual({
      request_id: answer.headers['x-tenkey-request-id'],
      client_request_id: null,
      at: expect.any(String),
      tenant_id: tenant,
      tenant_name: expect.stringMatching(/^tenant-/),
      key_id: tenantKeyId,
      model: 'gpt-4o',
      operation: 'chat/completions',
      adapter: answer.headers['x-tenkey-adapter'],
      provider: answer.headers['x-tenkey-provider'],
      host: sent!.headers.host,
      target: sent!.body.model,
      source: answer.headers['x-tenkey-credential-source'],
      mask: '...u5g3',
      version,
      outcome: 'completed',
      status: 200,
      code: null,
      upstream_status: 200,
      attempts: 1,
      input_tokens: answer.body.usage.prompt_tokens,
      output_tokens: answer.body.usage.completion_tokens,
      cached_tokens: null,
      cache_write_tokens: null,
      search_units: null,
      is_estimated: false,
      first_byte_ms: expect.any(Number),
      total_ms: expect.any(Number),
      request_bytes: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] })
        .length,
      response_bytes: Number(answer.headers['content-length'] ?? answer.text.length),
    });
    expect(answer.headers['x-tenkey-credential']).toBe(`openai/${record!.mask}/v${record!.version}`);
    expect(Date.parse(record!.at)).toBeGreaterThanOrEqual(started - 1);
    expect(record!.first_byte_ms).toBeLessThanOrEqual(record!.total_ms);
  });

  it('has the tokens of streams, in the format of the provider and in a translated one', async () => {
    const streamed = await stream();
    const text = await streamed.text();
    expect(text).toContain('[DONE]');
    await tenkey.setCredential(tenant, 'anthropic', { api_key: key });
    await (await stream({ model: 'claude-sonnet', stream_options: undefined })).text();
    const [native, translated] = await records(2);
    expect(native).toMatchObject({ outcome: 'completed', input_tokens: 3, output_tokens: 2 });
    expect(native!.response_bytes).toBe(text.length);
    expect(translated).toMatchObject({ provider: 'anthropic', outcome: 'completed', output_tokens: 2 });
    expect(translated!.input_tokens).toBe(3);
  });

  it('marks a call whose client disconnected, with what was reported by then', async () => {
    await tenkey.setCredential(tenant, 'anthropic', { api_key: key });
    tenkey.provider.next({ chunkDelayMs: 50 });
    const answer = await stream({ model: 'claude-sonnet', stream_options: undefined });
    const reader = answer.body!.getReader();
    await reader.read();
    await reader.cancel();
    const [left] = await records(1);
    // Anthropic reports the input tokens, and the output tokens so far, in the first event.
    expect(left).toMatchObject({
      outcome: 'client_left',
      status: 200,
      upstream_status: 200,
      input_tokens: 3,
    });
    expect(left!.first_byte_ms).toEqual(expect.any(Number));
  });

  it('marks a call whose client disconnected before there was a response', async () => {
    tenkey.provider.next({ delayMs: 2000 });
    const outgoing = httpRequest({
      port: port(),
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
    });
    outgoing.on('error', () => undefined);
    outgoing.end('{"model":"gpt-4o","messages":[]}');
    while (tenkey.provider.requests.length === 0) await wait(10);
    outgoing.destroy();
    const [left] = await records(1);
    expect(left).toMatchObject({
      outcome: 'client_left',
      status: 499,
      code: null,
      upstream_status: null,
      attempts: 1,
      first_byte_ms: null,
      response_bytes: 0,
    });
  });

  it('is unmetered in the sums when the provider responded without tokens, and not when there was no response', async () => {
    tenkey.provider.next({ delayMs: 2000 });
    const gone = new AbortController();
    const routing = tenkey.nest.get(ModelRoutingService, { strict: false });
    const request = Buffer.from(JSON.stringify({ model: 'gpt-4o', messages: [] }));
    const left = routing.call(tenant, 'chat/completions', request, { signal: gone.signal });
    while (tenkey.provider.requests.length === 0) await wait(10);
    gone.abort();
    await expect(left).rejects.toThrow();
    tenkey.provider.next({ body: { id: 'x', object: 'chat.completion', choices: [] } });
    await tenkey.chat(tenant).expect(200);
    await records(2);
    const { body } = await tenkey.sysadmin('get', `/tenants/${tenant}/usage`);
    expect(body.total).toMatchObject({ calls: 2, unfinished: 1, unmetered: 1 });
  });

  it('marks a call whose response broke off or ended in an error of the provider', async () => {
    tenkey.provider.next({ breakAfterChunks: 2 });
    await (await stream()).text();
    const error = { error: { message: 'overloaded', type: 'server_error' } };
    tenkey.provider.next({ chunks: ['data: {"choices":[]}\n\n', `data: ${JSON.stringify(error)}\n\n`] });
    await (await stream()).text();
    // Some providers close the stream right after the error, without the blank line that ends an event.
    tenkey.provider.next({ chunks: ['data: {"choices":[]}\n\n', `data: ${JSON.stringify(error)}`] });
    expect(await (await stream()).text()).toContain('upstream_unavailable');
    for (const one of await records(3)) {
      expect(one).toMatchObject({ outcome: 'broken_off', status: 200, code: 'upstream_unavailable' });
    }
  });

  it('says why there was no response, and whether the provider was called', async () => {
    tenkey.provider.rejectKey(key);
    await tenkey.chat(tenant).expect(424);
    tenkey.provider.reset();
    tenkey.provider.next({ status: 503 });
    await tenkey.chat(tenant).expect(200);
    await tenkey.setCredential(tenant, 'openai', {
      api_key: key,
      endpoint: 'http://no-such-name.invalid/v1',
    });
    await tenkey.chat(tenant).expect(502);
    const [rejected, again, unreachable] = await records(3);
    expect(rejected).toMatchObject({
      outcome: 'failed',
      status: 424,
      code: 'credential_rejected',
      upstream_status: 401,
      attempts: 1,
      input_tokens: null,
      response_bytes: 0,
    });
    expect(again).toMatchObject({ outcome: 'completed', upstream_status: 200, attempts: 2 });
    expect(unreachable).toMatchObject({
      outcome: 'failed',
      status: 502,
      code: 'upstream_unavailable',
      host: 'no-such-name.invalid',
      upstream_status: null,
      first_byte_ms: null,
    });
  });

  it('is not made for a call without a credential', async () => {
    await tenkey.sysadmin('delete', `/tenants/${tenant}/credentials/openai`);
    await tenkey.chat(tenant).expect(424);
    await tenkey.chat(tenant, { model: 'no-such-model' }).expect(404);
    await wait(1500);
    expect(await records(0)).toEqual([]);
  });

  it('is made for a call from the same process', async () => {
    const routing = tenkey.nest.get(ModelRoutingService, { strict: false });
    const request = Buffer.from(JSON.stringify({ model: 'gpt-4o', messages: [] }));
    const options = { signal: new AbortController().signal };
    const answer = await routing.call(tenant, 'chat/completions', request, options);
    for await (const part of answer.body) void part;
    const id = randomUUID();
    // A stream, whose end has not arrived yet.
    const stream = Buffer.from(JSON.stringify({ model: 'gpt-4o', messages: [], stream: true }));
    const second = await routing.call(tenant, 'chat/completions', stream, { ...options, requestId: id });
    second.body.destroy();
    const [first, other] = await records(2);
    expect(first).toMatchObject({ outcome: 'completed', key_id: null });
    expect(other).toMatchObject({ outcome: 'client_left', request_id: id });
    await expect(
      routing.call(tenant, 'chat/completions', request, { ...options, requestId: 'no uuid' }),
    ).rejects.toThrow('must be a UUID');
  });

  it('is made once for each of many simultaneous calls of several tenants, and agrees with the sums', async () => {
    const other = await tenkey.createTenant();
    await tenkey.setCredential(other, 'openai', { api_key: 'sk-of-the-other-tenant-o7h2' });
    const ids = new Set<string>();
    await Promise.all(
      Array.from({ length: 120 }, async (_, index) => {
        const answer = await tenkey.chat(index % 3 === 0 ? other : tenant);
        ids.add(answer.headers['x-tenkey-request-id'] as string);
      }),
    );
    const mine = await records(80);
    const others = await usageRecords(tenkey, 40, `&tenant_id=${other}`);
    expect(new Set([...mine, ...others].map(({ request_id }) => request_id))).toEqual(ids);
    for (const [id, all] of [
      [tenant, mine],
      [other, others],
    ] as const) {
      const { body } = await tenkey.sysadmin('get', `/tenants/${id}/usage`);
      const sum = (name: string) => all.reduce((total, one) => total + one[name], 0);
      expect(body.total).toMatchObject({
        calls: all.length,
        failed: 0,
        input_tokens: sum('input_tokens'),
        output_tokens: sum('output_tokens'),
        request_bytes: sum('request_bytes'),
        response_bytes: sum('response_bytes'),
      });
    }
  });

  it('cannot be changed or deleted in the database, and is never written or summed twice', async () => {
    await tenkey.chat(tenant).expect(200);
    const [record] = await records(1);
    for (const statement of [
      `update usage_records set mask = '...none'`,
      'delete from usage_records',
      'truncate usage_records',
    ]) {
      await expect(tenkey.database.query(statement)).rejects.toThrow('usage records are immutable');
    }
    expect(await records(1)).toEqual([record]);
  });
});

describe('every endpoint', () => {
  it('of the platform API that calls a provider has a record of each call', async () => {
    const kinds = ['completion', 'embedding', 'transcription', 'speech', 'image', 'moderation', 'rerank'];
    const models = kinds.map((kind) => {
      const names = ['openai', 'vllm'].map(
        (id) => `  - name: ${kind}-${id}\n    litellm_model_name: ${id}/m\n`,
      );
      return `${kind}_models:\n${names.join('')}`;
    });
    const tenkey = await startTestApp({}, { models: models.join('') });
    try {
      const tenant = await tenkey.createTenant();
      await tenkey.setCredential(tenant, 'openai', { api_key: key });
      await tenkey.setCredential(tenant, 'vllm', { api_key: key, endpoint: tenkey.provider.url });
      const { body: document } = await tenkey.http().get('/docs/openapi.json');
      const posts = Object.entries<any>(document.paths).filter(
        // Those about a stored response need one (stored-responses.spec.ts).
        ([path, { post }]) => post && path.startsWith('/v1/') && !path.includes('{'),
      );
      expect(posts.length).toBeGreaterThanOrEqual(10);
      const kindOf: Record<string, string> = {
        '/v1/embeddings': 'embedding',
        '/v1/audio/transcriptions': 'transcription',
        '/v1/audio/speech': 'speech',
        '/v1/audio/translations': 'transcription',
        '/v1/images/generations': 'image',
        '/v1/images/edits': 'image',
        '/v1/rerank': 'rerank',
        '/v1/moderations': 'moderation',
      };
      for (const [path, { post }] of posts) {
        const provider = ['/v1/messages/count_tokens', '/v1/rerank'].includes(path) ? 'vllm' : 'openai';
        const model = `${kindOf[path] ?? 'completion'}-${provider}`;
        const sending = tenkey.http().post(path).set('X-API-Key', platformKey).set('X-Tenant-ID', tenant);
        const content = post.requestBody.content['application/json'];
        const example = content && Object.values<any>(content.examples)[0].value;
        const answer = await (example
          ? sending.send({ ...example, model, stream: false })
          : sending.field('model', model).attach('file', Buffer.from('sound'), 'a.mp3'));
        expect([path, answer.status]).toEqual([path, 200]);
      }
      const records = await usageRecords(tenkey, posts.length);
      expect(records.map(({ operation }) => `/v1/${operation}`).sort()).toEqual(
        posts.map(([path]) => path).sort(),
      );
      for (const record of records) {
        expect(record).toMatchObject({
          tenant_id: tenant,
          outcome: 'completed',
          attempts: 1,
          mask: '...u5g3',
        });
        expect([record.operation, record.request_bytes > 0 && record.response_bytes > 0]).toEqual([
          record.operation,
          true,
        ]);
      }
      expect(tenkey.provider.requests).toHaveLength(posts.length);
    } finally {
      await tenkey.close();
    }
  });
});
