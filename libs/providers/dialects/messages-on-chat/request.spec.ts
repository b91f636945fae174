import { messagesOnChat } from '.';
import { type Json, UnsupportedParameter } from '../translation';

const messages = [{ role: 'user', content: 'Hi' }];
const needed = { model: 'public', max_tokens: 100, messages };
const encode = (request: Json) => {
  const { body, dropped } = messagesOnChat.encode({ ...needed, ...request }, 'gpt');
  return { body, dropped };
};
const refusal = (request: Json) => {
  try {
    encode(request);
  } catch (error) {
    if (error instanceof UnsupportedParameter) return error;
    throw error;
  }
  return undefined;
};
const tool = {
  name: 'get_weather',
  description: 'Weather',
  input_schema: { type: 'object', properties: {} },
};
const tools = [tool];

describe('a messages request translated to chat', () => {
  it('needs only the messages and the limit', () =>
    expect(encode({})).toEqual({
      body: { model: 'gpt', messages, max_completion_tokens: 100 },
      dropped: [],
    }));

  it('keeps what both formats have, under the names of chat, and requests the usage of a stream', () => {
    const request = {
      system: 'Be brief.',
      temperature: 0.5,
      top_p: 0.9,
      stop_sequences: ['END'],
      stream: true,
      metadata: { user_id: 'u1' },
      service_tier: 'standard_only',
      seed: 7,
    };
    expect(encode(request)).toEqual({
      body: {
        model: 'gpt',
        messages: [{ role: 'system', content: 'Be brief.' }, ...messages],
        max_completion_tokens: 100,
        temperature: 0.5,
        top_p: 0.9,
        stop: ['END'],
        stream: true,
        stream_options: { include_usage: true },
        user: 'u1',
        service_tier: 'default',
        seed: 7,
      },
      dropped: [],
    });
  });

  it('leaves out without naming it what changes no response', () => {
    const request = {
      stream: false,
      stop_sequences: [],
      tools: [],
      tool_choice: { type: 'auto' },
      thinking: { type: 'disabled' },
      cache_control: { type: 'ephemeral' },
      service_tier: 'auto',
      speed: 'standard',
      container: null,
      mcp_servers: [],
    };
    expect(encode(request)).toEqual({
      body: { model: 'gpt', messages, max_completion_tokens: 100 },
      dropped: [],
    });
  });

  it.each([
    [
      { top_k: 5, inference_geo: 'eu', diagnostics: {}, unheard_of: 1 },
      {},
      ['top_k', 'inference_geo', 'diagnostics', 'unheard_of'],
    ],
    [{ metadata: { user_id: 'u', x: 1 } }, { user: 'u' }, ['metadata']],
    [{ metadata: { user_id: 'u'.repeat(64) } }, { user: 'u'.repeat(64) }, []],
    [
      { metadata: { user_id: '{"device_id":"d","session_id":"s"}'.repeat(5) } },
      { user: 'a68bde9b27890e4e509de8f24baf137c3feb7850d4a5c0cba5b5b4d5550c90e6' },
      [],
    ],
    [{ thinking: { type: 'enabled', budget_tokens: 1024 } }, { reasoning_effort: 'low' }, []],
    [{ thinking: { type: 'enabled', budget_tokens: 10_000 } }, { reasoning_effort: 'medium' }, []],
    [{ thinking: { type: 'enabled', budget_tokens: 31_999 } }, { reasoning_effort: 'high' }, []],
    [{ thinking: { type: 'adaptive' } }, {}, []],
    [{ thinking: { type: 'between_tools' } }, {}, ['thinking']],
    [
      { thinking: { type: 'adaptive' }, output_config: { effort: 'xhigh' } },
      { reasoning_effort: 'xhigh' },
      [],
    ],
    [{ output_config: { task_budget: 1 } }, {}, ['output_config']],
  ])('with %j becomes %j, and %j is dropped', (request, expected, dropped) =>
    expect(encode(request)).toEqual({
      body: { model: 'gpt', messages, max_completion_tokens: 100, ...expected },
      dropped,
    }),
  );

  it.each(['output_format', 'output_config'])('requests the schema of %s', (param) => {
    const schema = { type: 'object', properties: {} };
    const format = { type: 'json_schema', schema };
    expect(encode({ [param]: param === 'output_format' ? format : { format } }).body.response_format).toEqual(
      {
        type: 'json_schema',
        json_schema: { name: 'answer', schema, strict: true },
      },
    );
  });

  it('has tools as functions', () => {
    expect(encode({ tools: [{ ...tool, type: 'custom', strict: true, cache_control: {} }] })).toMatchObject({
      body: {
        tools: [
          {
            type: 'function',
            function: {
              name: 'get_weather',
              description: 'Weather',
              parameters: tool.input_schema,
              strict: true,
            },
          },
        ],
      },
      dropped: [],
    });
    expect(encode({ tools: [{ ...tool, defer_loading: true, input_examples: [{}] }] }).dropped).toEqual([
      'tools[].input_examples',
      'tools[].defer_loading',
    ]);
  });

  it.each([
    [{ type: 'auto' }, 'auto', undefined],
    [{ type: 'any' }, 'required', undefined],
    [{ type: 'none' }, 'none', undefined],
    [
      { type: 'tool', name: 'get_weather' },
      { type: 'function', function: { name: 'get_weather' } },
      undefined,
    ],
    [{ type: 'auto', disable_parallel_tool_use: true }, 'auto', false],
    [{ type: 'any', disable_parallel_tool_use: false }, 'required', undefined],
  ])('has for tool_choice %j the choice %j', (tool_choice, expected, parallel) => {
    const { body } = encode({ tools, tool_choice });
    expect(body.tool_choice).toEqual(expected);
    expect(body.parallel_tool_calls).toBe(parallel);
  });

  it.each([
    [{ max_tokens: undefined }, 'max_tokens'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ messages: undefined }, 'messages'],
    [{ messages: [] }, 'messages'],
    [{ temperature: 1.5 }, 'temperature'],
    [{ stop_sequences: 'END' }, 'stop_sequences'],
    [{ stream: 'yes' }, 'stream'],
    [{ service_tier: 'enormous' }, 'service_tier'],
    [{ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools[0].type'],
    [{ tools: [{ name: 'x' }] }, 'tools[0].input_schema'],
    [{ tools, tool_choice: 'auto' }, 'tool_choice'],
    [{ tools, tool_choice: { type: 'enormous' } }, 'tool_choice.type'],
    [{ tool_choice: { type: 'any' } }, 'tool_choice'],
    [{ output_config: { effort: 'enormous' } }, 'output_config.effort'],
    [{ output_config: { format: { type: 'enormous' } } }, 'output_config.format.type'],
    [{ output_format: { type: 'json_schema' } }, 'output_format.schema'],
    [{ thinking: { type: 'enabled' } }, 'thinking.budget_tokens'],
    [{ thinking: 'yes' }, 'thinking'],
    [{ mcp_servers: [{}] }, 'mcp_servers'],
    [{ container: 'c' }, 'container'],
    [{ system: 5 }, 'system'],
  ])('with %j is refused at path %s, and the value is not repeated', (request, param) => {
    const error = refusal(request);
    expect(error?.param).toBe(param);
    expect(error?.message).not.toMatch(/enormous|yes/);
  });
});
