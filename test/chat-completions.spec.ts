import OpenAI from 'openai';
import { describeWithApp, platformKey, startTestApp } from './support/app';
import { until } from './support/until';

const key = 'sk-sentinel-chat-completion-k1y7';

describeWithApp('a chat completion', (tenkey) => {
  let tenant: string;
  let client: OpenAI;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: key });
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    client = new OpenAI({
      apiKey: 'unused-by-tenkey',
      baseURL: `http://127.0.0.1:${port}/v1`,
      defaultHeaders: { 'X-API-Key': platformKey, 'X-Tenant-ID': tenant },
      maxRetries: 0,
    });
  });
  beforeEach(() => tenkey.provider.reset());

  it("reaches the provider with the tenant's key and the upstream model, and says who paid", async () => {
    const answer = await tenkey.chat(tenant, { seed: 1, made_up_parameter: { kept: true } });
    expect(answer.status).toBe(200);
    const [seen] = tenkey.provider.requests;
    expect(seen).toMatchObject({ key, body: { model: 'gpt-4o', made_up_parameter: { kept: true } } });
    expect(answer.headers).toMatchObject({
      'x-tenkey-provider': 'openai',
      'x-tenkey-adapter': 'litellm',
      'x-tenkey-credential-source': 'tenant',
    });
    expect(answer.headers['x-tenkey-credential']).toMatch(/^openai\/\.\.\.k1y7\/v\d+$/);
  });

  it('works in the openai client: whole, streamed, and with typed errors', async () => {
    const messages = [{ role: 'user' as const, content: 'good morning' }];
    const whole = await client.chat.completions.create({ model: 'gpt-4o', messages });
    expect(whole.choices[0]!.message.content).toContain('good morning');
    const stream = await client.chat.completions.create({ model: 'gpt-4o', messages, stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toContain('good morning');
    await expect(client.chat.completions.create({ model: 'none', messages })).rejects.toBeInstanceOf(
      OpenAI.NotFoundError,
    );
    tenkey.provider.next({ status: 429, headers: { 'retry-after': '7' } });
    await expect(client.chat.completions.create({ model: 'gpt-4o', messages })).rejects.toBeInstanceOf(
      OpenAI.RateLimitError,
    );
  });

  it('ends a stream that the provider broke with one typed error', async () => {
    tenkey.provider.next({ breakAfterChunks: 1 });
    const stream = await client.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'one two three four' }],
      stream: true,
    });
    await expect(
      (async () => {
        for await (const _ of stream);
      })(),
    ).rejects.toMatchObject({ code: 'upstream_unavailable' });
  });

  it('replaces an error event of the provider inside a stream, which may repeat the key', async () => {
    const raw = `data: {"error":{"message":"Incorrect API key provided: ${key}"}}\n\n`;
    tenkey.provider.next({ chunks: ['data: {"choices":[]}\n\n', raw, 'data: [DONE]\n\n'] });
    const answer = await tenkey.chat(tenant, { stream: true });
    expect(answer.text).not.toContain(key);
    const last = JSON.parse(answer.text.trim().split('\n\n').at(-1)!.slice('data: '.length));
    expect(last.error).toMatchObject({ code: 'upstream_unavailable', type: 'api_error' });
    expect(last.error.message).toContain('Incorrect API key provided: [removed]');
    tenkey.provider.next({ body: raw, headers: { 'content-type': 'Text/Event-Stream' } });
    expect((await tenkey.chat(tenant, { stream: true })).text).not.toContain(key);
  });

  it('works with a key of the greatest length, which stays out of the log', async () => {
    const long = Array.from({ length: 10_240 }, (_, at) => String.fromCharCode(33 + ((at * 7919) % 94))).join(
      '',
    );
    const other = await tenkey.createTenant();
    expect((await tenkey.setCredential(other, 'openai', { api_key: long })).status).toBe(200);
    // The key exceeds the header limit of a Node server, so the provider refuses it and repeats no part of it.
    const before = tenkey.logLines.length;
    const answer = await tenkey.chat(other);
    expect(answer.status).toBeLessThan(500);
    const shown = answer.text + JSON.stringify(answer.headers) + tenkey.logLines.slice(before).join('');
    expect(shown).not.toContain(long.slice(100, 120));
  });

  it('passes on retry-after and the provider’s request id, which a client needs for waiting and for support', async () => {
    tenkey.provider.next({
      status: 503,
      headers: { 'retry-after': '7', 'x-request-id': 'req_at_the_provider' },
    });
    const answer = await tenkey.chat(tenant);
    expect(answer.headers).toMatchObject({
      'retry-after': '7',
      'x-request-id': 'req_at_the_provider',
      'request-id': 'req_at_the_provider',
    });
  });

  it('aborts the call to the provider when the client disconnects, before and after the first byte', async () => {
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const leave = async (body: object, afterFirstByte: boolean) => {
      const gone = new AbortController();
      const call = fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
        body: JSON.stringify({
          model: 'gpt-4o',
          messages: [{ role: 'user', content: 'a b c d e' }],
          ...body,
        }),
        signal: gone.signal,
      });
      if (afterFirstByte) await (await call).body!.getReader().read();
      else await until(() => tenkey.provider.requests.length > 0, 'the call at the provider');
      gone.abort();
      if (!afterFirstByte) await expect(call).rejects.toThrow();
      await until(() => tenkey.provider.requests[0]?.aborted === true, 'the end of that call');
      tenkey.provider.reset();
    };
    tenkey.provider.next({ delayMs: 2000 });
    await leave({}, false);
    tenkey.provider.next({ chunkDelayMs: 300 });
    await leave({ stream: true }, true);
    const errors = tenkey.logLines.filter((line) => JSON.parse(line).level >= 50);
    expect(errors.filter((line) => line.includes('internal_error'))).toEqual([]);
  });

  it('names a refused credential by its mask, without a 401 for the client, and never repeats the key', async () => {
    tenkey.provider.rejectKey(key);
    const answer = await tenkey.chat(tenant);
    expect([answer.status, answer.body.error.code]).toEqual([424, 'credential_rejected']);
    expect(answer.body.error.message).toContain('...k1y7');
    expect(answer.text + JSON.stringify(answer.headers) + tenkey.logLines.join('')).not.toContain(key);
  });

  it('reaches Anthropic models from the openai client: whole, streamed, with tools, and with a broken stream', async () => {
    await tenkey.setCredential(tenant, 'anthropic', { api_key: 'sk-ant-sentinel-anthropic-a1b2' });
    const messages = [{ role: 'user' as const, content: 'good morning' }];
    const model = 'claude-sonnet';
    const whole = await client.chat.completions.create({ model, messages });
    expect(whole).toMatchObject({ object: 'chat.completion', model, usage: { total_tokens: 5 } });
    expect(whole.choices[0]!.message.content).toBe('echo: good morning');
    expect(tenkey.provider.requests[0]).toMatchObject({
      path: '/v1/messages',
      key: 'sk-ant-sentinel-anthropic-a1b2',
    });
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe('echo: good morning');
    const tools = [
      { type: 'function' as const, function: { name: 'weather', parameters: { type: 'object' } } },
    ];
    const called = await client.chat.completions.create({ model, messages, tools });
    expect(called.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ function: { name: 'weather', arguments: '{"city":"Umeå"}' } }] },
    });
    tenkey.provider.next({ breakAfterChunks: 4 });
    const broken = await client.chat.completions.create({ model, messages, stream: true });
    text = '';
    const read = async () => {
      for await (const chunk of broken) text += chunk.choices[0]?.delta.content ?? '';
    };
    await expect(read()).rejects.toMatchObject({ code: 'upstream_unavailable' });
    expect(text).toBe('echo: ');
  });

  it('replaces an error that Anthropic reports inside a stream, which may repeat the key', async () => {
    const raw = `event: error\ndata: {"type":"error","error":{"type":"api_error","message":"bad key ${key}"}}\n\n`;
    tenkey.provider.next({ chunks: [raw] });
    await tenkey.setCredential(tenant, 'anthropic', { api_key: key });
    const answer = await tenkey.chat(tenant, { model: 'claude-sonnet', stream: true });
    expect(answer.text).not.toContain(key);
    // The error is the first event, so the response has its status.
    expect(answer.status).toBe(502);
    expect(answer.body.error).toMatchObject({
      code: 'upstream_unavailable',
      message: expect.stringContaining('bad key [removed]'),
    });
  });

  it('names parameters that the provider does not have, and refuses content that cannot be translated by name', async () => {
    await tenkey.setCredential(tenant, 'anthropic', { api_key: 'sk-ant-sentinel-anthropic-a1b2' });
    const answer = await tenkey.chat(tenant, { model: 'claude-sonnet', seed: 1, 'wé ird\n': 2 });
    expect(answer.status).toBe(200);
    expect(answer.headers['x-tenkey-dropped-params']).toBe('seed, w__ird_');
    expect(tenkey.provider.requests[0]!.body).not.toHaveProperty('seed');
    tenkey.provider.reset();
    const refused = await tenkey.chat(tenant, {
      model: 'claude-sonnet',
      messages: [
        { role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'x', format: 'wav' } }] },
      ],
    });
    expect([refused.status, refused.body.error.code]).toEqual([400, 'parameter_not_supported']);
    expect(refused.body.error.param).toBe('messages[0].content[0]');
    expect(tenkey.provider.requests).toHaveLength(0);
  });

  it('is refused for such parameters before any call when STRICT_PARAMS is set', async () => {
    const strict = await startTestApp({ STRICT_PARAMS: 'true' });
    try {
      const other = await strict.createTenant();
      for (const provider of ['anthropic', 'mistral']) {
        await strict.setCredential(other, provider, { api_key: 'sk-of-the-strict-tenant' });
      }
      for (const [model, param] of [
        ['claude-sonnet', 'seed'],
        ['mistral-large', 'logit_bias'],
      ] as const) {
        const refused = await strict.chat(other, { model, [param]: 1 });
        expect(refused.status).toBe(400);
        expect(refused.body.error).toMatchObject({ code: 'parameter_not_supported', param });
        expect((await strict.chat(other, { model })).status).toBe(200);
      }
      expect(strict.provider.requests).toHaveLength(2);
      // The translation requests the usage of a stream. That Mistral does not have this parameter must not concern the client.
      const streamed = await strict
        .http()
        .post('/v1/messages')
        .set('X-API-Key', platformKey)
        .set('X-Tenant-ID', other)
        .send({
          model: 'mistral-large',
          max_tokens: 9,
          stream: true,
          messages: [{ role: 'user', content: 'hello' }],
        });
      expect([streamed.status, streamed.headers['x-tenkey-dropped-params']]).toEqual([200, undefined]);
      expect(strict.provider.requests[2]?.body).not.toHaveProperty('stream_options');
    } finally {
      await strict.close();
    }
  });

  it('never reaches a provider for a legacy model in strict mode', async () => {
    const answer = await tenkey.chat(tenant, { model: 'gpt-4o-legacy' });
    expect([answer.status, answer.body.error.code]).toEqual([424, 'legacy_model_in_strict_mode']);
    expect(tenkey.provider.requests).toHaveLength(0);
  });

  it('is refused for a suspended tenant', async () => {
    const other = await tenkey.createTenant();
    await tenkey.sysadmin('patch', `/tenants/${other}`).send({ state: 'suspended' });
    const answer = await tenkey.chat(other);
    expect([answer.status, answer.body.error.code]).toEqual([403, 'tenant_suspended']);
  });
});
