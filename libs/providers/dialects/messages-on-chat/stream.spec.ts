import { messagesOnChat } from '.';
import { cpuTimeMs } from '../../../../test/support/cpu-time';
import { type Json, UnexpectedResponse } from '../translation';

const streamOf = () => messagesOnChat.stream({ model: 'public', request: {} });
const push = (chunks: (Json | string)[]) => {
  const stream = streamOf();
  const parts = chunks.map((chunk) =>
    stream.push({ data: typeof chunk === 'string' ? chunk : JSON.stringify(chunk) }),
  );
  return parts.join('') + stream.end();
};
const eventsOf = (text: string) =>
  text
    .split('\n\n')
    .filter((part) => part !== '')
    .map((part) => {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(part) as unknown as string[];
      const body = JSON.parse(data!);
      expect(body.type).toBe(name);
      return body;
    });
const delta = (fields: Json, finish_reason: string | null = null) => ({
  id: 'chatcmpl-1',
  choices: [{ index: 0, delta: fields, finish_reason }],
});
const tool = (index: number | undefined, fields: Json) => delta({ tool_calls: [{ index, ...fields }] });
const named = (index: number | undefined, id: string, text = '') =>
  tool(index, { id, type: 'function', function: { name: `tool_${id}`, arguments: text } });
const more = (index: number | undefined, text: string) => tool(index, { function: { arguments: text } });
/** Each block as [id or type, the joined deltas]. Fails when blocks overlap. */
const blocksOf = (events: any[]) => {
  const blocks: { start: any; text: string; isOpen: boolean }[] = [];
  for (const event of events) {
    const open = blocks.filter(({ isOpen }) => isOpen);
    if (event.type === 'content_block_start') {
      expect([open, event.index]).toEqual([[], blocks.length]);
      blocks.push({ start: event.content_block, text: '', isOpen: true });
    } else if (event.type.startsWith('content_block')) {
      expect([open.length, event.index]).toEqual([1, blocks.length - 1]);
      const { text = '', thinking = '', partial_json = '', signature = '' } = event.delta ?? {};
      blocks.at(-1)!.text += text + thinking + partial_json + signature;
      blocks.at(-1)!.isOpen = event.type !== 'content_block_stop';
    }
  }
  expect(blocks.some(({ isOpen }) => isOpen)).toBe(false);
  return blocks.map(({ start, text }) => [start.id ?? start.type, text]);
};
const usage = { prompt_tokens: 20, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 } };
const hello = [
  delta({ role: 'assistant', content: '' }),
  delta({ content: 'Hel' }),
  delta({ content: 'lo' }),
];

