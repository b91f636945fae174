import { chatOnMessages } from '.';
import { type Json, UnsupportedParameter } from '../translation';

const encode = (messages: unknown[]) => chatOnMessages.encode({ messages }, 'claude-sonnet-4-5');
const blocksOf = (content: unknown) =>
  (encode([{ role: 'user', content }]).body.messages as any[])[0].content;
const call = (id: string, text: string) => ({
  id,
  type: 'function',
  function: { name: 'get_weather', arguments: text },
});

describe('the messages of a chat', () => {
  it('keep text unchanged, and move system and developer messages to the front', () => {
    const { body } = encode([
      { role: 'system', content: 'One' },
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'assistant', content: 'Hello', tool_calls: null, annotations: [], refusal: null },
      { role: 'developer', content: [{ type: 'text', text: 'Two', cache_control: { type: 'ephemeral' } }] },
      { role: 'user', content: 'Bye' },
      { role: 'user', content: 'Bye bye' },
    ]);
    expect(body).toMatchObject({
      system: [
        { type: 'text', text: 'One' },
        { type: 'text', text: 'Two', cache_control: { type: 'ephemeral' } },
      ],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
        { role: 'assistant', content: 'Hello' },
        { role: 'user', content: 'Bye' },
        { role: 'user', content: 'Bye bye' },
      ],
    });
    expect(
      encode([
        { role: 'system', content: 'One' },
        { role: 'user', content: 'Hi' },
      ]).body.system,
    ).toBe('One');
  });

  it('have no text that is blank, and no blanks at the end of the beginning of an answer', () => {
    const begun = (content: unknown) => [
      {
        role: 'user',
        content: [
          { type: 'text', text: ' \n' },
          { type: 'text', text: 'Hi ' },
        ],
      },
      { role: 'assistant', content: '\n\n', tool_calls: [call('a', '{}')] },
      { role: 'tool', tool_call_id: 'a', content: ' ' },
      { role: 'assistant', content },
    ];
    const before = [
      { role: 'user', content: [{ type: 'text', text: 'Hi ' }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'get_weather', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a' }] },
    ];
    expect(encode(begun('It is: \n')).body.messages).toEqual([
      ...before,
      { role: 'assistant', content: 'It is:' },
    ]);
    const parts = [
      { type: 'text', text: 'It ' },
      { type: 'text', text: 'is: ' },
      { type: 'text', text: ' ' },
    ];
    expect(encode(begun(parts)).body.messages).toEqual([
      ...before,
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'It ' },
          { type: 'text', text: 'is:' },
        ],
      },
    ]);
    expect(encode([{ role: 'user', content: 'Hi ' }]).body.messages).toEqual([
      { role: 'user', content: 'Hi ' },
    ]);
  });

  it('have the results of one turn in one user message, together with the next user message', () => {
    const { body } = encode([
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [call('call_1', '{"city":"Umeå"}'), call('a.b:0', '')],
      },
      { role: 'tool', tool_call_id: 'call_1', content: '3 °C' },
      { role: 'tool', tool_call_id: 'a.b:0', content: [{ type: 'text', text: 'none' }] },
      { role: 'user', content: 'And now?' },
      { role: 'assistant', content: '' },
      { role: 'tool', tool_call_id: 'x', content: '' },
    ]);
    expect(body.messages).toEqual([
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'call_1', name: 'get_weather', input: { city: 'Umeå' } },
          { type: 'tool_use', id: 'a_2e_b_3a_0', name: 'get_weather', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_1', content: '3 °C' },
          { type: 'tool_result', tool_use_id: 'a_2e_b_3a_0', content: [{ type: 'text', text: 'none' }] },
          { type: 'text', text: 'And now?' },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x' }] },
    ]);
  });

  it('put signed thinking before text and tool calls, and leave out unsigned reasoning', () => {
    const thinking_blocks = [
      { type: 'thinking', thinking: 'hm', signature: 'sig', index: 0 },
      { type: 'redacted_thinking', data: 'xx' },
      { type: 'thinking', thinking: 'of another provider', signature: '' },
    ];
    const message = { role: 'assistant', content: 'Yes', reasoning_content: 'hm', thinking_blocks };
    const { body, dropped } = encode([
      { role: 'user', content: 'Hi' },
      message,
      { role: 'user', content: 'Go' },
    ]);
    expect((body.messages as Json[])[1]).toEqual({
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 'sig' },
        { type: 'redacted_thinking', data: 'xx' },
        { type: 'text', text: 'Yes' },
      ],
    });
    expect(dropped).toEqual([]);
  });

  it('name the fields that are dropped', () => {
    const content = [{ type: 'image_url', image_url: { url: 'https://a.example/b.png', detail: 'low' } }];
    expect(
      encode([
        { role: 'user', content, name: 'Ann' },
        { role: 'user', content, name: 'Bo' },
      ]).dropped,
    ).toEqual(['messages[].name', 'messages[].content[].image_url.detail']);
  });
});

