import { messagesOnChat } from '.';
import { type Json, UnexpectedResponse } from '../translation';

const decode = (message: Json, choice: Json = {}, rest: Json = {}) =>
  messagesOnChat.decode(
    {
      id: 'chatcmpl-1',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', ...message }, ...choice }],
      ...rest,
    },
    { model: 'public', request: { stop_sequences: ['END'] } },
  ) as any;
const call = (text: unknown) => ({ id: 'c', type: 'function', function: { name: 'f', arguments: text } });

describe('a chat completion translated to a message', () => {
  it('keeps its text, usage and service tier', () => {
    const usage = {
      prompt_tokens: 18,
      completion_tokens: 7,
      total_tokens: 25,
      prompt_tokens_details: { cached_tokens: 5, cache_write_tokens: 3 },
      completion_tokens_details: { reasoning_tokens: 2 },
    };
    expect(decode({ content: 'Hello', refusal: null }, {}, { usage, service_tier: 'default' })).toEqual({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'public',
      content: [{ type: 'text', text: 'Hello' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: {
        input_tokens: 10,
        cache_creation_input_tokens: 3,
        cache_read_input_tokens: 5,
        output_tokens: 7,
        output_tokens_details: { thinking_tokens: 2 },
        service_tier: 'standard',
      },
    });
  });

  it('includes thinking in its output tokens, even when the provider counts it separately', () => {
    const counts = { prompt_tokens: 32, completion_tokens: 9, total_tokens: 135 };
    const usage = { ...counts, completion_tokens_details: { reasoning_tokens: 94 } };
    expect(decode({ content: 'x' }, {}, { usage }).usage).toMatchObject({
      input_tokens: 32,
      output_tokens: 103,
      output_tokens_details: { thinking_tokens: 94 },
    });
  });

  it.each<[string | null, Json, Json]>([
    ['stop', {}, { stop_reason: 'end_turn' }],
    ['length', {}, { stop_reason: 'max_tokens' }],
    ['model_length', { tool_calls: [call('{"a":')] }, { stop_reason: 'max_tokens' }],
    ['content_filter', {}, { stop_reason: 'refusal' }],
    ['content_filter: RECITATION', {}, { stop_reason: 'refusal' }],
    ['something new', {}, { stop_reason: 'end_turn' }],
    [null, {}, { stop_reason: 'end_turn' }],
    ['tool_calls', { tool_calls: [call('{}')] }, { stop_reason: 'tool_use' }],
    ['stop', { tool_calls: [call('{}')] }, { stop_reason: 'tool_use' }],
    ['length', { tool_calls: [call('{"a":')] }, { stop_reason: 'max_tokens' }],
    [
      'stop',
      { refusal: 'No.' },
      { stop_reason: 'refusal', stop_details: { type: 'refusal', category: null, explanation: 'No.' } },
    ],
  ])('with finish reason %s and %j has %j', (finish_reason, message, expected) =>
    expect(decode({ content: 'x', ...message }, { finish_reason })).toMatchObject(expected),
  );

  it('names a stop sequence only when the server does', () => {
    expect(decode({ content: 'x' }, { stop_reason: 'END' })).toMatchObject({
      stop_reason: 'stop_sequence',
      stop_sequence: 'END',
    });
    expect(decode({ content: 'x' }, { stop_reason: 128_009 }).stop_reason).toBe('end_turn');
  });

  it.each<[Json, unknown[]]>([
    [
      { content: null, tool_calls: [call('{"a":1}')] },
      [{ type: 'tool_use', id: 'c', name: 'f', input: { a: 1 } }],
    ],
    [{ content: '', tool_calls: [call('')] }, [{ type: 'tool_use', id: 'c', name: 'f', input: {} }]],
    [{ tool_calls: [call({ a: 1 })] }, [{ type: 'tool_use', id: 'c', name: 'f', input: { a: 1 } }]],
    [
      { tool_calls: [{ ...call('{}'), id: '' }, { function: { name: 'g' } }] },
      [
        { type: 'tool_use', id: 'toolu_1_0', name: 'f', input: {} },
        { type: 'tool_use', id: 'toolu_1_1', name: 'g', input: {} },
      ],
    ],
    [
      { reasoning_content: 'hm', content: 'x' },
      [
        { type: 'thinking', thinking: 'hm', signature: '' },
        { type: 'text', text: 'x' },
      ],
    ],
    [
      { reasoning: 'hm', reasoning_content: null, content: 'x' },
      [
        { type: 'thinking', thinking: 'hm', signature: '' },
        { type: 'text', text: 'x' },
      ],
    ],
    [
      {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
          { type: 'text', text: 'x' },
        ],
      },
      [
        { type: 'thinking', thinking: 'hm', signature: '' },
        { type: 'text', text: 'x' },
      ],
    ],
    [
      {
        reasoning_content: 'hm',
        thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 's' }],
        content: null,
      },
      [{ type: 'thinking', thinking: 'hm', signature: 's' }],
    ],
  ])('%j has the blocks %j', (message, blocks) => expect(decode(message).content).toEqual(blocks));

  it('has an id that starts like those of Anthropic', () => {
    expect(decode({}, {}, { id: 'msg_x' }).id).toBe('msg_x');
    expect(decode({}, {}, { id: 'abc' }).id).toBe('msg_abc');
    expect(decode({}, {}, { id: undefined }).id).toMatch(/^msg_[0-9a-f]{32}$/);
  });

  it.each([null, 'x', {}, { choices: [] }, { choices: [{}] }, { choices: [{ message: 'x' }] }])(
    'is unexpected if it is %j',
    (response) =>
      expect(() => messagesOnChat.decode(response, { model: 'm', request: {} })).toThrow(UnexpectedResponse),
  );

  it('is unexpected when its finish reason is an error', () =>
    expect(() => decode({ content: 'x' }, { finish_reason: 'error' })).toThrow(UnexpectedResponse));

  it.each([{}, { type: 'custom' }, call('{'), call('[]'), { function: { arguments: '{}' } }])(
    'is unexpected with the tool call %j',
    (toolCall) => expect(() => decode({ tool_calls: [toolCall] })).toThrow(UnexpectedResponse),
  );
});
