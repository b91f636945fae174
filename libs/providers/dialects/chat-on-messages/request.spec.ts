import { chatOnMessages } from '.';
import { type Json, UnsupportedParameter } from '../translation';

const messages = [{ role: 'user', content: 'Hi' }];
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const tools = [weather];
const encode = (request: Json, model = 'claude-sonnet-4-5') => {
  const { body, dropped } = chatOnMessages.encode({ model: 'public', messages, ...request }, model);
  return { body, dropped };
};
const refusal = (request: Json) => {
  try {
    encode(request);
  } catch (error) {
    expect(error).toBeInstanceOf(UnsupportedParameter);
    return error as UnsupportedParameter;
  }
  return undefined;
};

describe('a chat request translated to messages', () => {
  it('needs only the messages', () =>
    expect(encode({})).toEqual({
      body: { model: 'claude-sonnet-4-5', max_tokens: 16_384, messages },
      dropped: [],
    }));

  it('keeps what both formats have, under the names of messages', () => {
    const request = {
      max_completion_tokens: 50,
      temperature: 0.5,
      stop: ['END', 'STOP'],
      stream: true,
      stream_options: { include_usage: true },
      safety_identifier: 'u1',
      service_tier: 'default',
      top_k: 5,
      cache_control: { type: 'ephemeral' },
    };
    expect(encode(request)).toEqual({
      body: {
        model: 'claude-sonnet-4-5',
        messages,
        max_tokens: 50,
        temperature: 0.5,
        stop_sequences: ['END', 'STOP'],
        stream: true,
        metadata: { user_id: 'u1' },
        service_tier: 'standard_only',
        top_k: 5,
        cache_control: { type: 'ephemeral' },
      },
      dropped: [],
    });
  });

  it('leaves out harmless values without naming them', () => {
    const request = {
      stream: false,
      n: 1,
      store: false,
      stream_options: null,
      tools: [],
      tool_choice: 'none',
      functions: [],
      function_call: 'none',
      parallel_tool_calls: true,
      max_tokens: null,
      response_format: { type: 'text' },
      logprobs: false,
      frequency_penalty: 0,
      presence_penalty: 0,
      logit_bias: {},
      temperature: 1,
      top_p: 1,
      modalities: ['text'],
      service_tier: 'auto',
      metadata: {},
      stop: [],
      verbosity: 'medium',
    };
    expect(encode(request)).toEqual({
      body: { model: 'claude-sonnet-4-5', max_tokens: 16_384, messages },
      dropped: [],
    });
  });

  it('names the dropped parameters, even unknown ones, so that they fit a header', () => {
    const request = JSON.parse(
      '{"n":2,"seed":1,"logprobs":true,"logit_bias":{"1":2},"store":true,"guided_json":{},"__proto__":1,"constructor":1,"a\\nb":1}',
    ) as Json;
    const { body, dropped } = chatOnMessages.encode(
      { messages, ...request, ['__proto__']: 1 },
      'claude-sonnet-4-5',
    );
    expect(dropped).toEqual([
      'n',
      'seed',
      'logprobs',
      'logit_bias',
      'store',
      'guided_json',
      '__proto__',
      'constructor',
      'a_b',
    ]);
    expect(body).toEqual({ model: 'claude-sonnet-4-5', max_tokens: 16_384, messages });
  });

  it.each([
    ['claude-sonnet-4-5', { temperature: 1.5 }, {}, ['temperature']],
    ['claude-sonnet-4-5', { temperature: 0.2, top_p: 0.9 }, { temperature: 0.2 }, ['top_p']],
    ['claude-sonnet-4-20250514', { temperature: 0.2, top_p: 0.9 }, { temperature: 0.2, top_p: 0.9 }, []],
    ['claude-opus-4-7', { temperature: 0.2, top_p: 0.9, top_k: 3 }, {}, ['temperature', 'top_p', 'top_k']],
    ['claude-opus-5-5', { temperature: 1, top_p: 1 }, {}, []],
    ['claude-sonnet-4-5', { stop: ' ' }, {}, ['stop']],
    ['claude-sonnet-4-5', { stop: ['a', '\n'] }, { stop_sequences: ['a'] }, ['stop']],
    ['claude-sonnet-4-5', { user: 'u' }, { metadata: { user_id: 'u' } }, []],
    ['claude-sonnet-4-5', { metadata: { user_id: 'u' } }, { metadata: { user_id: 'u' } }, []],
    [
      'claude-sonnet-4-5',
      { metadata: { user: 'u', job: 'x' } },
      { metadata: { user_id: 'u' } },
      ['metadata'],
    ],
    ['claude-sonnet-4-5', { user: 'u', safety_identifier: 's' }, { metadata: { user_id: 's' } }, ['user']],
    ['claude-sonnet-4-5', { service_tier: 'flex' }, {}, ['service_tier']],
    ['claude-sonnet-4-5', { response_format: { type: 'json_object' } }, {}, ['response_format']],
  ])('for %s: %j becomes %j, and %j is dropped', (model, request, expected, dropped) => {
    const encoded = encode(request, model);
    expect(encoded.body).toEqual({ model, messages, max_tokens: 16_384, ...expected });
    expect(encoded.dropped).toEqual(dropped);
  });

  it('requests a schema as structured output', () => {
    const schema = { type: 'object', properties: {}, additionalProperties: false };
    const json_schema = { name: 'answer', schema, strict: true };
    expect(encode({ response_format: { type: 'json_schema', json_schema } }).body.output_config).toEqual({
      format: { type: 'json_schema', schema },
    });
    const described = { ...json_schema, description: 'x' };
    expect(encode({ response_format: { type: 'json_schema', json_schema: described } }).dropped).toEqual([
      'response_format.json_schema.description',
    ]);
  });

  it.each([
    ['claude-3-haiku-20240307', 4096],
    ['claude-3-5-sonnet-20241022', 8192],
    ['claude-opus-4-6', 16_384],
    ['a-name-without-version', 16_384],
  ])('to %s has %d tokens when the client sets no limit', (model, limit) =>
    expect(encode({}, model).body.max_tokens).toBe(limit),
  );
});

