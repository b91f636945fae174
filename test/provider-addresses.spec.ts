import { describeWithApp, platformKey } from './support/app';

const key = 'provider-addresses-key-m3n4';

describeWithApp('each provider is called at the address and in the way of its credential:', (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    const set = async (provider: string, body: object) => {
      const answer = await tenkey.setCredential(tenant, provider, { api_key: key, ...body });
      expect([provider, answer.status]).toEqual([provider, 200]);
    };
    for (const provider of ['openai', 'mistral', 'ovhcloud', 'berget', 'anthropic']) await set(provider, {});
    await set('vllm', { endpoint: `${tenkey.provider.url}/` });
    await set('azure', {
      endpoint: `${tenkey.provider.url}/`,
      api_version: '2024-10-21',
      deployment_name: 'our-own-name-of-it',
    });
  });
  beforeEach(() => tenkey.provider.reset());

  it.each([
    ['gpt-4o', '/v1/chat/completions', 'authorization', `Bearer ${key}`, 'gpt-4o'],
    ['mistral-large', '/v1/chat/completions', 'authorization', `Bearer ${key}`, 'mistral-large-latest'],
    [
      'llama-ovhcloud',
      '/v1/chat/completions',
      'authorization',
      `Bearer ${key}`,
      'Meta-Llama-3_3-70B-Instruct',
    ],
    [
      'llama-berget',
      '/v1/chat/completions',
      'authorization',
      `Bearer ${key}`,
      'meta-llama/Llama-3.3-70B-Instruct',
    ],
    ['gemma-vllm', '/v1/chat/completions', 'authorization', `Bearer ${key}`, 'google/gemma-3-27b-it'],
    ['claude-sonnet', '/v1/messages', 'x-api-key', key, 'claude-sonnet-4-5'],
    [
      'azure-gpt-4o',
      '/openai/deployments/our-own-name-of-it/chat/completions',
      'api-key',
      key,
      'our-own-name-of-it',
    ],
  ])('%s: POST %s with the key in %s', async (model, path, header, value, upstreamModel) => {
    const answer = await tenkey.chat(tenant, { model });
    expect(answer.status).toBe(200);
    const [seen] = tenkey.provider.requests;
    expect(seen).toMatchObject({ method: 'POST', path, body: { model: upstreamModel } });
    expect(seen!.headers[header]).toBe(value);
    const others = ['authorization', 'api-key', 'x-api-key'].filter((name) => name !== header);
    for (const name of others) expect(seen!.headers).not.toHaveProperty(name);
    expect(JSON.stringify([seen!.path, seen!.query])).not.toContain(key);
  });

  it('Azure’s additions are kept, and its version is sent', async () => {
    const answer = await tenkey.chat(tenant, { model: 'azure-gpt-4o' });
    expect(tenkey.provider.requests[0]!.query).toEqual({ 'api-version': '2024-10-21' });
    expect(answer.text).toContain('content_filter_results');
  });

  it('a deployment of any name is streamed, and its first event arrives before the last is sent', async () => {
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    tenkey.provider.next({ chunkDelayMs: 150 });
    const started = Date.now();
    const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
      body: JSON.stringify({
        model: 'azure-gpt-4o',
        stream: true,
        messages: [{ role: 'user', content: 'one two three four five six' }],
      }),
    });
    const reader = answer.body!.getReader();
    const first = await reader.read();
    const firstAfterMs = Date.now() - started;
    let text = new TextDecoder().decode(first.value);
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += new TextDecoder().decode(part.value);
    }
    const allAfterMs = Date.now() - started;
    expect(text).toContain('"choices":[]');
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
    expect(firstAfterMs).toBeLessThan(allAfterMs / 2);
  });

  it('a response is passed on byte by byte, numbers and unknown fields included', async () => {
    const body = '{"id":"x","big":12345678901234567890,"float":1.0,  "unknown":{"ö":"\\u00e4"}}';
    tenkey.provider.next({ status: 200, body, headers: { 'content-type': 'application/json' } });
    const answer = await tenkey.chat(tenant);
    expect(answer.text).toBe(body);
  });

  it('only the model and what the provider names differently or refuses changes in a request', async () => {
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const body =
      '{ "seed":12345678901234567890,"model" : "mistral-large", "user":"u","messages":[{"role":"user","content":"x"}],"t":1.0 }';
    const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
      body,
    });
    expect(answer.status).toBe(200);
    expect(tenkey.provider.requests[0]!.rawBody).toBe(
      '{ "random_seed":12345678901234567890,"model" : "mistral-large-latest","messages":[{"role":"user","content":"x"}],"t":1.0 }',
    );
    expect(answer.headers.get('x-tenkey-dropped-params')).toBe('user');
  });

  it('embeddings work, and models of another kind are refused before any call', async () => {
    const post = (path: string, body: object) =>
      tenkey.http().post(path).set('X-API-Key', platformKey).set('X-Tenant-ID', tenant).send(body);
    const good = await post('/v1/embeddings', { model: 'multilingual-e5-large', input: 'hej' });
    expect(good.status).toBe(200);
    expect(tenkey.provider.requests[0]).toMatchObject({
      path: '/v1/embeddings',
      body: { model: 'intfloat/multilingual-e5-large', input: 'hej' },
    });
    for (const [path, model] of [
      ['/v1/embeddings', 'gpt-4o'],
      ['/v1/embeddings', 'claude-sonnet'],
      ['/v1/chat/completions', 'text-embedding-3-small'],
    ] as const) {
      const refused = await post(path, { model, input: 'x', messages: [] });
      expect([refused.status, refused.body.error.code]).toEqual([400, 'endpoint_not_supported']);
    }
    expect(tenkey.provider.requests).toHaveLength(1);
  });

  it('vllm needs an endpoint: a PUT without one warns, and a call says what to set', async () => {
    const other = await tenkey.createTenant();
    const put = await tenkey.setCredential(other, 'vllm', { api_key: key });
    expect(put.status).toBe(200);
    expect(put.body.message).toContain('VLLM_MODEL_URL');
    const answer = await tenkey.chat(other, { model: 'gemma-vllm' });
    expect([answer.status, answer.body.error.code]).toEqual([424, 'endpoint_not_configured']);
  });

  it('the models are listed with provider, adapter and whether this tenant can call them', async () => {
    const answer = await tenkey
      .http()
      .get('/v1/models')
      .set('X-API-Key', platformKey)
      .set('X-Tenant-ID', tenant);
    const byId = Object.fromEntries(
      answer.body.data.map((model: { id: string; tenkey: object }) => [model.id, model.tenkey]),
    );
    expect(byId['azure-gpt-4o']).toEqual({ provider: 'azure', adapter: 'litellm', ready: true });
    expect(byId['gpt-4o-legacy']).toEqual({ provider: 'openai', adapter: 'legacy', ready: false });
    expect(tenkey.provider.requests).toHaveLength(0);
  });
});
