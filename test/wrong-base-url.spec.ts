import { describeWithApp, platformKey } from './support/app';
import { issueTenantKey } from './support/keys';

const openAi = /base URL of OpenAI's clients is the address of this server followed by \/v1;/;
const anthropic = /base URL of Anthropic's clients is the address of this server without a path;/;
const azure = /endpoint of Azure's clients is the address of this server without a path;/;
const cohere = /base URL of Cohere's clients is the address of this server without a path;/;
const version = { 'anthropic-version': '2023-06-01' };

describeWithApp('a client with a wrong base URL', (tenkey) => {
  let tenant: string;
  let key: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    ({ key } = await issueTenantKey(tenkey, tenant));
  });

  const keys = () => ({
    bearer: { authorization: `Bearer ${key}` },
    'x-api-key': { 'x-api-key': key },
    'api-key': { 'api-key': key },
    platform: { 'x-api-key': platformKey },
  });
  const post = (path: string, headers: Record<string, string>) =>
    tenkey.http().post(path).set(headers).send({ model: 'gpt-4o', messages: [] });

  it.each([
    ['/v1/v1/chat/completions', openAi],
    ['/v1/v1/models', openAi],
    ['/v1/files', openAi],
    ['/v1/threads/thread_1/messages', openAi],
    ['/v1', openAi],
    ['/v1/no-such-thing', openAi],
    ['/v1/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21', azure],
    ['/openai/deployments/gpt-4o/files', azure],
    ['/openai/assistants?api-version=2024-10-21', azure],
    ['/openai/deployments/openai/deployments/gpt-4o/messages', azure],
    ['/v1/v2/rerank', cohere],
  ])("learns the right one in OpenAI's dialect for %s, whatever key it has", async (path, hint) => {
    for (const [name, headers] of Object.entries(keys())) {
      const answer = await post(path, headers);
      expect([name, answer.status]).toEqual([name, 404]);
      expect(answer.body.error).toMatchObject({
        code: 'route_not_found',
        tenkey_code: 'route_not_found',
        type: 'invalid_request_error',
        param: null,
      });
      const isOfAzure = name === 'api-key' && /chat|models|files|threads/.test(path);
      expect(answer.body.error.message).toMatch(isOfAzure ? azure : hint);
      expect(answer.body.error.message).toMatch(/^There is no such route\. [A-Z]/);
      expect(answer.headers['x-tenkey-problem']).toBe('route_not_found');
    }
    const wrong: Record<string, string>[] = [
      {},
      { authorization: `Bearer ${key}x` },
      { 'x-api-key': `${key}x` },
    ];
    for (const headers of wrong) {
      const refused = await post(path, headers);
      expect([refused.status, refused.body.error.code]).toEqual([401, 'unauthenticated']);
    }
  });

  it.each([
    ['/v1/v1/messages', {}],
    ['/v1/v1/messages/count_tokens', {}],
    ['/v1/messages/batches', {}],
    ['/v1/v1/models', version],
    ['/v1/complete', version],
  ])("learns the right one in Anthropic's dialect for %s", async (path, more) => {
    for (const headers of Object.values(keys())) {
      const answer = await post(path, { ...headers, ...more });
      expect([answer.status, answer.body.type, answer.body.error.type]).toEqual([
        404,
        'error',
        'not_found_error',
      ]);
      expect(answer.body.error).toMatchObject({
        code: 'route_not_found',
        message: expect.stringMatching(anthropic),
      });
    }
    const refused = await post(path, more);
    expect([refused.status, refused.body.type, refused.body.error.type]).toEqual([
      401,
      'error',
      'authentication_error',
    ]);
  });

  it.each([
    ['/chat/completions', {}, openAi],
    ['/embeddings', {}, openAi],
    ['/models', {}, openAi],
    ['/api/v1/chat/completions', {}, openAi],
    ['/chat/completions', { 'api-key': 'any' }, azure],
    ['/deployments/gpt-4o/chat/completions', {}, azure],
    ['/messages', {}, anthropic],
    ['/v2/chat', version, anthropic],
    ['/rerank', {}, cohere],
    ['//v1/chat/completions', {}, openAi],
  ])('learns it outside of /v1 at %s (%j), without a look at its key', async (path, more, hint) => {
    const texts = new Set<string>();
    for (const headers of [{}, ...Object.values(keys()), { authorization: 'Bearer wrong' }]) {
      const answer = await post(path, { ...headers, ...more });
      expect(answer.status).toBe(404);
      const { message, code } = answer.body.error;
      expect([code, answer.headers['x-tenkey-problem']]).toEqual(['route_not_found', 'route_not_found']);
      if (!('api-key' in headers)) texts.add(message);
    }
    expect(texts.size).toBe(1);
    expect([...texts][0]).toMatch(hint);
  });

  it('gets the list of models or its errors in the dialect of its API', async () => {
    const list = (headers: Record<string, string>) => tenkey.http().get('/v1/models').set(headers);
    expect((await list({ 'x-api-key': key })).status).toBe(200);
    const wrong = { 'x-api-key': 'nobodys-key-of-some-length' };
    expect((await list({ ...wrong, ...version })).body).toMatchObject({
      type: 'error',
      error: { type: 'authentication_error' },
    });
    expect((await list(wrong)).body.error).toMatchObject({ code: 'unauthenticated', param: null });
  });

  it('is not taken for one on the sysadmin API or on another path', async () => {
    for (const path of ['/no-such-page', '/api/v1/tenants', '/v2']) {
      const answer = await tenkey.http().get(path);
      expect([path, answer.status, answer.headers['content-type']]).toEqual([
        path,
        404,
        'application/problem+json; charset=utf-8',
      ]);
      expect(answer.body.hint).toBeUndefined();
    }
    const sysadmin = await tenkey.sysadmin('get', '/embeddings');
    expect([sysadmin.status, sysadmin.body.code]).toEqual([404, 'route_not_found']);
  });

  it('gets its key accepted wherever a client may send it below /v1', async () => {
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-openai-a2b3' });
    for (const headers of Object.values(keys()).slice(0, 3)) {
      const answer = await tenkey
        .http()
        .post('/v1/chat/completions')
        .set(headers)
        .send({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] });
      expect(answer.status).toBe(200);
    }
  });

  it('never finds its input in the response', async () => {
    const marker = 'zq8-marker-of-a-client';
    for (const path of [
      `/v1/${marker}/files`,
      `/${marker}/chat/completions?${marker}`,
      `/openai/${marker}`,
    ]) {
      const answer = await post(path, { ...keys().bearer, 'x-marker': marker });
      expect([path, answer.status, answer.text.includes(marker)]).toEqual([path, 404, false]);
    }
  });
});
