import { describeWithApp } from './support/app';
import { issueTenantKey } from './support/keys';
import { eventsIn, gatheredResponse } from './support/streamed-answers';
import { until } from './support/until';
import { usageRecords } from './support/usage';

const models = `
completion_models:
  - { name: gpt, litellm_model_name: openai/gpt-4o }
  - { name: gemma, litellm_model_name: hosted_vllm/google/gemma-3-27b-it }
  - { name: llama, litellm_model_name: berget/meta-llama/Llama-3.3-70B-Instruct }
  - { name: mistral, litellm_model_name: mistral/mistral-large-latest }
  - { name: claude, litellm_model_name: anthropic/claude-sonnet-4-5 }
`;
const key = 'sk-sentinel-of-responses';
const providers = ['openai', 'vllm', 'berget', 'mistral', 'anthropic'];
/** Model, and the path and the upstream model that its provider sees. */
const native = [
  ['gpt', '/v1/responses', 'gpt-4o'],
  ['gemma', '/v1/responses', 'google/gemma-3-27b-it'],
] as const;
const translated = [
  ['llama', '/v1/chat/completions', 'meta-llama/Llama-3.3-70B-Instruct'],
  ['mistral', '/v1/chat/completions', 'mistral-large-latest'],
  ['claude', '/v1/messages', 'claude-sonnet-4-5'],
] as const;
const onChat = ['llama', 'mistral'] as const;
const names = translated.map(([model]) => model);

