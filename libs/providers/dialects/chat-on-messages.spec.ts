import { decodeChat, encodeChat } from './chat-on-messages';
import { UnexpectedAnswer, UnsupportedParameter } from './translation';

const messages = [{ role: 'user', content: 'Hi' }];
const paramRefused = (request: Record<string, unknown>) => {
  try {
    encodeChat({ messages, ...request }, 'claude');
  } catch (error) {
    expect(error).toBeInstanceOf(UnsupportedParameter);
    return (error as UnsupportedParameter).param;
  }
  return undefined;
};

describe('encodeChat', () => {
  it('translates what has a counterpart', () => {
    const request = {
      model: 'public-name',
      messages: [
        { role: 'system', content: 'One' },
        { role: 'developer', content: [{ type: 'text', text: 'Two' }] },
        { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
        { role: 'assistant', content: 'Hello', tool_calls: null },
        { role: 'user', content: 'Bye' },
      ],
      max_completion_tokens: 50,
      temperature: 0,
      top_p: 0.5,
      stop: 'END',
      user: 'u1',
    };
    expect(encodeChat(request, 'claude-x').body).toEqual({
      model: 'claude-x',
      system: 'One\n\nTwo',
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
        { role: 'assistant', content: 'Hello' },
        { role: 'user', content: 'Bye' },
      ],
      max_tokens: 50,
      temperature: 0,
      top_p: 0.5,
      stop_sequences: ['END'],
      metadata: { user_id: 'u1' },
    });
  });

  it('sets a limit when there is none, and leaves out what asks for nothing', () => {
    const request = {
      messages,
      stream: false,
      n: 1,
      store: false,
      stream_options: null,
      tools: null,
      max_tokens: null,
      response_format: { type: 'text' },
      logprobs: false,
    };
    expect(encodeChat(request, 'c').body).toEqual({ model: 'c', messages, max_tokens: 4096 });
    expect(encodeChat({ messages, stop: ['a', 'b'], max_tokens: 7 }, 'c').body).toMatchObject({
      stop_sequences: ['a', 'b'],
      max_tokens: 7,
    });
  });

  it.each([
    ['stream', true],
    ['tools', []],
    ['tool_choice', 'auto'],
    ['functions', []],
    ['response_format', { type: 'json_object' }],
    ['n', 2],
    ['logprobs', true],
    ['top_logprobs', 2],
    ['temperature', 1.1],
    ['temperature', '1'],
    ['top_p', 2],
    ['max_tokens', 0],
    ['max_tokens', '5'],
    ['stop', 5],
    ['user', 5],
    ['seed', 1],
    ['store', true],
    ['stream_options', { include_usage: true }],
    ['constructor', 1],
    ['toString', 1],
    ['messages', 'Hi'],
    ['messages', []],
    ['messages', [{ role: 'system', content: 'alone' }]],
  ])('refuses %s: %j by name', (param, value) => expect(paramRefused({ [param]: value })).toBe(param));

  it('refuses __proto__ as any unknown parameter, missing messages, and two different limits', () => {
    const request = JSON.parse('{"messages":[{"role":"user","content":"a"}],"__proto__":1}') as object;
    expect(paramRefused({ ...request })).toBe('__proto__');
    expect(paramRefused({ messages: undefined })).toBe('messages');
    expect(paramRefused({ max_tokens: 5, max_completion_tokens: 6 })).toBe('max_completion_tokens');
    expect(paramRefused({ max_tokens: 5, max_completion_tokens: 5 })).toBeUndefined();
  });

  it.each([
    [{ role: 'tool', content: 'x' }, 'messages[0].role'],
    [{ role: 'user', content: 'x', name: 'n' }, 'messages[0].name'],
    [{ role: 'assistant', content: null, tool_calls: [{}] }, 'messages[0].tool_calls'],
    [{ role: 'user', content: null }, 'messages[0].content'],
    [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }, 'messages[0].content[0]'],
    [{ role: 'user', content: [{ type: 'text', text: 'x', cache_control: {} }] }, 'messages[0].content[0]'],
    ['x', 'messages[0]'],
  ])('refuses the message %j as %s', (message, param) =>
    expect(paramRefused({ messages: [message] })).toBe(param),
  );
});

describe('decodeChat', () => {
  const answer = {
    id: 'msg_1',
    type: 'message',
    content: [
      { type: 'thinking', thinking: 'hm' },
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
    ],
    stop_reason: 'end_turn',
    usage: { input_tokens: 10, cache_creation_input_tokens: 3, cache_read_input_tokens: 5, output_tokens: 7 },
  };

  it('makes a chat completion', () => {
    expect(decodeChat(answer, 'public-name', 1)).toEqual({
      id: 'msg_1',
      object: 'chat.completion',
      created: 1,
      model: 'public-name',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 18,
        completion_tokens: 7,
        total_tokens: 25,
        prompt_tokens_details: { cached_tokens: 5 },
      },
    });
  });

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['refusal', 'content_filter'],
    ['tool_use', 'tool_calls'],
    ['something new', 'stop'],
  ])('%s is %s', (reason, expected) =>
    expect(decodeChat({ ...answer, stop_reason: reason }, 'm')).toMatchObject({
      choices: [{ finish_reason: expected }],
    }),
  );

  it('keeps tool calls, and has null for no text', () => {
    const content = [{ type: 'tool_use', id: 't', name: 'f', input: { a: 1 } }];
    expect(decodeChat({ ...answer, content }, 'm')).toMatchObject({
      choices: [
        {
          message: {
            content: null,
            tool_calls: [{ id: 't', function: { name: 'f', arguments: '{"a":1}' } }],
          },
        },
      ],
    });
  });

  it.each([null, 'x', [], {}, { content: 'x' }])('refuses %j', (value) =>
    expect(() => decodeChat(value, 'm')).toThrow(UnexpectedAnswer),
  );
});
