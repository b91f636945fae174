import { request as httpRequest } from 'node:http';
import { describeWithApp, platformKey } from './support/app';
import { issueTenantKey } from './support/keys';
import { sound } from './support/provider-answers';
import { until } from './support/until';
import { usageRecords } from './support/usage';

const models = `
completion_models:
  - { name: gpt-4o, litellm_model_name: gpt-4o }
  - { name: meta/llama 3, litellm_model_name: hosted_vllm/meta-llama/Llama-3.3-70B }
  - { name: claude, litellm_model_name: anthropic/claude-sonnet-4-5 }
  - { name: on-azure, litellm_model_name: azure/gpt-4o }
embedding_models:
  - { name: embedding, litellm_model_name: text-embedding-3-small }
transcription_models:
  - { name: whisper, litellm_model_name: whisper-1 }
speech_models:
  - { name: speech, litellm_model_name: gpt-4o-mini-tts }
image_models:
  - { name: image, litellm_model_name: gpt-image-1 }
rerank_models:
  - { name: rerank, litellm_model_name: hosted_vllm/BAAI/bge-reranker-v2-m3 }
`;
const messages = [{ role: 'user', content: 'hello' }];
const version = 'api-version=2024-10-21';

describeWithApp("Azure's form of the addresses", {}, { models }, (tenkey) => {
  let tenant: string;
  let key: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    const endpoint = tenkey.provider.url;
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-openai-a2b3' });
    await tenkey.setCredential(tenant, 'anthropic', { api_key: 'sk-ant-key-of-anthropic-a2b3' });
    await tenkey.setCredential(tenant, 'vllm', { api_key: 'key-of-vllm-a2b3', endpoint });
    const azure = { endpoint, api_version: '2024-06-01', deployment_name: 'dep-1' };
    await tenkey.setCredential(tenant, 'azure', { api_key: 'key-of-azure-a2b3', ...azure });
    ({ key } = await issueTenantKey(tenkey, tenant));
  });
  beforeEach(() => tenkey.provider.reset());

  const post = (path: string, headers: Record<string, string> = { 'api-key': key }) =>
    tenkey.http().post(path).set(headers);
  const seen = () => tenkey.provider.requests.at(-1)!;

  it.each([
    ['chat/completions', 'gpt-4o', '/v1/chat/completions', 'gpt-4o', { messages }],
    ['completions', 'gpt-4o', '/v1/completions', 'gpt-4o', { prompt: 'hello' }],
    ['embeddings', 'embedding', '/v1/embeddings', 'text-embedding-3-small', { input: 'hello' }],
    ['audio/speech', 'speech', '/v1/audio/speech', 'gpt-4o-mini-tts', { input: 'hello', voice: 'alloy' }],
    ['images/generations', 'image', '/v1/images/generations', 'gpt-image-1', { prompt: 'hello' }],
    ['images/edits', 'image', '/v1/images/edits', 'gpt-image-1', { prompt: 'hello', images: [] }],
  ])(
    'serve %s of the deployment %s without a model in the body',
    async (operation, model, path, upstream, body) => {
      for (const query of ['', `?${version}`, '?api-version=2099-01-01-preview']) {
        const answer = await post(`/openai/deployments/${model}/${operation}${query}`).send(body);
        expect([query, answer.status]).toEqual([query, 200]);
        expect(seen()).toMatchObject({ path, query: {} });
        expect(seen().body).toEqual({ model: upstream, ...body });
      }
    },
  );

  it.each(['audio/transcriptions', 'audio/translations'])(
    'serve the form of %s, with and without a model',
    async (operation) => {
      const rounds: Record<string, string>[] = [{}, { model: 'something-else' }];
      for (const fields of rounds) {
        const answer = await post(`/openai/deployments/whisper/${operation}?${version}`)
          .field({ language: 'sv', ...fields })
          .attach('file', sound, 'a.wav');
        expect([answer.status, answer.body.text]).toEqual([200, `heard ${sound.length} bytes`]);
        expect(seen()).toMatchObject({
          path: `/v1/${operation}`,
          form: { model: 'whisper-1', language: 'sv' },
        });
      }
      const twice = await post(`/openai/deployments/whisper/${operation}`)
        .field('model', ['a', 'b'])
        .attach('file', sound, 'a.wav');
      expect([twice.status, twice.body.error.code]).toEqual([400, 'malformed_request']);
    },
  );

  it.each(['/openai/responses', '/openai/v1/responses', '/openai/v1/chat/completions'])(
    'serve %s, whose model is in the body',
    async (path) => {
      const answer = await post(`${path}?${version}`).send({ model: 'gpt-4o', input: 'hello', messages });
      expect(answer.status).toBe(200);
      expect(seen()).toMatchObject({ query: {}, body: { model: 'gpt-4o' } });
      const without = await post(path).send({ input: 'hello', messages });
      expect([without.status, without.body.error.param]).toEqual([422, 'model']);
    },
  );

  it.each(['/openai/responses', '/openai/v1/responses'])(
    'serve what the provider stored at %s',
    async (path) => {
      const made = await post(path).send({ model: 'gpt-4o', input: 'hello', background: true });
      for (const [method, rest] of [
        ['get', ''],
        ['get', '/input_items'],
        ['post', '/cancel'],
        ['delete', ''],
      ] as const) {
        const answer = await tenkey
          .http()
          [method](`${path}/${made.body.id}${rest}?${version}`)
          .set('api-key', key);
        expect([method, rest, answer.status]).toEqual([method, rest, 200]);
        expect(seen()).toMatchObject({ path: `/v1/responses/${made.body.id}${rest}`, query: {} });
      }
    },
  );

  it('list the models, and find one', async () => {
    for (const path of [
      '/openai/models',
      '/openai/v1/models',
      '/openai/models/gpt-4o',
      '/openai/v1/models/meta%2Fllama%203',
    ]) {
      const answer = await tenkey.http().get(`${path}?${version}`).set('api-key', key);
      expect([path, answer.status]).toEqual([path, 200]);
    }
  });

  it.each(['gpt-4o', 'something-else', 'meta/llama 3', null, 7, { nested: true }])(
    'obey the path when the body says the model %j',
    async (model) => {
      const answer = await post(`/openai/deployments/gpt-4o/chat/completions?${version}`).send({
        messages,
        model,
      });
      expect(answer.status).toBe(200);
      expect(seen().rawBody).toBe(JSON.stringify({ messages, model: 'gpt-4o' }));
      expect(answer.headers['x-tenkey-provider']).toBe('openai');
    },
  );

  it.each(['{"messages":[],"model":"a","model":"b"}', '{"messages":[],"model":"a","mod\\u0065l":"b"}'])(
    'refuse a body that names the model twice, because providers differ in which they read: %s',
    async (body) => {
      const answer = await post('/openai/deployments/gpt-4o/chat/completions')
        .set('content-type', 'application/json')
        .send(body);
      expect([answer.status, answer.body.error.code]).toEqual([400, 'malformed_request']);
      expect(tenkey.provider.calls.begun).toBe(0);
    },
  );

  it.each([
    ['{}', '{"model":"gpt-4o"}'],
    [' {\n} ', ' {"model":"gpt-4o"\n} '],
    ['{ "n" : 1.0 }', '{"model":"gpt-4o", "n" : 1.0 }'],
  ])('add the model to the bytes %j and change no other', async (body, expected) => {
    await post('/openai/deployments/gpt-4o/chat/completions')
      .set('content-type', 'application/json')
      .send(body);
    expect(seen().rawBody).toBe(expected);
  });

  it.each(['meta%2Fllama%203', 'meta/llama%203', 'meta%2fllama%203'])(
    'know a model whose name has a slash, written as %s',
    async (name) => {
      const answer = await post(`/openai/deployments/${name}/chat/completions?${version}`).send({ messages });
      expect(answer.status).toBe(200);
      expect(seen()).toMatchObject({
        path: '/v1/chat/completions',
        body: { model: 'meta-llama/Llama-3.3-70B' },
      });
    },
  );

  it('serve a model of any provider: translated, and at Azure itself', async () => {
    const translated = await post(`/openai/deployments/claude/chat/completions?${version}`).send({
      messages,
    });
    expect(translated.body.choices[0].message.content).toBe('echo: hello');
    expect(seen()).toMatchObject({ path: '/v1/messages', body: { model: 'claude-sonnet-4-5' } });
    await post('/openai/deployments/on-azure/chat/completions?api-version=2099-01-01').send({ messages });
    expect(seen()).toMatchObject({
      path: '/openai/deployments/dep-1/chat/completions',
      query: { 'api-version': '2024-06-01' },
    });
  });

  it('stream', async () => {
    const answer = await post(`/openai/deployments/gpt-4o/chat/completions?${version}`).send({
      messages,
      stream: true,
    });
    expect(answer.headers['content-type']).toContain('text/event-stream');
    expect(answer.text).toMatch(/data: \[DONE\]\n\n$/);
  });

  it('take the key in api-key or as bearer, and the platform key with a tenant', async () => {
    const path = `/openai/deployments/gpt-4o/chat/completions?${version}`;
    for (const [headers, status] of [
      [{ 'api-key': key }, 200],
      [{ authorization: `Bearer ${key}` }, 200],
      [{ 'x-api-key': platformKey, 'x-tenant-id': tenant }, 200],
      [{ 'api-key': platformKey, 'x-tenant-id': tenant }, 200],
      [{ 'api-key': platformKey }, 400],
      [{ 'api-key': 'nobodys-key-of-some-length' }, 401],
      [{}, 401],
    ] as const) {
      const answer = await post(path, headers).send({ messages });
      expect([Object.keys(headers), answer.status]).toEqual([Object.keys(headers), status]);
      if (status === 401) expect(answer.body.error).toMatchObject({ code: 'unauthenticated', param: null });
    }
  });

  it("have errors of OpenAI's dialect", async () => {
    const path = '/openai/deployments/gpt-4o/chat/completions';
    const error = {
      message: 'Too long.',
      code: 'context_length_exceeded',
      param: 'messages',
      type: 'invalid_request_error',
    };
    tenkey.provider.next({ status: 400, body: { error } });
    const answer = await post(path).send({ messages });
    expect([answer.status, answer.body.error]).toEqual([
      400,
      { ...error, tenkey_code: 'upstream_rejected_request' },
    ]);
    const unknown = await post('/openai/deployments/no-such-model/chat/completions').send({ messages });
    expect([unknown.status, unknown.body.error.code]).toEqual([404, 'model_not_found']);
    expect(unknown.text).not.toContain('no-such-model');
    const wrongKind = await post('/openai/deployments/embedding/chat/completions').send({ messages });
    expect(wrongKind.body.error.code).toBe('endpoint_not_supported');
    const wrongMethod = await tenkey.http().get(path).set('api-key', key);
    expect([wrongMethod.status, wrongMethod.body.error.code]).toEqual([405, 'method_not_allowed']);
    const unreadable = await post('/openai/deployments/%zz/chat/completions').send({ messages });
    expect([unreadable.status, unreadable.body.error.code]).toEqual([400, 'malformed_request']);
  });

  it('respect the allowed models of a key by the name in the path', async () => {
    const limited = await issueTenantKey(tenkey, tenant, { allowed_models: ['gpt-4o'] });
    const ask = (deployment: string, model: string) =>
      post(`/openai/deployments/${deployment}/chat/completions`, { 'api-key': limited.key }).send({
        messages,
        model,
      });
    expect((await ask('gpt-4o', 'claude')).status).toBe(200);
    expect(seen().body.model).toBe('gpt-4o');
    const refused = await ask('claude', 'gpt-4o');
    expect([refused.status, refused.body.error.code]).toEqual([403, 'forbidden']);
  });

  it.each([
    '/openai/deployments/gpt-4o/messages',
    '/openai/deployments/gpt-4o/usage',
    '/openai/deployments/gpt-4o/chat/completions/x',
    '/openai/deployments//chat/completions',
    '/openai/deployments/../../api/v1/sysadmin/tenants',
    '/openai/deployments/x/../../../api/v1/sysadmin/tenants',
    '/openai/v1/../api/v1/sysadmin/tenants',
    '/openai/assistants',
    '/openai',
  ])('are no way to another route: %s', async (path) => {
    const send = (headers: Record<string, string>) => {
      const { port } = tenkey.nest.getHttpServer().address() as { port: number };
      return new Promise<number>((resolve, reject) => {
        const outgoing = httpRequest({ port, path, method: 'POST', headers }, (incoming) => {
          incoming.resume();
          resolve(incoming.statusCode ?? 0);
        });
        outgoing.on('error', reject).end();
      });
    };
    expect(await send({})).toBe(401);
    expect(await send({ 'api-key': key })).toBe(404);
  });

  it('are in the usage records as the operation, and in the log as the client called it', async () => {
    const other = await tenkey.createTenant();
    await tenkey.setCredential(other, 'openai', { api_key: 'sk-key-of-openai-c4d5' });
    const issued = await issueTenantKey(tenkey, other);
    const headers = { 'api-key': issued.key };
    await post(`/openai/deployments/gpt-4o/chat/completions?${version}`, headers).send({ messages });
    await post('/openai/v1/chat/completions', headers).send({ model: 'gpt-4o', messages });
    const records = await usageRecords(tenkey, 2, `&tenant_id=${other}`);
    expect(records.map(({ operation, model }) => [operation, model])).toEqual([
      ['chat/completions', 'gpt-4o'],
      ['chat/completions', 'gpt-4o'],
    ]);
    const paths = () =>
      tenkey.logLines
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter(({ key: id }) => id === issued.id)
        .map(({ path }) => path);
    await until(() => paths().length === 2, 'the log lines of both calls');
    expect(paths()).toEqual([
      '/openai/deployments/:deployment/chat/completions',
      '/openai/v1/chat/completions',
    ]);
  });

  it("exist for rerank: Cohere's address leads to the same route", async () => {
    for (const path of ['/v2/rerank', '/v2/rerank/', '/v1/rerank']) {
      const answer = await post(path, { authorization: `Bearer ${key}` }).send({
        model: 'rerank',
        query: 'hello',
        documents: ['one', 'two'],
      });
      expect([path, answer.status, answer.body.results.length]).toEqual([path, 200, 2]);
    }
    expect((await post('/v2/rerank', {}).send({})).status).toBe(401);
  });
});