describe('the chunks of a chat, translated to events,', () => {
  it('form a message from its start to its stop', () => {
    const azure = { id: '', model: '', choices: [], prompt_filter_results: [{}] };
    const filter = { id: 'x', choices: [{ index: 0, finish_reason: null, content_filter_results: {} }] };
    const stream = push([
      azure,
      ...hello,
      filter,
      delta({}, 'stop'),
      { choices: [], usage },
      '[DONE]',
      'ignored',
    ]);
    expect(eventsOf(stream)).toEqual([
      {
        type: 'message_start',
        message: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model: 'public',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: {
            input_tokens: 0,
            cache_creation_input_tokens: 0,
            cache_read_input_tokens: 0,
            output_tokens: 0,
          },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'lo' } },
      { type: 'content_block_stop', index: 0 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: {
          input_tokens: 16,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 4,
          output_tokens: 5,
        },
      },
      { type: 'message_stop' },
    ]);
  });

  it.each<[string, Json[], unknown[]]>([
    [
      'reasoning, text and parallel calls',
      [
        delta({ reasoning_content: 'h' }),
        delta({ reasoning: 'm' }),
        ...hello,
        named(0, 'a'),
        more(0, '{"x":'),
        more(0, '1}'),
        named(1, 'b', '{}'),
      ],
      [
        ['thinking', 'hm'],
        ['text', 'Hello'],
        ['a', '{"x":1}'],
        ['b', '{}'],
      ],
    ],
    [
      'calls whose fragments interleave',
      [named(0, 'a'), named(1, 'b'), more(1, '{"y":'), more(0, '{"x":'), more(1, '2}'), more(0, '1}')],
      [
        ['a', '{"x":1}'],
        ['b', '{"y":2}'],
      ],
    ],
    [
      'id and name in every fragment',
      [named(0, 'a', '{"x"'), named(0, 'a', ':1}'), named(1, 'b', '{}')],
      [
        ['a', '{"x":1}'],
        ['b', '{}'],
      ],
    ],
    [
      'a name after the id',
      [tool(0, { id: 'a' }), tool(0, { function: { name: 'f' } }), more(0, '{}')],
      [['a', '{}']],
    ],
    [
      'no index',
      [named(undefined, 'a', '{"x":'), more(undefined, '1}'), named(undefined, 'b', '{}')],
      [
        ['a', '{"x":1}'],
        ['b', '{}'],
      ],
    ],
    [
      'always the same index',
      [named(0, 'a', '{}'), named(0, 'b', '{}')],
      [
        ['a', '{}'],
        ['b', '{}'],
      ],
    ],
    [
      'no id',
      [named(0, '', '{}'), named(1, '', '{}')],
      [
        ['toolu_1_0', '{}'],
        ['toolu_1_1', '{}'],
      ],
    ],
    [
      'no arguments',
      [named(0, 'a'), named(1, 'b')],
      [
        ['a', ''],
        ['b', ''],
      ],
    ],
    [
      'arguments that are not a string',
      [tool(0, { id: 'a', function: { name: 'f', arguments: { x: 1 } } })],
      [['a', '{"x":1}']],
    ],
    [
      'text after a tool call',
      [named(0, 'a', '{}'), delta({ content: 'so' })],
      [
        ['a', '{}'],
        ['text', 'so'],
      ],
    ],
    [
      'signed thinking, twice',
      [
        delta({ reasoning_content: 'one' }),
        delta({ thinking_blocks: [{ type: 'thinking', thinking: 'one', signature: '-s1' }] }),
        delta({ reasoning_content: 'two' }),
        delta({ thinking_blocks: [{ type: 'thinking', thinking: 'two', signature: '-s2' }] }),
        delta({ thinking_blocks: [{ type: 'thinking', thinking: '', signature: '-s3' }] }),
        delta({ thinking_blocks: [{ type: 'redacted_thinking', data: 'xx' }] }),
      ],
      [
        ['thinking', 'one-s1'],
        ['thinking', 'two-s2'],
        ['thinking', '-s3'],
        ['redacted_thinking', ''],
      ],
    ],
  ])('form blocks that do not overlap: %s', (_name, chunks, blocks) =>
    expect(blocksOf(eventsOf(push([...chunks, delta({}, 'stop'), '[DONE]'])))).toEqual(blocks),
  );

  it('send a tool call as it arrives', () => {
    const stream = streamOf();
    stream.push({ data: JSON.stringify(named(0, 'a')) });
    expect(stream.push({ data: JSON.stringify(more(0, '{"x":')) })).toContain('{\\"x\\":');
  });

  it('take the same time for each fragment of a long tool call', () => {
    const stream = streamOf();
    for (const chunk of [named(0, 'a', '{"x":"'), named(1, 'b')])
      stream.push({ data: JSON.stringify(chunk) });
    const startedAt = cpuTimeMs();
    for (let count = 0; count < 40_000; count++) stream.push({ data: JSON.stringify(more(0, '}}}}}}}}')) });
    expect(cpuTimeMs() - startedAt).toBeLessThan(5000);
  });

  it('may lack [DONE] if they have a finish reason', () => {
    expect(eventsOf(push([...hello, delta({}, 'length')])).at(-2).delta.stop_reason).toBe('max_tokens');
    expect(eventsOf(push([...hello, '[DONE]'])).at(-2).delta.stop_reason).toBe('end_turn');
    expect(() => push(hello)).toThrow(UnexpectedResponse);
    expect(() => push([...hello, delta({}, 'error'), '[DONE]'])).toThrow(UnexpectedResponse);
    expect(() => push([])).toThrow(UnexpectedResponse);
    expect(() => push(['[DONE]'])).toThrow(UnexpectedResponse);
  });

  it('have the reason of a refusal', () => {
    const events = eventsOf(
      push([delta({ refusal: 'No' }), delta({ refusal: '.' }), delta({}, 'stop'), '[DONE]']),
    );
    expect(events.at(-2).delta).toMatchObject({
      stop_reason: 'refusal',
      stop_details: { explanation: 'No.' },
    });
  });

  it.each(['', 'x', '[]', '1', 'null', '{', '{}', '{"choices":{}}'])(
    'are unexpected if the data is %j',
    (data) => expect(() => streamOf().push({ data })).toThrow(UnexpectedResponse),
  );

  it('are unexpected if a tool call has no name', () =>
    expect(() => push([more(0, '{}'), delta({}, 'stop'), '[DONE]'])).toThrow(UnexpectedResponse));
});

describe('the tool calls of a chat, translated to events,', () => {
  const part = (name: string, args?: string) => tool(0, { id: 'a', function: { name, arguments: args } });
  const startsOf = (chunks: Json[]) =>
    eventsOf(push([...chunks, delta({}, 'tool_calls')]))
      .filter(({ type }) => type === 'content_block_start')
      .map(({ content_block: { id, name } }) => [id, name]);

  it.each([
    ['in two chunks', [part('get_'), part('weather'), more(0, '{}')]],
    ['in two chunks, the second with arguments', [part('get_', ''), part('weather', '{}')]],
    ['in two chunks, without arguments', [part('get_'), part('weather')]],
    ['in each chunk', [part('get_weather', ''), part('get_weather', '{"a"'), part('get_weather', ':1}')]],
    [
      'before its id',
      [tool(0, { function: { name: 'get_weather' } }), tool(0, { id: 'a', function: { arguments: '{}' } })],
    ],
  ])('have their whole name when it arrives %s', (_, chunks) =>
    expect(startsOf(chunks)).toEqual([['a', 'get_weather']]),
  );

  it('have an id even if the server sends none', () =>
    expect(
      startsOf([tool(0, { function: { name: 'f' } }), tool(1, { function: { name: 'g', arguments: '{}' } })]),
    ).toEqual([
      ['toolu_1_0', 'f'],
      ['toolu_1_1', 'g'],
    ]));

  it('do not exist when every chunk has an empty list of them', () => {
    const chunks = [
      delta({ role: 'assistant', content: '', tool_calls: [] }),
      delta({ content: 'Hel', tool_calls: [] }),
      delta({ content: 'lo', tool_calls: [] }),
      delta({ content: null, tool_calls: [] }, 'stop'),
    ];
    const events = eventsOf(push(chunks));
    expect(blocksOf(events)).toEqual([['text', 'Hello']]);
    expect(events.find(({ type }) => type === 'message_delta').delta.stop_reason).toBe('end_turn');
  });
});
