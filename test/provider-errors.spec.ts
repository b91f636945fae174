import { type Response } from 'supertest';
import { describeWithApp, platformKey } from './support/app';
import { issueTenantKey } from './support/keys';
import { type NextAnswer } from './support/provider-server';

const models = `
completion_models:
  - { name: gpt, litellm_model_name: openai/gpt-4o }
  - { name: claude, litellm_model_name: anthropic/claude-sonnet-4-5 }
`;
const key = 'sk-sentinel-provider-errors-e5r9';
const messages = [{ role: 'user', content: 'hello' }];
const filterResult = {
  hate: { filtered: false, severity: 'safe' },
  jailbreak: { detected: true, filtered: true },
  custom_blocklists: { details: [], filtered: false },
};

describeWithApp('an error of the provider', { UPSTREAM_RETRIES: '0' }, { models }, (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: key });
    await tenkey.setCredential(tenant, 'anthropic', { api_key: key });
  });
  beforeEach(() => tenkey.provider.reset());

  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    tenkey
      .http()
      .post(path)
      .set({ 'x-api-key': platformKey, 'x-tenant-id': tenant, ...headers })
      .send(body);
  const chat = (answer: NextAnswer, model = 'gpt') => {
    tenkey.provider.next(answer);
    return post('/v1/chat/completions', { model, messages });
  };
  const message = (answer: NextAnswer, model = 'claude') => {
    tenkey.provider.next(answer);
    return post('/v1/messages', { model, messages, max_tokens: 9 });
  };
  const errorOf = ({ body }: Response) => body.error as Record<string, unknown>;

  it('that forbids a model is not about the key', async () => {
    const error = {
      message: 'Project `proj_a` does not have access to model `gpt-4o`',
      type: 'invalid_request_error',
      param: null,
      code: 'model_not_found',
    };
    const response = await chat({ status: 403, body: { error } });
    expect(response.status).toBe(400);
    expect(response.body).toEqual({ error: { ...error, tenkey_code: 'upstream_rejected_request' } });
  });

  it('keeps the code, type, parameter and message, and Tenkey adds its own code', async () => {
    const error = {
      message: "This model's maximum context length is 8192 tokens.",
      type: 'invalid_request_error',
      param: 'messages',
      code: 'context_length_exceeded',
    };
    const response = await chat({ status: 400, body: { error } });
    expect(response.status).toBe(400);
    expect(response.body).toEqual({ error: { ...error, tenkey_code: 'upstream_rejected_request' } });
    expect(response.headers['x-tenkey-problem']).toBe('upstream_rejected_request');
    const translated = await message({ status: 400, body: { error } }, 'gpt');
    expect([translated.status, translated.body]).toEqual([
      400,
      {
        type: 'error',
        error: { ...error, tenkey_code: 'upstream_rejected_request' },
        request_id: translated.headers['x-tenkey-request-id'],
      },
    ]);
  });

  it.each([
    ['a text', 'What you sent is too long.'],
    ['a number', 400],
    ['an object', { a: 1 }],
    ['more than 64 characters', 'x'.repeat(65)],
    ['the key', key],
    ['what looks like a key', 'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789'],
  ])('gets our names when its code, type and parameter are %s', async (_, value) => {
    const error = { message: 'No.', type: value, param: value, code: value };
    const response = await chat({ status: 400, body: { error } });
    expect(errorOf(response)).toEqual({
      message: 'No.',
      type: 'invalid_request_error',
      param: null,
      code: 'upstream_rejected_request',
      tenkey_code: 'upstream_rejected_request',
    });
  });

  it.each([
    [
      {
        code: 'content_filter',
        innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: filterResult },
      },
    ],
    [{ code: 'content_filter', inner_error: { content_filter_results: filterResult } }],
    [{ code: 'content_filter', content_filter_results: filterResult }],
    [{ code: 'ContentFiltered', innererror: { contentFilter: filterResult } }],
  ])('of the content filter keeps its result: %j', async (error) => {
    for (const status of [400, 403]) {
      const response = await chat({ status, body: { error: { message: 'Filtered.', ...error } } });
      expect(response.status).toBe(400);
      expect(errorOf(response)).toMatchObject({
        message: 'Filtered.',
        code: error.code,
        tenkey_code: 'upstream_rejected_request',
        innererror: { content_filter_result: filterResult },
      });
    }
    const native = await message({ status: 400, body: { error: { message: 'Filtered.', ...error } } });
    expect(errorOf(native)).toMatchObject({ type: 'invalid_request_error', code: error.code });
  });

  it('of the content filter keeps the code inside, which may be the only one that names the filter', async () => {
    const innererror = { code: 'ResponsibleAIPolicyViolation' };
    const error = { message: 'Filtered.', code: 'invalid_request_error', innererror };
    const response = await chat({ status: 403, body: { error } });
    expect([response.status, errorOf(response).innererror]).toEqual([400, innererror]);
  });

  it('of the content filter may be a completion without an error', async () => {
    const choices = [{ index: 0, finish_reason: 'content_filter', content_filter_results: filterResult }];
    const response = await chat({ status: 400, body: { object: 'chat.completion', choices } });
    expect([response.status, errorOf(response)]).toMatchObject([
      400,
      { code: 'content_filter', innererror: { content_filter_result: filterResult } },
    ]);
  });

  it('keeps only booleans, numbers and names of what the content filter found', async () => {
    const found = { a: 'the text of the user', [key]: true, b: key, c: [1, 'low', 'a text'], d: null };
    const innererror = { code: key, content_filter_result: found };
    const body = { error: { code: 'content_filter', innererror } };
    const response = await chat({ status: 400, body });
    expect(errorOf(response).innererror).toEqual({ content_filter_result: { c: [1, 'low'] } });
  });

  it.each([
    [429, { type: 'insufficient_quota', code: 'insufficient_quota' }, 429],
    [402, { type: 'billing_error' }, 402],
    [402, {}, 402],
    [
      400,
      { type: 'invalid_request_error', message: 'Your credit balance is too low to access the API.' },
      402,
    ],
  ])('%i with %j says that the quota is used up', async (status, error, expected) => {
    const body = { error: { message: 'You exceeded your current quota.', ...error } };
    for (const response of [await chat({ status, body }), await message({ status, body })]) {
      expect([response.status, response.headers['x-should-retry']]).toEqual([expected, 'false']);
      expect(errorOf(response)).toMatchObject({
        message: body.error.message,
        tenkey_code: 'upstream_quota_exhausted',
      });
    }
    const billing = errorOf(await message({ status: 402, body })).type;
    expect(billing).toBe('billing_error');
  });

  it.each([
    [529, {}],
    [503, { type: 'overloaded_error' }],
    [500, { code: 'overloaded' }],
  ])('%i with %j says that the provider has too much to do', async (status, error) => {
    const answer = {
      status,
      body: { error: { message: 'Overloaded', ...error } },
      headers: { 'x-should-retry': 'true' },
    };
    const ofChat = await chat(answer);
    expect([ofChat.status, ofChat.headers['x-should-retry']]).toEqual([503, 'true']);
    expect(errorOf(ofChat)).toMatchObject({
      message: 'Overloaded',
      type: 'overloaded_error',
      code: 'overloaded',
      tenkey_code: 'upstream_overloaded',
    });
    const ofMessages = await message(answer);
    expect([ofMessages.status, errorOf(ofMessages)]).toMatchObject([
      529,
      { type: 'overloaded_error', tenkey_code: 'upstream_overloaded' },
    ]);
  });

  it('inside a stream says the same', async () => {
    const fault = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const start = { type: 'message_start', message: { id: 'm', usage: { input_tokens: 1 } } };
    const chunks = [start, fault].map((each) => `event: ${each.type}\ndata: ${JSON.stringify(each)}\n\n`);
    const isOverloaded = /"type":"overloaded_error".*"tenkey_code":"upstream_overloaded"/;
    tenkey.provider.next({ chunks, chunkDelayMs: 20 });
    const native = await post('/v1/messages', { model: 'claude', messages, max_tokens: 9, stream: true });
    expect(native.text).toMatch(isOverloaded);
    tenkey.provider.next({ chunks, chunkDelayMs: 20 });
    const translated = await post('/v1/chat/completions', { model: 'claude', messages, stream: true });
    expect(translated.text).toMatch(isOverloaded);
  });

  it('keeps all headers that say when to try again', async () => {
    const headers = {
      'retry-after': '287441',
      'retry-after-ms': '287441000',
      'x-ratelimit-remaining-tokens': '0',
      'anthropic-ratelimit-requests-reset': '2026-12-01T00:00:00Z',
      'x-should-retry': 'false',
      'x-request-id': 'req_7',
    };
    const response = await chat({ status: 429, headers, body: { error: { message: 'Slow down.' } } });
    expect([response.status, response.headers]).toMatchObject([429, headers]);
    const date = 'Wed, 21 Oct 2026 07:28:00 GMT';
    expect((await chat({ status: 429, headers: { 'retry-after': date } })).headers['retry-after']).toBe(date);
  });

  it.each([
    [408, 504, 'upstream_timeout'],
    [504, 504, 'upstream_timeout'],
    [524, 504, 'upstream_timeout'],
    [409, 409, 'upstream_rejected_request'],
    [451, 451, 'upstream_rejected_request'],
    [418, 400, 'upstream_rejected_request'],
    [500, 502, 'upstream_unavailable'],
  ])('%i becomes %i %s', async (status, expected, code) => {
    const response = await chat({ status, body: { error: { message: 'Not now.' } } });
    expect([response.status, errorOf(response)]).toMatchObject([
      expected,
      { message: 'Not now.', tenkey_code: code },
    ]);
  });

  it('that a sysadmin must correct names the fix only to the platform key, and forbids a retry', async () => {
    const other = await tenkey.createTenant();
    const asPlatform = await post(
      '/v1/chat/completions',
      { model: 'gpt', messages },
      { 'x-tenant-id': other },
    );
    expect([asPlatform.status, asPlatform.headers['x-should-retry']]).toEqual([424, 'false']);
    expect(errorOf(asPlatform).message).toContain(`PUT /api/v1/sysadmin/tenants/${other}/credentials/openai`);
    const { key: tenantKey } = await issueTenantKey(tenkey, other);
    const asTenant = await tenkey
      .http()
      .post('/v1/chat/completions')
      .set('authorization', `Bearer ${tenantKey}`)
      .send({ model: 'gpt', messages });
    expect([asTenant.status, errorOf(asTenant).code]).toEqual([424, 'credential_not_configured']);
    expect(errorOf(asTenant).message).toMatch(/Ask the administrator of this service\.$/);
    expect(asTenant.text).not.toContain('sysadmin');
  });
});

describeWithApp('a provider that responds 503', { UPSTREAM_RETRIES: '2' }, { models }, (tenkey) => {
  it.each([
    [
      'is called once for each try of a client that tries again by itself',
      { 'x-stainless-retry-count': '0' },
      1,
    ],
    ['is called again for any other client', {}, 3],
  ])('%s', async (_, headers, calls) => {
    tenkey.provider.reset();
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: key });
    for (let each = 0; each < 3; each += 1) tenkey.provider.next({ status: 503 });
    const response = await tenkey.chat(tenant, { model: 'gpt' }).set(headers);
    expect([response.status, tenkey.provider.requests.length]).toEqual([502, calls]);
  });
});
