import { describeWithApp } from './support/app';
import { chunksOfChat, eventsIn, eventsOfMessage, gatheredResponse } from './support/streamed-answers';

const models = `
completion_models:
  - { name: llama, litellm_model_name: berget/meta-llama/Llama-3.3-70B-Instruct }
  - { name: claude, litellm_model_name: anthropic/claude-sonnet-4-5 }
  - { name: magistral, litellm_model_name: mistral/magistral-medium }
`;
const key = 'sk-sentinel-of-conversations';
const weather = {
  type: 'function',
  name: 'weather',
  description: 'The weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: false,
};
const sizes = [2, 4];
const written = (events: { event?: string; data: string }[]) =>
  events.map(({ event, data }) => `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`);

describeWithApp('a conversation in the Responses API', {}, { models }, (tenkey) => {
  let tenant: string;
  beforeEach(async () => {
    tenkey.provider.reset();
    tenant = await tenkey.createTenant();
    for (const id of ['berget', 'anthropic', 'mistral'])
      await tenkey.setCredential(tenant, id, { api_key: key });
  });

  const respond = (model: string, body: object) => tenkey.call(tenant, 'responses', { model, ...body });
  const streamed = async (model: string, body: object) => {
    const { text, status } = await respond(model, { stream: true, ...body });
    expect(status).toBe(200);
    return gatheredResponse(eventsIn(text));
  };
  const seen = () => tenkey.provider.requests.at(-1)?.body;

  const question = { role: 'user', content: 'How is the weather?' };
  const thinkingMessage = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: 'Umeå, then.', signature: 'c2lnbmF0dXJl' },
      { type: 'redacted_thinking', data: 'cmVkYWN0ZWQ=' },
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Umeå' } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: 3, cache_read_input_tokens: 4, output_tokens: 9 },
  };
  it.each([
    ['whole', () => ({ body: thinkingMessage }), {}],
    ['streamed', () => ({ chunks: written(eventsOfMessage(thinkingMessage, sizes)) }), { stream: true }],
  ])("gives Claude's thinking back to it with the result of a tool: %s", async (_, next, options) => {
    const request = { tools: [weather], reasoning: { effort: 'high' }, max_output_tokens: 9000, ...options };
    tenkey.provider.next(next());
    const first = await respond('claude', { ...request, input: [question] });
    const { output, usage } = 'stream' in options ? gatheredResponse(eventsIn(first.text)) : first.body;
    expect(output[0]).toMatchObject({ summary: [{ type: 'summary_text', text: 'Umeå, then.' }] });
    expect(usage).toMatchObject({
      input_tokens: 7,
      input_tokens_details: { cached_tokens: 4 },
      output_tokens: 9,
    });
    const result = { type: 'function_call_output', call_id: 'toolu_1', output: 'snow' };
    const { headers } = await respond('claude', { ...request, input: [question, ...output, result] });
    expect(headers).not.toHaveProperty('x-tenkey-dropped-params');
    expect(seen().messages).toEqual([
      { role: 'user', content: question.content },
      { role: 'assistant', content: thinkingMessage.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'snow' }] },
    ]);
    expect(seen().thinking).toMatchObject({ type: 'enabled' });
  });

  const toolCall = (id: string) => ({ id, type: 'function', function: { name: 'weather', arguments: '{}' } });
  it('gives the reasoning of a model with chat completions back to it', async () => {
    const message = {
      role: 'assistant',
      reasoning_content: 'Umeå, then.',
      content: 'Let me look.',
      tool_calls: [toolCall('call_1')],
    };
    const completion = { id: 'chatcmpl-1', choices: [{ index: 0, message, finish_reason: 'tool_calls' }] };
    tenkey.provider.next({ chunks: written(chunksOfChat(completion, sizes, false)) });
    const { output } = await streamed('llama', { input: [question], tools: [weather] });
    const result = { type: 'function_call_output', call_id: 'call_1', output: 'snow' };
    await respond('llama', { input: [question, ...output, result], tools: [weather] });
    expect(seen().messages).toEqual([
      question,
      message,
      { role: 'tool', tool_call_id: 'call_1', content: 'snow' },
    ]);
  });

  it('leaves the reasoning out for a provider that refuses the field, and does not name it', async () => {
    const thought = { type: 'thinking', thinking: [{ type: 'text', text: 'Umeå, then.' }] };
    const message = { role: 'assistant', content: [thought], tool_calls: [toolCall('abcdefgh1')] };
    tenkey.provider.next({
      body: { id: 'c', choices: [{ index: 0, message, finish_reason: 'tool_calls' }] },
    });
    const { output } = (await respond('magistral', { input: [question], tools: [weather] })).body;
    expect(output.map(({ type }: { type: string }) => type)).toEqual(['reasoning', 'function_call']);
    const result = { type: 'function_call_output', call_id: 'abcdefgh1', output: 'snow' };
    const { headers } = await respond('magistral', {
      input: [question, ...output, result],
      tools: [weather],
    });
    expect(headers).not.toHaveProperty('x-tenkey-dropped-params');
    expect(seen().messages[1]).toEqual({ role: 'assistant', content: null, tool_calls: message.tool_calls });
  });

  it('works for the request of Codex, with its functions, its patches and the tools of its servers', async () => {
    const patch = {
      type: 'custom',
      name: 'apply_patch',
      description: 'Edits files.',
      format: { type: 'grammar', syntax: 'lark', definition: 'start: "*** Begin Patch"' },
    };
    const shell = { ...weather, name: 'shell_command' };
    const server = {
      type: 'namespace',
      name: 'mcp__maps__',
      description: 'Maps.',
      tools: [{ ...weather, name: 'find' }],
    };
    const call = (id: string, name: string, args: string) => ({
      id,
      type: 'function',
      function: { name, arguments: args },
    });
    const message = {
      role: 'assistant',
      content: null,
      tool_calls: [
        call('call_1', 'shell_command', '{"command":"ls"}'),
        call('call_2', 'apply_patch', JSON.stringify({ input: '*** Begin Patch\n*** End Patch\n' })),
        call('call_3', 'mcp__maps__find', '{}'),
      ],
    };
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
    const completion = {
      id: 'chatcmpl-1',
      choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
      usage,
    };
    tenkey.provider.next({ chunks: written(chunksOfChat(completion, sizes, false)) });
    const text = (type: string, value: string) => [{ type, text: value }];
    const request = {
      instructions: 'You are Codex.',
      input: [
        { type: 'message', role: 'developer', content: text('input_text', 'Sandboxed.') },
        { type: 'message', role: 'user', content: text('input_text', 'Fix it.') },
        { type: 'reasoning', summary: [], content: null, encrypted_content: 'thinking.c2ln' },
        { type: 'function_call', name: 'shell_command', arguments: '{"command":"pwd"}', call_id: 'call_0' },
        { type: 'function_call_output', call_id: 'call_0', output: '/src' },
        {
          type: 'custom_tool_call',
          status: 'completed',
          call_id: 'call_p',
          name: 'apply_patch',
          input: '*** Begin',
        },
        { type: 'custom_tool_call_output', call_id: 'call_p', output: 'applied' },
      ],
      tools: [shell, patch, server],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      reasoning: { effort: 'medium', summary: 'auto' },
      store: false,
      stream: true,
      include: ['reasoning.encrypted_content'],
      prompt_cache_key: '0199',
      text: { verbosity: 'medium' },
    };
    const { output, usage: counted } = await streamed('llama', request);
    expect(output).toMatchObject([
      { type: 'function_call', name: 'shell_command', arguments: '{"command":"ls"}', call_id: 'call_1' },
      {
        type: 'custom_tool_call',
        name: 'apply_patch',
        input: '*** Begin Patch\n*** End Patch\n',
        call_id: 'call_2',
      },
      { type: 'function_call', name: 'find', namespace: 'mcp__maps__', arguments: '{}', call_id: 'call_3' },
    ]);
    // Codex fails without these.
    expect(counted).toMatchObject({
      total_tokens: 5,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens_details: { reasoning_tokens: 0 },
    });
    expect(seen()).toMatchObject({
      messages: [
        { role: 'system', content: 'You are Codex.\n\nSandboxed.' },
        { role: 'user', content: 'Fix it.' },
        { role: 'assistant', tool_calls: [{ id: 'call_0', function: { name: 'shell_command' } }] },
        { role: 'tool', tool_call_id: 'call_0', content: '/src' },
        {
          role: 'assistant',
          tool_calls: [{ id: 'call_p', function: { arguments: '{"input":"*** Begin"}' } }],
        },
        { role: 'tool', tool_call_id: 'call_p', content: 'applied' },
      ],
      tools: [
        { function: { name: 'shell_command' } },
        { function: { name: 'apply_patch', description: expect.stringContaining('*** Begin Patch') } },
        { function: { name: 'mcp__maps__find' } },
      ],
      tool_choice: 'auto',
      reasoning_effort: 'medium',
      prompt_cache_key: '0199',
    });
    const claude = await streamed('claude', { ...request, max_output_tokens: 9000 });
    expect(claude.status).toBe('completed');
  });
});
