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
const encode = (request: Json, model = 'claude-sonnet-4-5') =>
  chatOnMessages.encode({ model: 'public', messages, ...request }, model);
describe('tools', () => {
  const [tool] = encode({ tools }).body.tools as Json[];

  it('have an input schema', () => {
    expect(tool).toEqual({
      name: 'get_weather',
      description: 'Weather of a city',
      input_schema: weather.function.parameters,
    });
    const bare = {
      type: 'function',
      function: { name: 'now', strict: true },
      cache_control: { type: 'ephemeral' },
    };
    expect(encode({ tools: [bare] }).body.tools).toEqual([
      {
        name: 'now',
        input_schema: { type: 'object', properties: {} },
        strict: true,
        cache_control: { type: 'ephemeral' },
      },
    ]);
  });

  it.each([
    [{ tool_choice: 'auto' }, { type: 'auto' }],
    [{ tool_choice: 'none' }, { type: 'none' }],
    [{ tool_choice: 'required' }, { type: 'any' }],
    [
      { tool_choice: { type: 'function', function: { name: 'get_weather' } } },
      { type: 'tool', name: 'get_weather' },
    ],
    [{ tool_choice: { function: { name: 'get_weather' } } }, { type: 'tool', name: 'get_weather' }],
    [{ tool_choice: { type: 'none' } }, { type: 'none' }],
    [{ tool_choice: { type: 'required' } }, { type: 'any' }],
    [{ parallel_tool_calls: false }, { type: 'auto', disable_parallel_tool_use: true }],
    [
      { parallel_tool_calls: false, tool_choice: 'required' },
      { type: 'any', disable_parallel_tool_use: true },
    ],
    [{ parallel_tool_calls: false, tool_choice: 'none' }, { type: 'none' }],
    [{}, undefined],
  ])('with %j have the tool_choice %j', (request, expected) =>
    expect(encode({ tools, ...request }).body.tool_choice).toEqual(expected),
  );

  it('may have no type, which many servers do not require', () => {
    expect(encode({ tools: [{ function: weather.function }] }).body.tools).toEqual([tool]);
    expect(() => encode({ tools: [{ name: 'get_weather' }] })).toThrow(UnsupportedParameter);
    expect(() => encode({ tools: [{ type: 'custom', function: weather.function }] })).toThrow(
      UnsupportedParameter,
    );
  });

  it('contain only the allowed ones', () => {
    const other = { type: 'function', function: { name: 'other' } };
    const allowed_tools = {
      mode: 'required',
      tools: [{ type: 'function', function: { name: 'get_weather' } }],
    };
    expect(
      encode({ tools: [weather, other], tool_choice: { type: 'allowed_tools', allowed_tools } }).body,
    ).toMatchObject({ tools: [tool], tool_choice: { type: 'any' } });
  });
});