describe('an invalid chat request or one without a counterpart', () => {
  it.each([
    [{ messages: 'Hi' }, 'messages'],
    [{ messages: undefined }, 'messages'],
    [{ messages: [] }, 'messages'],
    [{ messages: [{ role: 'system', content: 'alone' }] }, 'messages'],
    [{ temperature: 2.1 }, 'temperature'],
    [{ temperature: '1' }, 'temperature'],
    [{ top_p: 2 }, 'top_p'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ max_tokens: '5' }, 'max_tokens'],
    [{ max_tokens: 5, max_completion_tokens: 6 }, 'max_completion_tokens'],
    [{ stop: 5 }, 'stop'],
    [{ stop: ['a', 5] }, 'stop[1]'],
    [{ stream: 'yes' }, 'stream'],
    [{ user: 5 }, 'user'],
    [{ functions: [{ name: 'f' }] }, 'functions'],
    [{ function_call: { name: 'f' } }, 'function_call'],
    [{ tools: {} }, 'tools'],
    [{ tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'tools[0].type'],
    [{ tools: [{ type: 'function' }] }, 'tools[0].function'],
    [{ tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name'],
    [{ tool_choice: 'required' }, 'tool_choice'],
    [{ tools, tool_choice: 'sometimes' }, 'tool_choice'],
    [{ tools, tool_choice: { type: 'custom' } }, 'tool_choice'],
    [{ tools, parallel_tool_calls: 'no' }, 'parallel_tool_calls'],
    [{ response_format: { type: 'json_schema' } }, 'response_format.json_schema'],
    [{ response_format: 'json' }, 'response_format'],
    [{ reasoning_effort: 'enormous' }, 'reasoning_effort'],
    [{ thinking: true }, 'thinking'],
  ])('%j is refused at path %s, and its value is not repeated', (request, param) => {
    const error = refusal(request);
    expect(error?.param).toBe(param);
    expect(error?.message).not.toMatch(/enormous|sometimes|yes/);
  });

  it('does not include two equal limits', () =>
    expect(encode({ max_tokens: 5, max_completion_tokens: 5 }).body.max_tokens).toBe(5));
});
