import { describeWithApp } from './support/app';
import { eventsIn, gatheredMessage } from './support/streamed-answers';

const models = `
completion_models:
  - { name: gemini, litellm_model_name: gemini/gemini-3-pro-preview }
  - { name: mistral, litellm_model_name: mistral/mistral-large }
`;
const data = (value: unknown) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
const question = { role: 'user', content: 'How is the weather in Umeå and in Luleå?' };
const tools = [{ name: 'weather', input_schema: { type: 'object', properties: {} } }];
const call = (id: string, fields: object = {}) => ({
  ...fields,
  id,
  type: 'function',
  function: { name: 'weather', arguments: '{}' },
});
/** Gemini signs the first of several calls, and refuses it without its signature. */
const calls = [
  call('call00001', { extra_content: { google: { thought_signature: 'CtwBAdHtim+/==' } } }),
  call('call00002'),
];
const results = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'snow' }));

describeWithApp('a call that Gemini has signed', {}, { models }, (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    const api_key = 'sk-sentinel-of-signed-calls-g3g3';
    for (const id of ['gemini', 'mistral']) await tenkey.setCredential(tenant, id, { api_key });
  });
  beforeEach(() => tenkey.provider.reset());

  const ask = (model: string, messages: object[], fields: object = {}) =>
    tenkey.call(tenant, 'messages', { model, max_tokens: 100, tools, messages, ...fields });
  const whole = async () => {
    const message = { role: 'assistant', content: null, tool_calls: calls };
    tenkey.provider.next({
      body: { id: 'c', choices: [{ index: 0, message, finish_reason: 'tool_calls' }] },
    });
    return (await ask('gemini', [question])).body;
  };
  const streamed = async () => {
    const delta = (fields: object, finish_reason: string | null = null) =>
      data({ id: 'c', choices: [{ index: 0, delta: { role: 'assistant', ...fields }, finish_reason }] });
    const chunks = calls.map((each) => delta({ tool_calls: [{ index: 0, ...each }] }, 'tool_calls'));
    tenkey.provider.next({ chunks: [...chunks, data('[DONE]')] });
    return gatheredMessage(eventsIn((await ask('gemini', [question], { stream: true })).text));
  };

  it.each([
    ['whole', whole],
    ['streamed', streamed],
  ])("goes back to it with the signature after a response in Anthropic's format: %s", async (_, first) => {
    const { content } = await first();
    expect(content).toMatchObject([
      { type: 'redacted_thinking' },
      { type: 'tool_use', id: 'call00001' },
      { type: 'tool_use', id: 'call00002' },
    ]);
    const history = [question, { role: 'assistant', content }, { role: 'user', content: results }];
    const { status, headers } = await ask('gemini', history);
    expect(status).toBe(200);
    expect(headers).not.toHaveProperty('x-tenkey-dropped-params');
    expect(tenkey.provider.requests.at(-1)!.body.messages[1]).toEqual({
      role: 'assistant',
      content: null,
      tool_calls: calls,
    });
    await ask('mistral', history);
    expect(tenkey.provider.requests.at(-1)!.body.messages[1].tool_calls).toEqual([
      call('call00001'),
      call('call00002'),
    ]);
  });
});
