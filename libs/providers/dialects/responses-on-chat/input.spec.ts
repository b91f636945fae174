import { responsesOnChat } from '.';
import { type ThinkingField } from '../../provider';
import { UnsupportedParameter } from '../translation';

const encode = (input: unknown, instructions?: string, field: ThinkingField | null = 'reasoning_content') => {
  const { body, dropped } = responsesOnChat.encode({ input, instructions }, 'gpt', {
    thinkingField: field ?? undefined,
  });
  return { messages: body.messages as any[], dropped };
};
const faultOf = (input: unknown) => {
  try {
    encode(input);
  } catch (error) {
    if (error instanceof UnsupportedParameter) return { param: error.param, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
};
const user = (content: unknown) => ({ role: 'user', content });
const call = (id: string, name = 'f') => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: id,
  name,
  arguments: '{}',
  status: 'completed',
});
const output = (id: string, value: unknown = 'done') => ({
  type: 'function_call_output',
  call_id: id,
  output: value,
});
const asCall = (id: string, name = 'f') => ({ id, type: 'function', function: { name, arguments: '{}' } });
const asOutput = (id: string, content = 'done') => ({ role: 'tool', tool_call_id: id, content });
const said = (text: string) => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  phase: 'final_answer',
  content: [{ type: 'output_text', text, annotations: [] }],
});
const thought = (text: string, encrypted_content: string | null = null) => ({
  type: 'reasoning',
  id: 'rs_1',
  summary: [{ type: 'summary_text', text }],
  encrypted_content,
});

