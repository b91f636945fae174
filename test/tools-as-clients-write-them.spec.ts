import { describeWithApp } from './support/app';

const models = `
completion_models:
  - { name: gpt, litellm_model_name: openai/gpt-4o }
  - { name: claude, litellm_model_name: anthropic/claude-sonnet-4-5 }
`;
const schema = { type: 'object', properties: { city: { type: 'string' } } };
const chunk = (delta: object, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;

describeWithApp('tools, as clients and servers write them', {}, { models }, (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    for (const id of ['openai', 'anthropic'])
      await tenkey.setCredential(tenant, id, { api_key: `sk-key-of-a-tool-${id}` });
  });
  beforeEach(() => tenkey.provider.reset());
  const sent = () => tenkey.provider.requests[0]!.body;
  const messages = (body: object) =>
    tenkey.call(tenant, 'messages', {
      model: 'gpt',
      max_tokens: 9,
      tools: [{ name: 'weather', input_schema: schema }],
      ...body,
    });

  it('reach a model with chat completions in their order when a result comes after a text in one turn', async () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Umeå' } };
    const answer = await messages({
      messages: [
        { role: 'user', content: 'Where?' },
        { role: 'assistant', content: [call] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Here it is.' },
            { type: 'tool_result', tool_use_id: 'toolu_1', content: 'snow' },
            { type: 'text', text: 'And now?' },
          ],
        },
      ],
    });
    expect(answer.status).toBe(200);
    const roles = sent().messages.map((message: { role: string }) => message.role);
    // The result follows its call at once, because OpenAI refuses anything in between.
    expect(roles.slice(0, 3)).toEqual(['user', 'assistant', 'tool']);
    const texts = JSON.stringify(sent().messages.slice(3));
    expect(texts.indexOf('Here it is.')).toBeGreaterThan(-1);
    expect(texts.indexOf('And now?')).toBeGreaterThan(texts.indexOf('Here it is.'));
  });

  it('may lack their type, and may be forbidden, in both formats', async () => {
    const question = [{ role: 'user', content: 'Where?' }];
    const answer = await messages({ messages: question, tool_choice: { type: 'none' } });
    expect([answer.status, sent().tool_choice, sent().tools[0].function.name]).toEqual([
      200,
      'none',
      'weather',
    ]);
    tenkey.provider.reset();
    const tools = [{ function: { name: 'weather', parameters: schema } }];
    const chat = await tenkey.chat(tenant, {
      model: 'claude',
      messages: question,
      tools,
      tool_choice: 'none',
    });
    expect([chat.status, sent().tool_choice, sent().tools[0].name]).toEqual([
      200,
      { type: 'none' },
      'weather',
    ]);
  });

  it('have their whole name when a server splits it, and no empty block comes of an empty list of calls', async () => {
    tenkey.provider.next({
      chunks: [
        chunk({ role: 'assistant', content: 'Let me look.', tool_calls: [] }),
        chunk({ content: ' Now.', tool_calls: [] }),
        chunk({
          tool_calls: [
            { index: 0, id: 'call_1', type: 'function', function: { name: 'wea', arguments: '' } },
          ],
        }),
        chunk({ tool_calls: [{ index: 0, function: { name: 'ther', arguments: '' } }] }),
        chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":"Umeå"}' } }] }),
        chunk({ tool_calls: [] }, 'tool_calls'),
        'data: [DONE]\n\n',
      ],
    });
    const answer = await messages({ messages: [{ role: 'user', content: 'Where?' }], stream: true });
    const events = [...answer.text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!));
    const blocks = events
      .filter(({ type }) => type === 'content_block_start')
      .map((each) => each.content_block);
    expect(blocks.map(({ type, name }) => [type, name])).toEqual([
      ['text', undefined],
      ['tool_use', 'weather'],
    ]);
    const json = events.map(({ delta }) => (delta?.partial_json as string | undefined) ?? '').join('');
    expect(JSON.parse(json)).toEqual({ city: 'Umeå' });
  });
});