const weather = {
  type: 'function',
  name: 'weather',
  description: 'The weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: false,
};
describeWithApp('the Responses API', { UPSTREAM_TIMEOUTS: 'idle=20' }, { models }, (tenkey) => {
  let tenant: string;
  beforeEach(async () => {
    tenkey.provider.reset();
    tenant = await tenkey.createTenant();
    for (const id of providers) {
      const endpoint = id === 'vllm' ? { endpoint: tenkey.provider.url } : {};
      await tenkey.setCredential(tenant, id, { api_key: key, ...endpoint });
    }
  });

  const respond = (model: string, body: object = {}) =>
    tenkey.call(tenant, 'responses', { model, input: 'hello', ...body });
  const streamed = async (model: string, body: object = {}) => {
    const { text, status } = await respond(model, { stream: true, ...body });
    expect(status).toBe(200);
    return gatheredResponse(eventsIn(text));
  };
  const seen = () => tenkey.provider.requests.at(-1)?.body;
  const recordOf = async () => (await usageRecords(tenkey, 1, `&tenant_id=${tenant}`))[0];
  const textOf = (response: any) =>
    response.output
      .flatMap(({ content = [] }: any) => content)
      .map(({ text }: any) => text)
      .join('');

  it.each([...native, ...translated])(
    'serves %s through %s, whole and streamed',
    async (model, path, upstream) => {
      const { status, body, headers } = await respond(model);
      expect(status).toBe(200);
      expect(body).toMatchObject({ object: 'response', status: 'completed' });
      expect(textOf(body)).toBe('echo: hello');
      expect(body.usage).toMatchObject({ input_tokens: 3, output_tokens: 2, total_tokens: 5 });
      expect(headers['x-tenkey-receipt']).toMatch(/^tkr1\./);
      expect(headers).not.toHaveProperty('x-tenkey-dropped-params');
      const whole = await streamed(model);
      expect(textOf(whole)).toBe('echo: hello');
      expect(whole.usage).toMatchObject({ input_tokens: 3, output_tokens: 2, total_tokens: 5 });
      for (const each of tenkey.provider.requests)
        expect(each).toMatchObject({ path, key, body: { model: upstream } });
    },
  );

  it.each(translated)('repeats the request in the response of %s and stores nothing', async (model) => {
    const request = { instructions: 'Be brief.', metadata: { purpose: 'test' }, max_output_tokens: 50 };
    for (const response of [(await respond(model, request)).body, await streamed(model, request)]) {
      expect(response).toMatchObject({ ...request, model, store: false, background: false, error: null });
    }
  });

  it.each(names)('calls a function of the client and gets its result, with %s', async (model) => {
    for (const call of [
      async (body: object) => (await respond(model, body)).body,
      (body: object) => streamed(model, body),
    ]) {
      const question = { role: 'user', content: 'How is the weather in Umeå?' };
      const { output } = await call({ input: [question], tools: [weather], parallel_tool_calls: false });
      expect(output).toMatchObject([
        { type: 'function_call', status: 'completed', name: 'weather', arguments: '{"city":"Umeå"}' },
      ]);
      const { call_id } = output[0];
      const result = { type: 'function_call_output', call_id, output: 'snow' };
      const answer = await call({ input: [question, ...output, result], tools: [weather] });
      expect(textOf(answer)).toBe('echo: snow');
    }
  });

  it.each(names)('has JSON of a schema from %s', async (model) => {
    const schema = { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] };
    const format = { type: 'json_schema', name: 'answer', schema, strict: true };
    const { body } = await respond(model, { text: { format } });
    expect(JSON.parse(textOf(body))).toEqual({ answer: 'echo: hello' });
    expect(body.text).toEqual({ format });
  });

  it('names what was left out, in the words of the client', async () => {
    const request = {
      store: true,
      safety_identifier: 'u1',
      truncation: 'auto',
      text: { verbosity: 'low' },
      include: ['message.output_text.logprobs'],
      unknown_parameter: 1,
    };
    const droppedBy = async (model: string) =>
      (await respond(model, request)).headers['x-tenkey-dropped-params'];
    expect(await droppedBy('llama')).toBe('store, truncation, unknown_parameter');
    expect(await droppedBy('mistral')).toBe(
      'store, truncation, unknown_parameter, safety_identifier, text, include',
    );
    expect(await droppedBy('claude')).toBe('store, truncation, unknown_parameter, text, include');
  });

  it.each([
    ['previous_response_id', { previous_response_id: 'resp_1' }, 'Send the earlier items in input instead.'],
    ['conversation', { conversation: 'conv_1' }, 'Send the earlier items in input instead.'],
    ['prompt', { prompt: { id: 'pmpt_1' } }, 'instructions and input'],
    ['background', { background: true }, 'Leave it out'],
    ['tools[0].type', { tools: [{ type: 'web_search' }] }, 'the tool web_search'],
    [
      'tools[1].type',
      { tools: [weather, { type: 'file_search', vector_store_ids: [] }] },
      'the tool file_search',
    ],
    ['tools[0].type', { tools: [{ type: 'mcp', server_label: 's' }] }, 'the tool mcp'],
    ['input[0].type', { input: [{ type: 'item_reference', id: 'msg_1' }] }, 'store: false'],
    [
      'input[0].content[0]',
      { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }] },
      'image_url',
    ],
  ])(
    'refuses what a translation cannot do at %s, and calls no provider: %j',
    async (param, request, advice) => {
      for (const model of names) {
        const { status, body } = await respond(model, request);
        expect([status, body.error.code, body.error.param]).toEqual([400, 'parameter_not_supported', param]);
        expect(body.error.message).toContain(advice);
      }
      expect(tenkey.provider.calls.begun).toBe(0);
    },
  );

  it.each([...native])('passes the same on to %s, which has it itself', async (model) => {
    const request = {
      previous_response_id: null,
      store: true,
      tools: [{ type: 'web_search' }],
      truncation: 'auto',
    };
    const { status, headers } = await respond(model, request);
    expect([status, headers['x-tenkey-dropped-params']]).toEqual([200, undefined]);
    expect(seen()).toMatchObject(request);
  });

  it.each(translated)('records the call of %s as one of responses, with its tokens', async (model) => {
    await streamed(model);
    expect(await recordOf()).toMatchObject({
      operation: 'responses',
      model,
      outcome: 'completed',
      input_tokens: 3,
      output_tokens: 2,
    });
  });

  it.each(names)('reserves the tokens that a call of %s may use', async (model) => {
    const { key: limited } = await issueTenantKey(tenkey, tenant, { tokens_per_minute: 1000 });
    const call = (max_output_tokens: number) =>
      tenkey
        .http()
        .post('/v1/responses')
        .set('authorization', `Bearer ${limited}`)
        .send({ model, input: 'hello', max_output_tokens });
    expect((await call(2000)).status).toBe(429);
    expect((await call(900)).status).toBe(200);
    // The provider reported five tokens.
    expect((await call(900)).status).toBe(200);
  });

  it.each(names)("reports the errors of %s's provider in OpenAI's format", async (model) => {
    const error = { type: 'invalid_request_error', code: 'context_length_exceeded', message: 'Too long.' };
    tenkey.provider.next({ status: 400, body: { type: 'error', error } });
    const { status, body } = await respond(model);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({
      message: expect.stringContaining('Too long.'),
      tenkey_code: 'upstream_rejected_request',
    });
    tenkey.provider.next({ body: { id: 'x', unexpected: true } });
    expect((await respond(model)).status).toBe(502);
  });

  it.each(onChat)(
    'ends with an error event when the provider of %s reports one, or breaks off',
    async (model) => {
      const begin = 'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n';
      for (const end of ['data: {"error":{"message":"It broke."}}\n\n', '']) {
        tenkey.provider.next({ chunks: [begin, end].filter((part) => part !== '') });
        const { text } = await respond(model, { stream: true });
        const events = eventsIn(text);
        expect(events.at(-1)!.event).toBe('error');
        expect(JSON.parse(events.at(-1)!.data)).toMatchObject({ type: 'error', message: expect.any(String) });
        expect(events.map(({ event }) => event)).toContain('response.output_text.delta');
        expect(text).not.toContain('response.completed');
      }
    },
  );

  it('closes the connection to the provider when the client leaves', async () => {
    const begin = Buffer.from(
      'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n',
    );
    tenkey.provider.next({ flow: { type: 'text/event-stream', parts: [begin], isEndless: true } });
    const request = respond('llama', { stream: true });
    request.end(() => undefined);
    await until(() => tenkey.provider.calls.sentBytes > 0, 'the stream has begun');
    request.abort();
    await until(() => tenkey.provider.calls.open === 0, 'the connection is closed');
    expect(await recordOf()).toMatchObject({ outcome: 'client_left', operation: 'responses' });
  });

  it('is among the endpoints that explain shows for every model', async () => {
    const { body } = await tenkey.sysadmin('get', `/tenants/${tenant}/models`);
    const shown = (body.models as { name: string; endpoints: string[] }[]).map(({ name, endpoints }) => [
      name,
      endpoints.includes('/v1/responses'),
    ]);
    expect(shown.sort()).toEqual([...native, ...translated].map(([model]) => [model, true]).sort());
  });
});

describeWithApp('with STRICT_PARAMS', { STRICT_PARAMS: 'true' }, { models }, (tenkey) => {
  it('a translated request that would lose a parameter is refused', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'mistral', { api_key: key });
    const respond = (body: object) =>
      tenkey.call(tenant, 'responses', { model: 'mistral', input: 'hello', ...body });
    const { status, body } = await respond({ store: true });
    expect([status, body.error.code, body.error.param]).toEqual([400, 'parameter_not_supported', 'store']);
    expect((await respond({ store: false, stream: true })).status).toBe(200);
  });
});
