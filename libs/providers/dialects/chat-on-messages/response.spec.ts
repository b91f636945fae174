import { chatOnMessages } from '.';
import { type Json, UnexpectedResponse } from '../translation';

const context = { model: 'public-name', request: {} };
const decode = (response: unknown) => chatOnMessages.decode(response, context) as any;
const response = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  content: [
    { type: 'thinking', thinking: 'hm', signature: 'sig' },
    { type: 'redacted_thinking', data: 'xx' },
    { type: 'text', text: 'Hel', citations: [{ type: 'char_location' }] },
    { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
    { type: 'text', text: 'lo' },
  ],
  stop_reason: 'end_turn',
  stop_details: null,
  usage: {
    input_tokens: 10,
    cache_creation_input_tokens: 3,
    cache_read_input_tokens: 5,
    output_tokens: 7,
    output_tokens_details: { thinking_tokens: 2 },
    service_tier: 'standard',
  },
};

describe('a message translated to a chat completion', () => {
  it('keeps its text, thinking, usage and service tier', () => {
    expect(decode(response)).toEqual({
      id: 'msg_1',
      object: 'chat.completion',
      created: expect.any(Number),
      model: 'public-name',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hello',
            refusal: null,
            reasoning_content: 'hm',
            thinking_blocks: [
              { type: 'thinking', thinking: 'hm', signature: 'sig' },
              { type: 'redacted_thinking', data: 'xx' },
            ],
          },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 18,
        completion_tokens: 7,
        total_tokens: 25,
        prompt_tokens_details: { cached_tokens: 5, cache_write_tokens: 3 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
      service_tier: 'default',
    });
  });

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['refusal', 'content_filter'],
    ['tool_use', 'tool_calls'],
    ['something new', 'stop'],
    [null, 'stop'],
  ])('with stop reason %s has finish reason %s', (reason, expected) =>
    expect(decode({ ...response, stop_reason: reason }).choices[0].finish_reason).toBe(expected),
  );

  it('keeps its tool calls, and has null for absent text', () => {
    const content: Json[] = [
      { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } },
      { type: 'tool_use', id: 'u', name: 'g', input: {} },
    ];
    expect(decode({ ...response, content }).choices[0].message).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      tool_calls: [
        { id: 't', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
        { id: 'u', type: 'function', function: { name: 'g', arguments: '{}' } },
      ],
    });
  });

  it('keeps the reason of a refusal', () => {
    const stop_details = { type: 'refusal', category: 'bio', explanation: 'Not this.' };
    expect(decode({ ...response, stop_reason: 'refusal', stop_details }).choices[0]).toMatchObject({
      message: { refusal: 'Not this.' },
      finish_reason: 'content_filter',
    });
  });

  it.each([null, 'x', [], {}, { content: 'x' }, { content: [{ type: 'tool_use' }] }])(
    'is unexpected if it is %j',
    (value) => expect(() => decode(value)).toThrow(UnexpectedResponse),
  );
});
