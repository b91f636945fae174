import { describeWithApp, platformKey, startTestApp, type TestApp } from './support/app';

const models = `
completion_models:
  - { name: mistral, litellm_model_name: mistral/mistral-small-latest }
  - { name: groq, litellm_model_name: groq/openai/gpt-oss-120b }
  - { name: gpt, litellm_model_name: openai/gpt-4o }
`;
const user = { role: 'user', content: 'What is the weather?' };
const callOf = (id: string) => ({
  id,
  type: 'function',
  function: { name: 'weather', arguments: '{"city":"Umeå"}' },
});
/** The messages of a conversation with another provider's model, as the openai SDK and litellm keep them. */
const history = (id: string) => [
  user,
  {
    role: 'assistant',
    content: null,
    refusal: null,
    annotations: [],
    audio: null,
    function_call: null,
    reasoning_content: 'I should look.',
    thinking_blocks: [{ type: 'thinking', thinking: 'I should look.', signature: 's' }],
    tool_calls: [callOf(id)],
  },
  { role: 'tool', tool_call_id: id, name: 'weather', content: 'sunny' },
  { role: 'assistant', content: 'It is sunny.', refusal: null, annotations: [], reasoning_content: '' },
  { role: 'user', content: 'Thank you', name: 'Ada' },
];
const key = 'sentinel-of-messages-to-mistral-m1m1';

async function tenantOf(tenkey: TestApp): Promise<string> {
  const tenant = await tenkey.createTenant();
  for (const id of ['mistral', 'groq', 'openai']) await tenkey.setCredential(tenant, id, { api_key: key });
  return tenant;
}

describeWithApp('messages to Mistral and Groq', {}, { models }, (tenkey) => {
  let tenant: string;
  beforeAll(async () => (tenant = await tenantOf(tenkey)));
  beforeEach(() => tenkey.provider.reset());
  const sent = () => tenkey.provider.requests[0]!.body.messages as any[];
  const chat = (messages: object[], model = 'mistral') => tenkey.chat(tenant, { model, messages });

  it('have only the fields that Mistral accepts, and the response names those with content that were left out', async () => {
    const answer = await chat(history('D681PevKs'));
    expect(answer.status).toBe(200);
    expect(answer.headers['x-tenkey-dropped-params']).toBe(
      'messages[].reasoning_content, messages[].thinking_blocks, messages[].name',
    );
    expect(sent()).toEqual([
      user,
      { role: 'assistant', content: null, tool_calls: [callOf('D681PevKs')] },
      { role: 'tool', tool_call_id: 'D681PevKs', name: 'weather', content: 'sunny' },
      { role: 'assistant', content: 'It is sunny.' },
      { role: 'user', content: 'Thank you' },
    ]);
  });

  it('are for Groq those of the assistant that it accepts', async () => {
    const answer = await chat(history('call_1'), 'groq');
    expect(answer.headers['x-tenkey-dropped-params']).toBe(
      'messages[].reasoning_content, messages[].thinking_blocks',
    );
    const [first, , result, , last] = history('call_1');
    expect(sent()).toEqual([
      first,
      { role: 'assistant', content: null, tool_calls: [callOf('call_1')] },
      result,
      { role: 'assistant', content: 'It is sunny.' },
      last,
    ]);
  });

  it('of other providers are sent as they are', async () => {
    const answer = await chat(history('call_1'), 'gpt');
    expect(answer.headers['x-tenkey-dropped-params']).toBeUndefined();
    expect(sent()).toEqual(history('call_1'));
  });

  it('keep every other byte', async () => {
    const messages =
      '[ {"role":"user", "content":"1.0 \\u00e9" } ,{"content":"b","role":"assistant","prefix":true}]';
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
      body: `{"model":"mistral","messages":${messages}}`,
    });
    expect(tenkey.provider.requests[0]!.rawBody).toBe(
      `{"model":"mistral-small-latest","messages":${messages}}`,
    );
  });

  it.each(['call_abc123', 'toolu_01A09q90qw90lq917835lq9', 'functions.weather:0'])(
    'have ids of tool calls that Mistral accepts, the same for the call, its result and later requests: %s',
    async (id) => {
      await chat(history(id));
      const [, call, result] = sent();
      expect(result.tool_call_id).toMatch(/^[A-Za-z0-9]{9}$/);
      expect(call.tool_calls[0].id).toBe(result.tool_call_id);
      tenkey.provider.reset();
      await chat([...history(id), { role: 'assistant', content: 'You are welcome.' }, user]);
      expect(sent()[2].tool_call_id).toBe(result.tool_call_id);
    },
  );

  it('of a client of Anthropic have such ids too', async () => {
    const answer = await tenkey.call(tenant, 'messages', {
      model: 'mistral',
      max_tokens: 50,
      messages: [
        user,
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'I should look.', signature: '' },
            { type: 'tool_use', id: 'toolu_01', name: 'weather', input: { city: 'Umeå' } },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_01', content: 'sunny' }] },
      ],
    });
    expect(answer.status).toBe(200);
    const [, call, result] = sent();
    expect(Object.keys(call).sort()).toEqual(['content', 'role', 'tool_calls']);
    expect(result.tool_call_id).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(call.tool_calls[0].id).toBe(result.tool_call_id);
  });

  it.each<[string, unknown]>([
    ['a text', 'hello'],
    ['a list of texts', ['hello']],
    ['an object', { role: 'user', reasoning_content: 'x' }],
  ])('that are %s reach Mistral, which refuses them', async (_, messages) => {
    tenkey.provider.next({ status: 422, body: { message: 'messages must be a list of messages' } });
    expect((await chat(messages as object[])).status).toBe(422);
    expect(sent()).toEqual(messages);
  });
});

describe('messages to Mistral with STRICT_PARAMS', () => {
  it('are refused when a field with content would be left out, and sent when it is empty', async () => {
    const tenkey = await startTestApp({ STRICT_PARAMS: 'true' }, { models });
    try {
      const tenant = await tenantOf(tenkey);
      const chat = (fields: object) =>
        tenkey.chat(tenant, {
          model: 'mistral',
          messages: [user, { role: 'assistant', content: 'a', ...fields }, user],
        });
      const refused = await chat({ reasoning_content: 'hm' });
      expect([refused.status, refused.body.error.code, refused.body.error.param]).toEqual([
        400,
        'parameter_not_supported',
        'messages[].reasoning_content',
      ]);
      expect((await chat({ refusal: null, annotations: [], reasoning_content: '' })).status).toBe(200);
    } finally {
      await tenkey.close();
    }
  });
});
