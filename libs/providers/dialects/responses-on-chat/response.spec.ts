import { responsesOnChat } from '.';
import { type Json, UnexpectedResponse } from '../translation';

const translation = responsesOnChat;
const usage = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 };
const decode = (message: Json, choice: Json = {}, others: Json = {}, request: Json = {}): any => {
  const { forResponse } = translation.encode({ input: 'Hi', ...request }, 'upstream');
  const completion = {
    id: 'chatcmpl-1',
    created: 1_700_000_000,
    model: 'upstream',
    choices: [{ index: 0, message, finish_reason: 'stop', ...choice }],
    ...others,
  };
  return translation.decode(completion, { model: 'public', request: forResponse });
};

describe('a chat completion, translated to a response,', () => {
  it('has all documented fields', () =>
    expect(decode({ role: 'assistant', content: 'Hello', refusal: null }, {}, { usage })).toEqual({
      id: 'resp_1',
      object: 'response',
      created_at: 1_700_000_000,
      status: 'completed',
      background: false,
      error: null,
      incomplete_details: null,
      instructions: null,
      max_output_tokens: null,
      max_tool_calls: null,
      model: 'public',
      output: [
        {
          id: 'msg_1_0',
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Hello', annotations: [], logprobs: [] }],
        },
      ],
      parallel_tool_calls: true,
      previous_response_id: null,
      prompt_cache_key: null,
      reasoning: { effort: null, summary: null },
      safety_identifier: null,
      service_tier: 'auto',
      store: false,
      temperature: null,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      top_logprobs: 0,
      top_p: null,
      truncation: 'disabled',
      usage: {
        input_tokens: 20,
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens: 5,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 25,
      },
      user: null,
      metadata: {},
    }));

  it('repeats the parameters of the request, and says what became of store and truncation', () => {
    const request = {
      instructions: 'Be brief.',
      metadata: { purpose: 'test' },
      temperature: 0.5,
      tools: [{ type: 'function', name: 'f', parameters: {}, strict: false }],
      text: { verbosity: 'low' },
      user: 'u',
    };
    expect(decode({ content: '' }, {}, {}, { ...request, store: true, truncation: 'auto' })).toMatchObject({
      ...request,
      store: false,
      truncation: 'disabled',
    });
  });

  it('does not repeat what would take much memory until the end of a stream', () => {
    const request = { instructions: 'x'.repeat(20_000), metadata: { key: 'x'.repeat(20_000) }, user: 'u' };
    expect(decode({ content: '' }, {}, {}, request)).toMatchObject({
      instructions: null,
      metadata: {},
      user: 'u',
    });
  });

  it('has reasoning, text, refusal and calls in this order', () => {
    const message = {
      reasoning_content: 'Hm',
      content: 'Well',
      refusal: 'No.',
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'now', arguments: '' } },
        { function: { name: 'weather', arguments: { city: 'Umeå' } } },
      ],
    };
    expect(decode(message, { finish_reason: 'tool_calls' }).output).toEqual([
      {
        id: 'rs_1_0',
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: 'Hm' }],
        encrypted_content: 'text',
      },
      {
        id: 'msg_1_1',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [
          { type: 'output_text', text: 'Well', annotations: [], logprobs: [] },
          { type: 'refusal', refusal: 'No.' },
        ],
      },
      {
        id: 'fc_1_2',
        type: 'function_call',
        status: 'completed',
        call_id: 'call_1',
        name: 'now',
        arguments: '{}',
      },
      {
        id: 'fc_1_3',
        type: 'function_call',
        status: 'completed',
        call_id: 'call_1_1',
        name: 'weather',
        arguments: '{"city":"Umeå"}',
      },
    ]);
  });

  it('makes items of custom tools for their calls', () => {
    const call = (name: string, args: string) => ({ id: 'a', function: { name, arguments: args } });
    const tool_calls = [call('patch', '{"input":"diff"}'), call('other', '{"input":"diff"}')];
    const { output } = decode(
      { content: null, tool_calls },
      {},
      {},
      { tools: [{ type: 'custom', name: 'patch' }] },
    );
    expect(output).toMatchObject([
      { type: 'custom_tool_call', name: 'patch', input: 'diff' },
      { type: 'function_call', name: 'other', arguments: '{"input":"diff"}' },
    ]);
  });

  it("has the signature of Gemini's call in a reasoning item before it", () => {
    const extra_content = { google: { thought_signature: 'c2ln/+==' } };
    const tool_calls = [
      { id: 'a', extra_content, function: { name: 'f', arguments: '{}' } },
      { id: 'b', function: { name: 'g', arguments: '{}' } },
    ];
    const { output } = decode({ content: null, tool_calls });
    expect(output).toMatchObject([
      { type: 'reasoning', summary: [], encrypted_content: expect.stringMatching(/^extra_content\.[\w-]+$/) },
      { type: 'function_call', call_id: 'a' },
      { type: 'function_call', call_id: 'b' },
    ]);
    const input = [{ role: 'user', content: 'Hi' }, ...(output as Json[])];
    const { body } = translation.encode({ input }, 'gemini', { thinkingField: 'extra_content' });
    expect((body.messages as Json[])[1]!.tool_calls).toEqual(
      tool_calls.map((call) => ({ ...call, type: 'function' })),
    );
  });

  it.each([
    ['length', { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }],
    ['model_length', { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }],
    ['content_filter', { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }],
    ['content_filter: SAFETY', { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }],
    ['tool_calls', { status: 'completed', incomplete_details: null }],
    ['a new reason', { status: 'completed', incomplete_details: null }],
  ])('has the status of the finish reason %s', (finish_reason, expected) =>
    expect(decode({ content: 'x' }, { finish_reason })).toMatchObject(expected),
  );

  it.each([
    [
      {
        prompt_tokens: 20,
        completion_tokens: 5,
        prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 3 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
      [20, 4, 3, 5, 2, 25],
    ],
    [{ prompt_tokens: 20, completion_tokens: 5, cached_tokens: 4 }, [20, 4, 0, 5, 0, 25]],
    // xAI counts reasoning outside of completion_tokens.
    [
      {
        prompt_tokens: 20,
        completion_tokens: 5,
        total_tokens: 32,
        completion_tokens_details: { reasoning_tokens: 7 },
      },
      [20, 0, 0, 12, 7, 32],
    ],
  ])('counts %j', (reported, expected) => {
    const { usage: counted } = decode({ content: '' }, {}, { usage: reported });
    expect([
      counted.input_tokens,
      counted.input_tokens_details.cached_tokens,
      counted.input_tokens_details.cache_write_tokens,
      counted.output_tokens,
      counted.output_tokens_details.reasoning_tokens,
      counted.total_tokens,
    ]).toEqual(expected);
  });

  it('has the service tier that served it, and log probabilities', () => {
    const content = [{ token: 'x', logprob: -1, bytes: null, top_logprobs: [] }];
    const response = decode({ content: 'x' }, { logprobs: { content } }, { service_tier: 'priority' });
    expect(response.service_tier).toBe('priority');
    expect(response.output[0].content[0].logprobs).toEqual(content);
  });

  it('has a random id when the server sends none', () =>
    expect(decode({ content: '' }, {}, { id: undefined }).id).toMatch(/^resp_[0-9a-f]{32}$/));

  it.each([[null], [[]], [{}], [{ choices: [] }], [{ choices: [{}] }]])(
    'cannot be understood: %j',
    (completion) =>
      expect(() => translation.decode(completion, { model: 'public', request: {} })).toThrow(
        UnexpectedResponse,
      ),
  );
});
