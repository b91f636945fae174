import { messagesOnChat } from '.';
import { type RequestDifferences } from '../../provider';
import { type Json, UnsupportedParameter } from '../translation';

const encode = (messages: unknown[], system?: unknown) =>
  messagesOnChat.encode({ max_tokens: 1, messages, system }, 'gpt');
const partsOf = (block: unknown) =>
  (
    encode([{ role: 'user', content: [block, { type: 'text', text: '.' }] }]).body.messages as any[]
  )[0].content.slice(0, -1);
const pdf = { type: 'base64', media_type: 'application/pdf', data: 'aGk=' };

describe('the messages of a messages request', () => {
  it('keep their order, after the system', () => {
    const blocks = [
      { type: 'text', text: 'One', cache_control: { type: 'ephemeral' } },
      { type: 'text', text: '' },
    ];
    const { body, dropped } = encode(
      [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'Hel' },
            { type: 'text', text: 'lo' },
          ],
        },
        { role: 'system', content: 'Two' },
        { role: 'user', content: [{ type: 'text', text: 'Bye' }] },
        { role: 'assistant', content: '' },
      ],
      blocks,
    );
    expect(body.messages).toEqual([
      { role: 'system', content: 'One' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'system', content: 'Two' },
      { role: 'user', content: 'Bye' },
    ]);
    expect(dropped).toEqual([]);
  });

  it('have results of tools as separate messages, and leave out thinking', () => {
    const image = { type: 'image', source: { type: 'url', url: 'https://a.example/b.png' } };
    const ofIt = { type: 'text', text: 'of it' };
    const { body } = encode([
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 'sig' },
          { type: 'redacted_thinking', data: 'xx' },
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: 't1', name: 'get_weather', input: { city: 'Umeå' } },
          { type: 'tool_use', id: 't2', name: 'map', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'And?' },
          { type: 'tool_result', tool_use_id: 't1', content: 'no such city', is_error: true },
          { type: 'tool_result', tool_use_id: 't2', content: [{ type: 'text', text: 'a map' }, image, ofIt] },
          { type: 'tool_result', tool_use_id: 't3' },
          { type: 'tool_result', tool_use_id: 't4', is_error: true },
        ],
      },
    ]);
    expect(body.messages).toEqual([
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: 'I look.',
        tool_calls: [
          { id: 't1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Umeå"}' } },
          { id: 't2', type: 'function', function: { name: 'map', arguments: '{}' } },
        ],
      },
      {
        role: 'tool',
        tool_call_id: 't1',
        content: 'The tool failed:\nno such city',
      },
      { role: 'tool', tool_call_id: 't2', content: 'a map\nof it' },
      { role: 'tool', tool_call_id: 't3', content: '' },
      { role: 'tool', tool_call_id: 't4', content: 'The tool failed:' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'And?' },
          { type: 'text', text: 'From the result of tool call t2:' },
          { type: 'image_url', image_url: { url: 'https://a.example/b.png' } },
        ],
      },
    ]);
  });

  it.each<[unknown, unknown[]]>([
    [
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
      [{ type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } }],
    ],
    [
      { type: 'document', title: 'a.pdf', source: pdf },
      [{ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' } }],
    ],
    [
      { type: 'document', context: 'Read this', source: pdf },
      [
        { type: 'text', text: 'Read this' },
        { type: 'file', file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
      ],
    ],
    [
      { type: 'document', title: 'T', source: { type: 'text', media_type: 'text/plain', data: 'hi' } },
      [
        { type: 'text', text: 'T' },
        { type: 'text', text: 'hi' },
      ],
    ],
    [
      { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'hi' }] } },
      [{ type: 'text', text: 'hi' }],
    ],
  ])('have for the block %j the parts %j', (block, parts) => expect(partsOf(block)).toEqual(parts));

  it('name dropped citations', () => {
    const block = { type: 'document', source: pdf, citations: { enabled: true } };
    expect(encode([{ role: 'user', content: [block] }]).dropped).toEqual(['messages[].content[].citations']);
  });

  it.each<[unknown, string]>([
    ['x', 'messages[0]'],
    [{ role: 'tool', content: 'x' }, 'messages[0].role'],
    [{ role: 'user', content: 5 }, 'messages[0].content'],
    [{ role: 'user', content: [] }, 'messages[0].content'],
    [{ role: 'user', content: ['x'] }, 'messages[0].content[0]'],
    [{ role: 'user', content: [{ type: 'search_result' }] }, 'messages[0].content[0]'],
    [
      { role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] },
      'messages[0].content[0].source',
    ],
    [
      { role: 'user', content: [{ type: 'document', source: { type: 'url', url: 'https://a.example' } }] },
      'messages[0].content[0].source',
    ],
    [{ role: 'user', content: [{ type: 'tool_result' }] }, 'messages[0].content[0].tool_use_id'],
    [
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'tool_reference' }] }],
      },
      'messages[0].content[0].content[0]',
    ],
    [{ role: 'assistant', content: [{ type: 'server_tool_use' }] }, 'messages[0].content[0]'],
    [
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: '{}' }] },
      'messages[0].content[0].input',
    ],
    [{ role: 'system', content: [{ type: 'image' }] }, 'messages[0].content[0]'],
  ])('refuse %j at path %s', (message, path) => {
    let refusal: unknown;
    try {
      encode([message]);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(UnsupportedParameter);
    expect((refusal as UnsupportedParameter).param).toBe(path);
  });
});

describe('a user message with results of tools', () => {
  const text = (value: string) => ({ type: 'text', text: value });
  const result = (id: string, content?: unknown) => ({ type: 'tool_result', tool_use_id: id, content });

  it('may have text anywhere among them, which follows the results in its own order', () => {
    const content = [text('one'), result('b', '1'), text('two'), result('a', [text('2')]), text('three')];
    expect(encode([{ role: 'user', content }]).body.messages).toEqual([
      { role: 'tool', tool_call_id: 'b', content: '1' },
      { role: 'tool', tool_call_id: 'a', content: '2' },
      { role: 'user', content: [text('one'), text('two'), text('three')] },
    ]);
  });

  it('makes no message of empty text', () =>
    expect(encode([{ role: 'user', content: [text(''), result('a'), text('')] }]).body.messages).toEqual([
      { role: 'tool', tool_call_id: 'a', content: '' },
    ]));
});

describe('thinking of an earlier turn', () => {
  const content = [
    { type: 'thinking', thinking: 'One. ', signature: '' },
    { type: 'redacted_thinking', data: 'xx' },
    { type: 'thinking', thinking: 'Two.', signature: 'signed elsewhere' },
    { type: 'thinking', signature: 'without a text' },
    { type: 'text', text: 'Hi' },
  ];
  const messagesFor = (differences?: RequestDifferences, blocks: Json[] = content) =>
    messagesOnChat.encode(
      {
        max_tokens: 1,
        messages: [
          { role: 'assistant', content: blocks },
          { role: 'user', content: 'x' },
        ],
      },
      'm',
      differences,
    ).body.messages as Json[];

  it('is returned in the field that the provider has for it', () => {
    expect(messagesFor({ thinkingField: 'reasoning_content' })[0]).toEqual({
      role: 'assistant',
      content: 'Hi',
      reasoning_content: 'One. Two.',
    });
    expect(messagesFor({ thinkingField: 'reasoning' }, content.slice(4))[0]).toEqual({
      role: 'assistant',
      content: 'Hi',
    });
  });

  it('is left out when the provider has no field for it', () =>
    expect(messagesFor()[0]).toEqual({ role: 'assistant', content: 'Hi' }));
});
