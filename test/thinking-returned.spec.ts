import { describeWithApp } from './support/app';

const models = `
completion_models:
  - { name: kimi, litellm_model_name: openai_compatible/kimi-k2-thinking }
  - { name: gpt, litellm_model_name: openai/gpt-4o }
`;
const data = (value: unknown) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
const question = { role: 'user', content: 'What is the weather?' };
const tools = [{ name: 'weather', input_schema: { type: 'object', properties: {} } }];
const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } };

describeWithApp('thinking of an earlier turn', {}, { models }, (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    const api_key = 'sk-sentinel-of-returned-thinking-r1t1';
    await tenkey.setCredential(tenant, 'openai_compatible', {
      api_key,
      endpoint: `${tenkey.provider.url}/v1`,
    });
    await tenkey.setCredential(tenant, 'openai', { api_key });
  });
  beforeEach(() => tenkey.provider.reset());

  const ask = (model: string, messages: object[], fields: object = {}) =>
    tenkey.call(tenant, 'messages', { model, max_tokens: 100, tools, messages, ...fields });
  const result = { type: 'tool_result', tool_use_id: 'call_1', content: 'sunny' };
  const assistantIn = () => tenkey.provider.requests.at(-1)!.body.messages[1] as object;

  it('goes back to the model in the field from which it came, after a whole response', async () => {
    const message = {
      role: 'assistant',
      content: 'One moment.',
      reasoning_content: 'I should look.',
      tool_calls: [call],
    };
    tenkey.provider.next({
      body: { id: 'c', choices: [{ index: 0, message, finish_reason: 'tool_calls' }] },
    });
    const { body } = await ask('kimi', [question]);
    expect(body.content.map(({ type }: any) => type)).toEqual(['thinking', 'text', 'tool_use']);
    const messages = [
      question,
      { role: 'assistant', content: body.content },
      { role: 'user', content: [result] },
    ];
    expect((await ask('kimi', messages)).status).toBe(200);
    expect(assistantIn()).toEqual(message);
  });

  it('goes back to the model after a streamed response', async () => {
    const delta = (fields: object, finish_reason: string | null = null) =>
      data({ id: 'c', choices: [{ index: 0, delta: fields, finish_reason }] });
    const chunks = [
      delta({ role: 'assistant', reasoning_content: 'I should ' }),
      delta({ reasoning_content: 'look.' }),
      delta({ tool_calls: [{ index: 0, ...call }] }),
      delta({}, 'tool_calls'),
      data('[DONE]'),
    ];
    tenkey.provider.next({ chunks });
    const { text } = await ask('kimi', [question], { stream: true });
    const thinking = [...text.matchAll(/"thinking_delta","thinking":("[^"]*")/g)].map(([, part]) =>
      JSON.parse(part!),
    );
    const content = [
      { type: 'thinking', thinking: thinking.join(''), signature: '' },
      { type: 'tool_use', id: 'call_1', name: 'weather', input: {} },
    ];
    await ask('kimi', [question, { role: 'assistant', content }, { role: 'user', content: [result] }]);
    expect(assistantIn()).toEqual({
      role: 'assistant',
      content: null,
      reasoning_content: 'I should look.',
      tool_calls: [call],
    });
  });

  it('is left out for a provider that refuses fields it does not know', async () => {
    const content = [
      { type: 'thinking', thinking: 'I should look.', signature: '' },
      { type: 'text', text: 'It is sunny.' },
    ];
    await ask('gpt', [question, { role: 'assistant', content }, question]);
    expect(assistantIn()).toEqual({ role: 'assistant', content: 'It is sunny.' });
  });
});
