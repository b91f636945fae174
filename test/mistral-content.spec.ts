import OpenAI from 'openai';
import { describeWithApp, platformKey } from './support/app';
import { bodyText } from './support/body-text';

const models = `
completion_models:
  - { name: mistral, litellm_model_name: mistral/magistral-medium-latest }
  - { name: server, litellm_model_name: openai_compatible/gpt-oss-120b }
  - { name: gpt, litellm_model_name: openai/gpt-4o }
`;
const json = { 'content-type': 'application/json' };
const text = (value: string) => ({ type: 'text', text: value });
const reference = { type: 'reference', reference_ids: [1, 2] };
const thinking = { type: 'thinking', thinking: [text('Let me '), reference, text('see.')], closed: true };
const content = [thinking, text('It is sunny'), reference, text(' in Umeå.')];
const answer = 'It is sunny in Umeå.';
const whole = (message: object) =>
  `{"id":"m1","created":1700000000,"model":"magistral","choices":[{"index":0,"message":${JSON.stringify(message)},` +
  '"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5},"score":1.0}';
const data = (value: string) => `data: ${value}\n\n`;
const chunk = (delta: object, rest = '"finish_reason":null}]') =>
  data(`{"id":"m1","choices":[{"index":0,"delta":${JSON.stringify(delta)},${rest},"p":"ab","score":1.0}`);
const last = '"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}';

describeWithApp('content in parts', {}, { models }, (tenkey) => {
  let tenant: string;
  let client: OpenAI;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    const api_key = 'sk-sentinel-of-content-in-parts-c1p1';
    await tenkey.setCredential(tenant, 'mistral', { api_key });
    await tenkey.setCredential(tenant, 'openai', { api_key });
    await tenkey.setCredential(tenant, 'openai_compatible', {
      api_key,
      endpoint: `${tenkey.provider.url}/v1`,
    });
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    client = new OpenAI({
      apiKey: 'unused-by-tenkey',
      baseURL: `http://127.0.0.1:${port}/v1`,
      defaultHeaders: { 'X-API-Key': platformKey, 'X-Tenant-ID': tenant },
      maxRetries: 0,
    });
  });
  beforeEach(() => tenkey.provider.reset());
  const chat = (model: string, fields: object = {}) => tenkey.chat(tenant, { model, ...fields });

  it('reaches the client as text, with the thinking as reasoning_content', async () => {
    tenkey.provider.next({ body: whole({ role: 'assistant', content, tool_calls: null }), headers: json });
    const { text: received } = await chat('mistral');
    expect(received).toBe(
      whole({ role: 'assistant', content: answer, tool_calls: null, reasoning_content: 'Let me see.' }),
    );
  });

  it.each([
    ['thinking only', [thinking], { content: null, reasoning_content: 'Let me see.' }],
    ['texts only', [text('a'), text('b')], { content: 'ab' }],
    ['no parts', [], { content: null }],
    ['plain strings', ['a', text('b')], { content: 'ab' }],
    [
      'thinking as a string',
      [{ type: 'thinking', thinking: 'hm' }, text('a')],
      { content: 'a', reasoning_content: 'hm' },
    ],
    ['a part that is not known', [{ type: 'new', text: 'a' }, { type: 'newer' }, 5, null], { content: 'a' }],
    [
      'the reasoning of Databricks',
      [{ type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] }, text('a')],
      { content: 'a', reasoning_content: 'hm' },
    ],
    ['a refusal', [{ type: 'refusal', refusal: 'no' }], { content: null, refusal: 'no' }],
  ])('is understood when it has %s', async (_, parts, expected) => {
    tenkey.provider.next({ body: whole({ role: 'assistant', content: parts }), headers: json });
    const { body } = await chat('server');
    expect(body.choices[0].message).toEqual({ role: 'assistant', ...expected });
  });

  it('reaches the client of a stream as text, event by event', async () => {
    const chunks = [
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: [thinking] }),
      chunk({ content: [text('It is')] }),
      chunk({ content: ' sunny' }),
      chunk({ content: [reference, text(' in Umeå.')], tool_calls: null }, last),
      data('[DONE]'),
    ];
    tenkey.provider.next({ chunks });
    const { text: received } = await chat('mistral', { stream: true });
    expect(received).toBe(
      [
        chunks[0],
        chunk({ content: null, reasoning_content: 'Let me see.' }),
        chunk({ content: 'It is' }),
        chunks[3],
        chunk({ content: ' in Umeå.', tool_calls: null }, last),
        chunks[5],
      ].join(''),
    );
  });

  it('is read by the openai client, whole and streamed', async () => {
    const request = { model: 'mistral', messages: [{ role: 'user' as const, content: 'hello' }] };
    tenkey.provider.next({ body: whole({ role: 'assistant', content }), headers: json });
    const completion = await client.chat.completions.create(request);
    expect(completion.choices[0]!.message.content).toBe(answer);
    tenkey.provider.next({
      chunks: [
        chunk({ role: 'assistant', content: [thinking] }),
        chunk({ content }),
        chunk({ content: '' }, last),
      ],
    });
    const streamed = await client.chat.completions.stream(request).finalMessage();
    expect(streamed.content).toBe(answer);
  });

  it('reaches a client of Anthropic as blocks', async () => {
    tenkey.provider.next({ body: whole({ role: 'assistant', content }), headers: json });
    const messages = [{ role: 'user', content: 'hello' }];
    const { body } = await tenkey.call(tenant, 'messages', { model: 'mistral', max_tokens: 9, messages });
    expect(body.content).toEqual([
      { type: 'thinking', thinking: 'Let me see.', signature: '' },
      { type: 'text', text: answer },
    ]);
  });

  it.each([
    [
      'spaces and numbers',
      ' {"choices": [ {"message":{"content" : "a \\u00e9", "n":1.0 } } ], "id": "x" }\n',
    ],
    [
      'lists in other places',
      '{"choices":[{"logprobs":{"content":[{"logprob":-1.0}]},"message":{"content":"a"}}]}',
    ],
    ['other JSON', '{"choices":{"message":{"content":[]}},"n":1.0}'],
    ['no JSON', '{"choices":[{"message":{"content":["a"]}}'],
  ])('that is not a list passes with its bytes: %s', async (_, body) => {
    tenkey.provider.next({ body, headers: json });
    const received = await chat('mistral').buffer(true).parse(bodyText);
    expect(received.body).toBe(body);
  });

  it('of a provider that never sends lists passes unread', async () => {
    const body = whole({ role: 'assistant', content });
    tenkey.provider.next({ body, headers: json });
    expect((await chat('gpt')).text).toBe(body);
  });

  it('reaches the client however long it is, and in however many pieces', async () => {
    const long = 'å'.repeat(3_000_000);
    const bytes = Buffer.from(whole({ role: 'assistant', content: [text(long), reference, text('end')] }));
    const parts = Array.from({ length: Math.ceil(bytes.length / 65_537) }, (_, index) =>
      bytes.subarray(index * 65_537, (index + 1) * 65_537),
    );
    tenkey.provider.next({ flow: { type: 'application/json', parts } });
    const { body } = await chat('mistral');
    expect(body.choices[0].message.content === `${long}end`).toBe(true);
  });
});
