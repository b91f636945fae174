import { describeWithApp, platformKey } from './support/app';

const models = `
completion_models:
  - { name: claude, litellm_model_name: anthropic/claude-sonnet-4-5 }
  - { name: gpt, litellm_model_name: openai/gpt-4o }
`;
/** An object of an application, as the text in which a double would change each number. */
const input =
  '{"id":9007199254740993,"price":1.0,"size":1e2,"list":[-0,0.10,123456789012345678901234567890]}';
const schema =
  '{"type":"object","properties":{"id":{"type":"integer","maximum":9007199254740993,"multipleOf":1.0}}}';
const quoted = JSON.stringify(input);
const json = { 'content-type': 'application/json' };
const data = (text: string) => `data: ${text}\n\n`;
const usage =
  '"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"input_tokens":3,"output_tokens":2}';

describeWithApp('the numbers in tools', {}, { models }, (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-sentinel-numbers-in-tools-n1t1' });
    await tenkey.setCredential(tenant, 'anthropic', { api_key: 'sk-ant-sentinel-numbers-in-tools-n1t2' });
  });
  beforeEach(() => tenkey.provider.reset());

  /** A request as text, because objects have no digits. */
  const post = (path: string, body: string) =>
    tenkey
      .http()
      .post(`/v1/${path}`)
      .set({ ...json, 'X-API-Key': platformKey, 'X-Tenant-ID': tenant })
      .send(body);
  const chat = (stream: boolean) =>
    post(
      'chat/completions',
      `{"model":"claude","stream":${stream},"temperature":1.0,"messages":[{"role":"user","content":"Which?"},` +
        `{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":${quoted}}}]},` +
        `{"role":"tool","tool_call_id":"a","content":"1.0"}],` +
        `"tools":[{"type":"function","function":{"name":"f","parameters":${schema}}}]}`,
    );
  const message = (stream: boolean) =>
    post(
      'messages',
      `{"model":"gpt","stream":${stream},"max_tokens":50,"seed":9007199254740993,"messages":[{"role":"user","content":"Which?"},` +
        `{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":${input}}]},` +
        `{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"1.0"}]}],` +
        `"tools":[{"name":"f","input_schema":${schema}}]}`,
    );

  describe('of a chat with Claude', () => {
    it('reach Claude with their digits, in a call and in a schema', async () => {
      expect((await chat(false)).status).toBe(200);
      const [{ rawBody, body } = { rawBody: '', body: undefined }] = tenkey.provider.requests;
      expect(rawBody).toContain(`"input":${input}`);
      expect(rawBody).toContain(`"input_schema":${schema}`);
      expect(body.tools).toHaveLength(1);
    });

    it('reach the client with their digits in a whole response', async () => {
      const block = `{"type":"tool_use","id":"t","name":"f","input":${input}}`;
      const body = `{"id":"msg_1","type":"message","role":"assistant","content":[${block}],"stop_reason":"tool_use",${usage}}`;
      tenkey.provider.next({ body, headers: json });
      const answer = await chat(false);
      expect(answer.body.choices[0].message.tool_calls[0].function.arguments).toBe(input);
    });

    it.each([
      ['fragments', '{}', [input.slice(0, 20), input.slice(20)]],
      ['the first event', input, []],
    ])('reach the client with their digits in a stream, from %s', async (_, start, fragments) => {
      const delta = (text: string) =>
        `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":${JSON.stringify(text)}}}`;
      const events = [
        `{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":3,"output_tokens":1}}}`,
        `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":${start}}}`,
        ...fragments.map(delta),
        '{"type":"content_block_stop","index":0}',
        '{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":2}}',
        '{"type":"message_stop"}',
      ];
      tenkey.provider.next({ chunks: events.map(data) });
      const { text } = await chat(true);
      const received = [...text.matchAll(/"arguments":("(?:[^"\\]|\\.)*")/g)].map(
        ([, fragment]) => fragment!,
      );
      expect(received.map((fragment) => JSON.parse(fragment) as string).join('')).toBe(input);
    });
  });

  describe('of a message to a model with chat completions', () => {
    it('reach the model with their digits, in a call and in a schema', async () => {
      expect((await message(false)).status).toBe(200);
      const [{ rawBody } = { rawBody: '' }] = tenkey.provider.requests;
      expect(rawBody).toContain(`"arguments":${quoted}`);
      expect(rawBody).toContain(`"parameters":${schema}`);
      expect(rawBody).toContain('"seed":9007199254740993');
    });

    it.each([
      ['text', quoted],
      ['an object', input],
    ])(
      'reach the client with their digits in a whole response, from arguments that are %s',
      async (_, args) => {
        const call = `{"id":"t","type":"function","function":{"name":"f","arguments":${args}}}`;
        const choice = `{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[${call}]},"finish_reason":"tool_calls"}`;
        tenkey.provider.next({ body: `{"id":"chatcmpl-1","choices":[${choice}],${usage}}`, headers: json });
        expect((await message(false)).text).toContain(`"input":${input}`);
      },
    );

    it.each([
      ['fragments of text', [JSON.stringify(input.slice(0, 20)), JSON.stringify(input.slice(20))]],
      ['an object', [input]],
    ])('reach the client with their digits in a stream, from arguments that are %s', async (_, fragments) => {
      const chunk = (delta: string, finish = 'null') =>
        data(`{"id":"chatcmpl-1","choices":[{"index":0,"delta":${delta},"finish_reason":${finish}}]}`);
      const call = (fields: string) => `{"tool_calls":[{"index":0,${fields}}]}`;
      tenkey.provider.next({
        chunks: [
          chunk(call('"id":"t","type":"function","function":{"name":"f","arguments":""}')),
          ...fragments.map((fragment) => chunk(call(`"function":{"arguments":${fragment}}`))),
          chunk('{}', '"tool_calls"'),
          data('[DONE]'),
        ],
      });
      const { text } = await message(true);
      const received = [...text.matchAll(/"partial_json":("(?:[^"\\]|\\.)*")/g)].map(
        ([, fragment]) => fragment!,
      );
      expect(received.map((fragment) => JSON.parse(fragment) as string).join('')).toBe(input);
    });
  });
});