describe('the input of a request for a response', () => {
  it('may be text, or messages without a type', () => {
    expect(encode('Hi').messages).toEqual([user('Hi')]);
    expect(
      encode([
        user('Hi'),
        { role: 'assistant', content: 'Hello' },
        user([{ type: 'input_text', text: 'So?' }]),
      ]),
    ).toEqual({
      messages: [user('Hi'), { role: 'assistant', content: 'Hello' }, user('So?')],
      dropped: [],
    });
  });

  it('begins with one system message, made of all instructions at the beginning', () =>
    expect(
      encode(
        [
          { role: 'developer', content: [{ type: 'input_text', text: 'Be polite.' }] },
          { role: 'system', content: 'Be quick.' },
          user('Hi'),
          { role: 'developer', content: 'Now in Swedish.' },
        ],
        'Be brief.',
      ).messages,
    ).toEqual([
      { role: 'system', content: 'Be brief.\n\nBe polite.\n\nBe quick.' },
      user('Hi'),
      { role: 'system', content: 'Now in Swedish.' },
    ]));

  it('keeps images, files and sound in their order', () => {
    const data = 'data:image/png;base64,iVBORw0KGgo=';
    const content = [
      { type: 'input_text', text: 'Look:' },
      { type: 'input_image', image_url: data, detail: 'low' },
      { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'auto' },
      { type: 'input_image', image_url: data, detail: 'original' },
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' },
      { type: 'input_audio', input_audio: { data: 'UklG', format: 'wav' } },
      { type: 'input_text', text: 'Well?', prompt_cache_breakpoint: { mode: 'explicit' } },
    ];
    expect(encode([user(content)])).toEqual({
      messages: [
        user([
          { type: 'text', text: 'Look:' },
          { type: 'image_url', image_url: { url: data, detail: 'low' } },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          { type: 'image_url', image_url: { url: data, detail: 'high' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' } },
          { type: 'input_audio', input_audio: { data: 'UklG', format: 'wav' } },
          { type: 'text', text: 'Well?', prompt_cache_breakpoint: { mode: 'explicit' } },
        ]),
      ],
      dropped: ['input[].content[].detail'],
    });
  });

  it('makes one message of the items of a turn, followed by the results', () =>
    expect(
      encode([
        user('Hi'),
        thought('Hm'),
        said('Let me see.'),
        call('a'),
        call('b', 'g'),
        output('a'),
        output('b'),
        said('Done.'),
      ]).messages,
    ).toEqual([
      user('Hi'),
      {
        role: 'assistant',
        content: 'Let me see.',
        reasoning_content: 'Hm',
        tool_calls: [asCall('a'), asCall('b', 'g')],
      },
      asOutput('a'),
      asOutput('b'),
      { role: 'assistant', content: 'Done.' },
    ]));

  it('has a result after each call when the client sends them in pairs', () =>
    expect(encode([user('Hi'), call('a'), output('a'), call('b'), output('b')]).messages).toEqual([
      user('Hi'),
      { role: 'assistant', content: null, tool_calls: [asCall('a')] },
      asOutput('a'),
      { role: 'assistant', content: null, tool_calls: [asCall('b')] },
      asOutput('b'),
    ]));

  it('joins the texts of a result, and has its images in a user message after all results', () => {
    const image = { type: 'input_image', image_url: 'https://example.com/a.png' };
    const parts = [{ type: 'input_text', text: 'one' }, image, { type: 'input_text', text: 'two' }];
    expect(
      encode([user('Hi'), call('a'), call('b'), output('a', parts), output('b'), user('So?')]).messages.slice(
        2,
      ),
    ).toEqual([
      asOutput('a', 'one\ntwo'),
      asOutput('b'),
      user([
        { type: 'text', text: 'From the result of tool call a:' },
        { type: 'image_url', image_url: { url: image.image_url } },
      ]),
      user('So?'),
    ]);
  });

  it('has an empty object where a call has no arguments', () =>
    expect(encode([user('Hi'), { ...call('a'), arguments: '' }]).messages[1].tool_calls).toEqual([
      asCall('a'),
    ]));

  it('has calls of custom tools and their results', () =>
    expect(
      encode([
        user('Hi'),
        { type: 'custom_tool_call', call_id: 'a', name: 'patch', input: '*** Begin "x"\n' },
        { type: 'custom_tool_call_output', call_id: 'a', output: 'applied' },
      ]).messages.slice(1),
    ).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          {
            id: 'a',
            type: 'function',
            function: { name: 'patch', arguments: '{"input":"*** Begin \\"x\\"\\n"}' },
          },
        ],
      },
      asOutput('a', 'applied'),
    ]));

  it('has a refusal of the assistant as text', () =>
    expect(
      encode([user('Hi'), { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] }]).messages[1],
    ).toEqual({
      role: 'assistant',
      content: 'No.',
    }));

  it('leaves out reasoning and empty messages without anything that followed', () =>
    expect(
      encode([thought('Hm'), user('Hi'), { role: 'assistant', content: '' }, thought('Hm')]).messages,
    ).toEqual([user('Hi')]));

  describe('with reasoning of earlier turns', () => {
    const items = [
      user('Hi'),
      thought('one', 'text'),
      thought('two', 'thinking.c2ln'),
      { ...thought('', 'redacted_thinking.ZGF0YQ'), summary: [] },
      thought('foreign', 'gAAAAABo'),
      thought('not JSON', 'extra_content.____'),
      { ...thought('summary'), content: [{ type: 'reasoning_text', text: 'whole' }] },
      said('Hello'),
    ];

    it('gives a provider its own text again, and names what another one encrypted', () =>
      expect(encode(items)).toEqual({
        messages: [user('Hi'), { role: 'assistant', content: 'Hello', reasoning_content: 'one\n\nwhole' }],
        dropped: ['input[].encrypted_content'],
      }));

    it('leaves it out for a provider that has no field for it', () =>
      expect(encode(items, undefined, null)).toEqual({
        messages: [user('Hi'), { role: 'assistant', content: 'Hello' }],
        dropped: ['input[].encrypted_content'],
      }));

    it('gives only Gemini the signature of its call again', () => {
      const signature =
        'extra_content.' + Buffer.from('{"google":{"thought_signature":"s"}}').toString('base64url');
      const input = [user('Hi'), thought('', signature), call('a'), call('b')];
      expect(encode(input, undefined, 'extra_content')).toEqual({
        messages: [
          user('Hi'),
          {
            role: 'assistant',
            content: null,
            tool_calls: [
              { ...asCall('a'), extra_content: { google: { thought_signature: 's' } } },
              asCall('b'),
            ],
          },
        ],
        dropped: [],
      });
      expect(encode(input)).toEqual({
        messages: [user('Hi'), { role: 'assistant', content: null, tool_calls: [asCall('a'), asCall('b')] }],
        dropped: ['input[].encrypted_content'],
      });
    });

    it('gives Anthropic its signed blocks again, unchanged and in order', () =>
      expect(encode(items, undefined, 'thinking_blocks')).toEqual({
        messages: [
          user('Hi'),
          {
            role: 'assistant',
            content: 'Hello',
            thinking_blocks: [
              { type: 'thinking', thinking: 'two', signature: 'c2ln' },
              { type: 'redacted_thinking', data: 'ZGF0YQ' },
            ],
          },
        ],
        dropped: ['input[].encrypted_content'],
      }));
  });

  it('names unknown fields of items', () =>
    expect(
      encode([
        { ...call('a'), caller: {} },
        { ...user('Hi'), 'a\nb': 1 },
      ]).dropped,
    ).toEqual(['input[].caller', 'input[].a_b']));

  it.each([
    ['item_reference', 'store: false'],
    ['web_search_call', 'it accepts only message, reasoning, function_call'],
    ['local_shell_call', 'it accepts only message'],
    ['mcp_list_tools', 'it accepts only message'],
    ['compaction', 'it accepts only message'],
    ['constructor', 'it accepts only message'],
  ])('is refused with an item of type %s', (type, text) => {
    const { param, message } = faultOf([user('Hi'), { type, id: 'x' }]);
    expect(param).toBe('input[1].type');
    expect(message).toContain(text);
  });

  it.each([
    ['input[0]', ['Hi']],
    ['input[0].type', [{ type: 5 }]],
    ['input[0].role', [{ role: 'tool', content: 'x' }]],
    ['input[0].content', [user(null)]],
    ['input[0].content', [user([])]],
    ['input[0].content[1]', [user([{ type: 'input_text', text: 'x' }, { type: 'video' }])]],
    ['input[0].content[0].text', [user([{ type: 'input_text' }])]],
    ['input[0].content[0]', [user([{ type: 'input_image', file_id: 'file_1' }])]],
    ['input[0].content[0]', [user([{ type: 'input_file', file_url: 'https://example.com/a.pdf' }])]],
    [
      'input[0].content[0]',
      [{ role: 'system', content: [{ type: 'input_image', image_url: 'https://x.example' }] }],
    ],
    ['input[0].arguments', [{ ...call('a'), arguments: {} }]],
    ['input[0].call_id', [{ ...call('a'), call_id: undefined }]],
    ['input[0].output', [output('a', { content: 'x' })]],
    ['input[0].summary', [{ type: 'reasoning', summary: 'x' }]],
    ['input[0].encrypted_content', [{ type: 'reasoning', summary: [], encrypted_content: 5 }]],
    ['input', [thought('Hm')]],
  ])('is refused at %s: %j', (param, input) => expect(faultOf(input).param).toBe(param));
});
