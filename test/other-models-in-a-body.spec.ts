import { describeWithApp } from './support/app';
import { issueTenantKey } from './support/keys';
import { sound } from './support/provider-answers';

const models = `
completion_models:
  - { name: gpt-4o, litellm_model_name: gpt-4o }
  - { name: claude, litellm_model_name: anthropic/claude-sonnet-4-5 }
  - { name: on-azure, litellm_model_name: azure/gpt-4o }
transcription_models:
  - { name: whisper, litellm_model_name: whisper-1 }
`;
const messages = [{ role: 'user', content: 'hello' }];

describeWithApp('a key that is limited to some models', {}, { models }, (tenkey) => {
  let limited: string;
  let free: string;
  beforeAll(async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-openai-a2b3' });
    await tenkey.setCredential(tenant, 'anthropic', { api_key: 'sk-ant-key-of-anthropic-a2b3' });
    const azure = {
      endpoint: tenkey.provider.url,
      api_version: '2025-04-01-preview',
      deployment_name: 'dep-1',
    };
    await tenkey.setCredential(tenant, 'azure', { api_key: 'key-of-azure-a2b3', ...azure });
    free = (await issueTenantKey(tenkey, tenant)).key;
    const allowed = { allowed_models: ['gpt-4o', 'claude', 'on-azure', 'whisper'] };
    limited = (await issueTenantKey(tenkey, tenant, allowed)).key;
  });
  beforeEach(() => tenkey.provider.reset());

  const post = (path: string, key: string, headers: Record<string, string> = {}) =>
    tenkey
      .http()
      .post(path)
      .set({ authorization: `Bearer ${key}`, ...headers });

  it.each([
    ['/v1/chat/completions', 'gpt-4o', 'models', { messages, models: ['gpt-4o', 'o3'], route: 'fallback' }],
    ['/v1/chat/completions', 'gpt-4o', 'route', { messages, route: 'fallback' }],
    ['/v1/chat/completions', 'claude', 'fallbacks', { messages, fallbacks: ['o3'] }],
    [
      '/v1/messages',
      'claude',
      'fallbacks',
      { messages, max_tokens: 9, fallbacks: [{ model: 'claude-opus' }] },
    ],
    [
      '/v1/messages',
      'claude',
      'tools[0].model',
      { messages, max_tokens: 9, tools: [{ type: 'advisor', model: 'o3' }] },
    ],
    [
      '/v1/responses',
      'gpt-4o',
      'tools[0].model',
      { input: 'hello', tools: [{ type: 'image_generation', model: 'gpt-image-1' }] },
    ],
    ['/openai/deployments/gpt-4o/chat/completions', 'ignored', 'models', { messages, models: ['o3'] }],
  ])('may not name others on %s, for %s by %s', async (path, model, param, fields) => {
    const refused = await post(path, limited).send({ model, ...fields });
    expect(refused.status).toBe(403);
    expect(refused.body.error).toMatchObject({ code: 'forbidden', tenkey_code: 'forbidden', param });
    expect(refused.body.error.type).toBe('permission_error');
    expect(refused.body.error.message).toContain(
      `The parameter ${param.replace(/\[.*/, '')} names another model`,
    );
    expect(tenkey.provider.calls.begun).toBe(0);
    // Whether a provider accepts it is for the provider to say.
    await post(path, free).send({ model, ...fields });
    expect(tenkey.provider.calls.begun).toBe(1);
  });

  it('may not name a deployment in a header', async () => {
    const header = 'x-ms-oai-image-generation-deployment';
    const body = { model: 'on-azure', input: 'hello', tools: [{ type: 'image_generation' }] };
    const refused = await post('/v1/responses', limited, { [header]: 'gpt-image-1' }).send(body);
    expect([refused.status, refused.body.error.code, refused.body.error.param]).toEqual([
      403,
      'forbidden',
      header,
    ]);
    expect(refused.body.error.message).toContain(header);
    expect(tenkey.provider.calls.begun).toBe(0);
    expect((await post('/v1/responses', free, { [header]: 'gpt-image-1' }).send(body)).status).toBe(200);
    expect(tenkey.provider.requests[0]!.headers[header]).toBe('gpt-image-1');
    expect((await post('/v1/responses', limited).send(body)).status).toBe(200);
  });

  it('may not name others in a form, before or after the model', async () => {
    for (const isFirst of [true, false]) {
      const form = post('/v1/audio/transcriptions', limited);
      if (isFirst) void form.field('models', 'whisper-2');
      void form.field('model', 'whisper');
      if (!isFirst) void form.field('models', 'whisper-2');
      const refused = await form.attach('file', sound, 'a.wav');
      expect([isFirst, refused.status, refused.body.error.param]).toEqual([isFirst, 403, 'models']);
    }
    expect(tenkey.provider.requests.filter(({ aborted }) => !aborted)).toEqual([]);
    const allowed = post('/v1/audio/transcriptions', limited)
      .field('model', 'whisper')
      .field('language', 'sv');
    expect((await allowed.attach('file', sound, 'a.wav')).status).toBe(200);
  });

  it('may not hide another model in the name of a part of a form', async () => {
    // Python's parser reads the backslash and the quote as one character of the name, and takes the second name.
    const part = (head: string, value: string) =>
      `--X\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`;
    const hidden = part(String.raw`name="a\\"; filename="; name=model; z="`, 'whisper-2');
    const refused = await post('/v1/audio/transcriptions', limited)
      .set('content-type', 'multipart/form-data; boundary=X')
      .send(`${part('name="model"', 'whisper')}${hidden}--X--\r\n`);
    expect([refused.status, refused.body.error.code]).toEqual([400, 'malformed_request']);
    expect(tenkey.provider.requests.filter(({ aborted }) => !aborted)).toEqual([]);
  });

  it('may call its models with everything else, and the bytes pass unchanged', async () => {
    const parameters = { type: 'object', properties: { model: { type: 'string' } }, required: ['model'] };
    const body = {
      model: 'gpt-4o',
      messages,
      models: null,
      tools: [{ type: 'function', function: { name: 'cars_of_model', parameters } }],
      metadata: { model: 'of the client' },
    };
    expect((await post('/v1/chat/completions', limited).send(body)).status).toBe(200);
    expect(tenkey.provider.requests[0]!.rawBody).toBe(JSON.stringify(body));
  });
});