describe('a content part', () => {
  const url = 'https://a.example/b.png';
  it.each([
    [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'a' },
    ],
    [
      { type: 'image_url', image_url: { url } },
      { type: 'image', source: { type: 'url', url } },
    ],
    [
      { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=', detail: 'auto' } },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
    ],
    ...['image/jpg', 'image/JPG', 'image/pjpeg', 'image/jpeg'].map((type): [object, object] => [
      { type: 'image_url', image_url: { url: `data:${type};base64,aGk=` } },
      { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'aGk=' } },
    ]),
    [
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
      {
        type: 'document',
        title: 'a.pdf',
        source: { type: 'base64', media_type: 'application/pdf', data: 'aGk=' },
      },
    ],
    [
      { type: 'file', file: { filename: 'A.PDF', file_data: 'aGk=' } },
      {
        type: 'document',
        title: 'A.PDF',
        source: { type: 'base64', media_type: 'application/pdf', data: 'aGk=' },
      },
    ],
    [
      { type: 'file', file: { file_data: 'data:text/plain;charset=utf-8;base64,aGk=' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'hi' } },
    ],
    [
      { type: 'text', text: 'a', prompt_cache_breakpoint: { mode: 'explicit' } },
      { type: 'text', text: 'a', cache_control: { type: 'ephemeral' } },
    ],
    [
      { type: 'text', text: 'a', cache_control: { type: 'ephemeral', ttl: '1h' } },
      { type: 'text', text: 'a', cache_control: { type: 'ephemeral', ttl: '1h' } },
    ],
  ])('%j becomes the block %j', (part, block) =>
    expect(blocksOf([{ type: 'text', text: '' }, part])).toEqual([block]),
  );

  it.each<[unknown, string]>([
    [{ type: 'input_audio', input_audio: { data: 'aGk=', format: 'wav' } }, ''],
    [{ type: 'new' }, ''],
    ['x', ''],
    [{ type: 'text', text: 5 }, '.text'],
    [{ type: 'image_url', image_url: url }, '.image_url'],
    [{ type: 'image_url', image_url: { url: 'ftp://a.example' } }, '.image_url.url'],
    [{ type: 'image_url', image_url: { url: 'data:image/tiff;base64,aGk=' } }, '.image_url.url'],
    [{ type: 'file', file: { file_id: 'file-1' } }, '.file'],
    [{ type: 'file', file: { file_data: 'data:text/csv;base64,aGk=' } }, '.file.file_data'],
    [{ type: 'file', file: { file_data: 'aGk=' } }, '.file.file_data'],
  ])('%j is refused at path %j', (part, path) =>
    expect(refusedPath([{ role: 'user', content: ['a', part].slice(1) }])).toBe(
      `messages[0].content[0]${path}`,
    ),
  );
});

const refusedPath = (messages: unknown[]) => {
  try {
    encode(messages);
  } catch (error) {
    if (error instanceof UnsupportedParameter) return error.param;
    throw error;
  }
  return undefined;
};

describe('a message without a counterpart', () => {
  it.each<[unknown, string]>([
    ['x', 'messages[0]'],
    [{ role: 'function', name: 'f', content: 'x' }, 'messages[0].role'],
    [{ role: '__proto__', content: 'x' }, 'messages[0].role'],
    [{ role: 'user', content: null }, 'messages[0].content'],
    [{ role: 'user', content: '' }, 'messages[0].content'],
    [
      { role: 'system', content: [{ type: 'image_url', image_url: { url: 'https://a.example' } }] },
      'messages[0].content',
    ],
    [{ role: 'assistant', audio: { id: 'a' } }, 'messages[0].audio'],
    [{ role: 'assistant', function_call: { name: 'f', arguments: '' } }, 'messages[0].function_call'],
    [{ role: 'assistant', tool_calls: [{}] }, 'messages[0].tool_calls[0].function'],
    [{ role: 'assistant', tool_calls: [call('c', '[]')] }, 'messages[0].tool_calls[0].function.arguments'],
    [{ role: 'assistant', tool_calls: [{ ...call('c', ''), id: 5 }] }, 'messages[0].tool_calls[0].id'],
    [{ role: 'assistant', tool_calls: [{ type: 'custom' }] }, 'messages[0].tool_calls[0].type'],
    [{ role: 'assistant', thinking_blocks: [{ type: 'x' }] }, 'messages[0].thinking_blocks[0].type'],
    [{ role: 'tool', content: 'x' }, 'messages[0].tool_call_id'],
  ])('%j is refused at path %s', (message, path) => expect(refusedPath([message])).toBe(path));
});

describe('the results of tools in a chat', () => {
  const question = { role: 'user', content: 'Which?' };
  const calls = { role: 'assistant', content: null, tool_calls: [call('a', '{}'), call('b', '{}')] };
  const use = (id: string) => ({ type: 'tool_use', id, name: 'get_weather', input: {} });
  const asked = [question, { role: 'assistant', content: [use('a'), use('b')] }];
  const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: id });
  const block = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: id });
  const text = (value: string) => ({ type: 'text', text: value });
  const user = (content: string) => ({ role: 'user', content });

  it.each([
    ['after them', [result('a'), result('b'), user('x')], [[block('a'), block('b'), text('x')]]],
    [
      'between them',
      [result('b'), user('x'), result('a'), user('y')],
      [[block('b'), block('a'), text('x')], 'y'],
    ],
    ['before them', [user('x'), result('a'), result('b'), user('y')], [[block('a'), block('b')], 'x', 'y']],
    ['empty', [result('a'), result('b'), user('')], [[block('a'), block('b')]]],
  ])('directly follow their calls when the text of the user is %s', (_, messages, expected) => {
    const contents = [...asked, ...expected.map((content) => ({ role: 'user', content }))];
    expect(encode([question, calls, ...messages]).body.messages).toEqual(contents);
  });

  it('belong to their own turn', () => {
    const answer = { role: 'assistant', content: 'ok', tool_calls: [] };
    expect(
      encode([question, calls, result('a'), answer, calls, user('x'), result('b')]).body.messages,
    ).toEqual([
      ...asked,
      { role: 'user', content: [block('a')] },
      { role: 'assistant', content: 'ok' },
      asked[1],
      { role: 'user', content: [block('b')] },
      user('x'),
    ]);
  });
});
