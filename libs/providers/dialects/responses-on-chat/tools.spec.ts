import { responsesOnChat } from '.';
import { type Json, UnsupportedParameter } from '../translation';

const encode = (request: Json) => responsesOnChat.encode({ input: 'Hi', ...request }, 'gpt');
const faultOf = (request: Json) => {
  try {
    encode(request);
  } catch (error) {
    if (error instanceof UnsupportedParameter) return { param: error.param, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
};
const weather = {
  type: 'function',
  name: 'weather',
  description: 'The weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: true,
};
const now = { type: 'function', name: 'now', parameters: null, strict: null };
const asChat = {
  weather: {
    type: 'function',
    function: {
      name: 'weather',
      description: weather.description,
      parameters: weather.parameters,
      strict: true,
    },
  },
  now: { type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } } },
};

describe('the tools of a request for a response', () => {
  it('are function tools with their definition in a separate object', () => {
    const { body, dropped } = encode({ tools: [weather, now], parallel_tool_calls: false });
    expect(body).toMatchObject({ tools: [asChat.weather, asChat.now], parallel_tool_calls: false });
    expect(dropped).toEqual([]);
  });

  it('name the fields that only OpenAI has', () =>
    expect(
      encode({ tools: [{ ...now, defer_loading: true, allowed_callers: ['x'], output_schema: null }] })
        .dropped,
    ).toEqual(['tools[].defer_loading', 'tools[].allowed_callers']));

  it('with any text as input become functions with one text', () => {
    const { body, dropped, forResponse } = encode({
      tools: [weather, { type: 'custom', name: 'note', description: 'Notes' }],
    });
    expect((body.tools as Json[])[1]).toEqual({
      type: 'function',
      function: {
        name: 'note',
        description: 'Notes',
        parameters: {
          type: 'object',
          properties: { input: { type: 'string', description: 'The whole input of the tool' } },
          required: ['input'],
          additionalProperties: false,
        },
      },
    });
    expect(dropped).toEqual([]);
    expect(forResponse.clientTools).toEqual(new Map([['note', { name: 'note', isCustom: true }]]));
  });

  it.each([
    ['lark', 'must match this Lark grammar:\nstart: "a"'],
    ['regex', 'must match this regular expression:\nstart: "a"'],
  ])(
    'with a grammar (%s) have it in their description, and the format is named as dropped',
    (syntax, expected) => {
      const format = { type: 'grammar', syntax, definition: 'start: "a"' };
      const { body, dropped } = encode({
        tools: [{ type: 'custom', name: 'patch', description: 'Edits.', format }],
      });
      const [tool] = body.tools as { function: { description: string } }[];
      expect(tool!.function.description).toBe(`Edits.\n\nThe text in "input" ${expected}`);
      expect(dropped).toEqual(['tools[].format']);
    },
  );

  describe('in a namespace', () => {
    const longName = 'a_tool_with_a_name_that_is_long_enough_to_reach_the_limit';
    const tools = [
      {
        type: 'namespace',
        name: 'mcp__maps__',
        description: 'Maps of Sweden.',
        tools: [
          { type: 'function', name: 'find', description: 'Finds a place.', parameters: {} },
          { type: 'custom', name: 'draw' },
          { type: 'function', name: longName },
          { type: 'function', name: `${longName}_too` },
        ],
      },
      { type: 'namespace', name: 'agents', tools: [{ type: 'function', name: 'find' }] },
    ];
    const namesOf = (request: Json) =>
      (encode(request).body.tools as { function: { name: string } }[]).map((tool) => tool.function.name);

    it('become functions with names of at most 64 characters, which differ', () => {
      const names = namesOf({ tools });
      expect(names).toEqual([
        'mcp__maps__find',
        'mcp__maps__draw',
        expect.stringMatching(/^mcp__maps__a_tool_with_a_name_that_is_long_enough_to_re_[0-9a-f]{8}$/),
        expect.stringMatching(/^mcp__maps__a_tool_with_a_name_that_is_long_enough_to_re_[0-9a-f]{8}$/),
        'agents__find',
      ]);
      expect(new Set(names).size).toBe(5);
      expect(names.every(({ length }) => length <= 64)).toBe(true);
    });

    it("have the namespace's description before their own", () =>
      expect(encode({ tools }).body.tools).toMatchObject([
        { function: { description: 'Maps of Sweden.\n\nFinds a place.' } },
        { function: { description: 'Maps of Sweden.' } },
        {},
        {},
        {},
      ]));

    it('may be chosen and allowed', () => {
      const named = { type: 'function', name: 'find', namespace: 'agents' };
      expect(encode({ tools, tool_choice: named }).body.tool_choice).toEqual({
        type: 'function',
        function: { name: 'agents__find' },
      });
      expect(
        namesOf({ tools, tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [named] } }),
      ).toEqual(['agents__find']);
    });

    it('have the same name in the calls of earlier turns', () => {
      const call = {
        type: 'function_call',
        call_id: 'a',
        name: longName,
        namespace: 'mcp__maps__',
        arguments: '{}',
      };
      const { body } = encode({ tools, input: [{ role: 'user', content: 'Hi' }, call] });
      expect((body.messages as Json[])[1]).toMatchObject({
        tool_calls: [{ function: { name: namesOf({ tools })[2] } }],
      });
    });
  });

  it.each([
    ['web_search', 'the tool web_search;'],
    ['web_search_preview_2025_03_11', 'the tool web_search;'],
    ['file_search', 'the tool file_search;'],
    ['code_interpreter', 'the tool code_interpreter;'],
    ['computer_use_preview', 'the tool computer;'],
    ['mcp', 'the tool mcp;'],
    ['image_generation', 'the tool image_generation;'],
    ['local_shell', 'the tool local_shell;'],
    ['shell', 'the tool shell;'],
    ['apply_patch', 'the tool apply_patch;'],
    ['sk-a-secret', 'tools of this type;'],
    [undefined, 'tools of this type;'],
  ])('that OpenAI runs itself are refused: %s', (type, named) => {
    const { param, message } = faultOf({ tools: [weather, { type }] });
    expect(param).toBe('tools[1].type');
    expect(message).toContain(named);
    expect(message).toContain('Leave it out of tools.');
    expect(message).not.toContain('secret');
  });

  it.each([
    ['auto', 'auto'],
    ['none', 'none'],
    ['required', 'required'],
    [
      { type: 'function', name: 'now' },
      { type: 'function', function: { name: 'now' } },
    ],
    [
      { type: 'custom', name: 'now' },
      { type: 'function', function: { name: 'now' } },
    ],
  ])('may be chosen: %j', (tool_choice, expected) =>
    expect(encode({ tools: [weather, now], tool_choice }).body).toMatchObject({
      tools: [asChat.weather, asChat.now],
      tool_choice: expected,
    }),
  );

  it.each(['auto', 'required'])('that are not allowed are not sent (mode %s)', (mode) => {
    const tool_choice = { type: 'allowed_tools', mode, tools: [{ type: 'function', name: 'now' }] };
    expect(encode({ tools: [weather, now], tool_choice }).body).toMatchObject({
      tools: [asChat.now],
      tool_choice: mode,
    });
  });

  it.each([
    ['tools', { tools: {} }],
    ['tools[0].name', { tools: [{ type: 'function' }] }],
    ['tools[0].parameters', { tools: [{ type: 'function', name: 'f', parameters: [] }] }],
    [
      'tools[0].format.definition',
      { tools: [{ type: 'custom', name: 'f', format: { type: 'grammar', syntax: 'lark' } }] },
    ],
    ['tools', { tools: [{ type: 'custom', name: 'f'.repeat(40_000) }] }],
    ['tools[0].tools', { tools: [{ type: 'namespace', name: 'n' }] }],
    ['tools[0].tools[0].type', { tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'namespace' }] }] }],
    ['tool_choice', { tool_choice: 'required' }],
    ['tool_choice', { tools: [now], tool_choice: { type: 'web_search_preview' } }],
    ['tool_choice', { tools: [now], tool_choice: 'any' }],
    ['tool_choice.name', { tools: [now], tool_choice: { type: 'function' } }],
    ['tool_choice.mode', { tools: [now], tool_choice: { type: 'allowed_tools', mode: 'any', tools: [] } }],
    ['tool_choice.tools', { tools: [now], tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [] } }],
    [
      'tool_choice.tools[0]',
      {
        tools: [now],
        tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'other' }] },
      },
    ],
  ])('are refused at %s', (param, request) => expect(faultOf(request).param).toBe(param));
});
