import { eventsIn, eventsOfMessage, gatheredResponse } from '../../../test/support/streamed-answers';
import { chatOnMessages } from './chat-on-messages';
import { composed } from './composition';
import { messagesOnChat } from './messages-on-chat';
import { responsesOnChat } from './responses-on-chat';
import { type Json, UnsupportedParameter } from './translation';

const translation = composed(responsesOnChat, chatOnMessages, { thinkingField: 'thinking_blocks' });
const encode = (request: Json, model = 'claude-sonnet-4-5') =>
  translation.encode({ model: 'public', input: 'Hi', ...request }, model);
const tool = { type: 'function', name: 'weather', parameters: { type: 'object', properties: {} } };

describe('a request for a response, translated to a message through chat completions,', () => {
  it('has the counterparts of both translations', () =>
    expect(
      encode({
        instructions: 'Be brief.',
        input: [
          {
            role: 'user',
            content: [{ type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=' }],
          },
          { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Umeå"}' },
          { type: 'function_call_output', call_id: 'call_1', output: 'snow' },
        ],
        max_output_tokens: 8000,
        reasoning: { effort: 'low', summary: 'auto' },
        tools: [tool],
        parallel_tool_calls: false,
        text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' } } },
        safety_identifier: 'u1',
        stream: true,
      }).body,
    ).toEqual({
      model: 'claude-sonnet-4-5',
      max_tokens: 8000,
      system: 'Be brief.',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
          ],
        },
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Umeå' } }],
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'snow' }],
        },
      ],
      tools: [{ name: 'weather', input_schema: tool.parameters }],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
      output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
      metadata: { user_id: 'u1' },
      stream: true,
    }));

  it("names what either of them drops, as the client's parameters", () =>
    expect(
      encode({
        store: true,
        text: { verbosity: 'low', format: { type: 'json_object' } },
        include: ['message.output_text.logprobs'],
        top_logprobs: 2,
        prompt_cache_key: 'k',
        temperature: 1.5,
        input: [
          { role: 'user', content: [{ type: 'input_image', image_url: 'https://a.example', detail: 'low' }] },
        ],
      }).dropped,
    ).toEqual(['store', 'prompt_cache_key', 'text', 'include', 'top_logprobs', 'input', 'temperature']));

  it.each([
    [
      'input[1].content[1]',
      [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look:' },
            { type: 'input_image', image_url: 'ftp://a.example' },
          ],
        },
      ],
    ],
    ['input[0]', [{ type: 'function_call', call_id: 'a', name: 'f', arguments: '[]' }]],
    [
      'input[1].output',
      [
        { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
        {
          type: 'function_call_output',
          call_id: 'a',
          output: [{ type: 'input_file', file_data: 'data:image/x;base64,' }],
        },
      ],
    ],
    ['input', ''],
  ])('is refused at the place in the input: %s', (param, input) => {
    try {
      encode({ input });
    } catch (error) {
      expect(error).toBeInstanceOf(UnsupportedParameter);
      expect((error as UnsupportedParameter).param).toBe(param);
      return;
    }
    throw new Error('nothing was refused');
  });

  it("keeps to the provider's differences", () => {
    const thinking_blocks = [{ type: 'thinking', thinking: 'Hm', signature: 's' }];
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello', thinking_blocks },
      { role: 'user', content: 'So?' },
    ];
    const { body } = composed(chatOnMessages, messagesOnChat).encode({ messages }, 'm', {
      thinkingField: 'reasoning_content',
    });
    expect((body.messages as Json[])[1]).toEqual({
      role: 'assistant',
      content: 'Hello',
      reasoning_content: 'Hm',
    });
  });

  it("has the client's names for all parameters of the provider", () => {
    expect(
      ['stop_sequences', 'thinking', 'metadata.user_id', 'temperature'].map((name) =>
        translation.clientName(name),
      ),
    ).toEqual(['stop', 'reasoning', 'safety_identifier', 'temperature']);
  });
});

describe('thinking of Anthropic, translated to a response and sent back with the result of a tool,', () => {
  const thinking = [
    { type: 'thinking', thinking: 'First "this".\nThen that.', signature: 'c2lnbmF0dXJl/+=' },
    { type: 'redacted_thinking', data: 'ZGF0YQ/+==' },
    { type: 'thinking', thinking: '', signature: 'b21pdHRlZA==' },
  ];
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    content: [
      ...thinking,
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Umeå' } },
    ],
    stop_reason: 'tool_use',
    usage: { input_tokens: 3, output_tokens: 9 },
  };
  const request = { input: 'Hi', tools: [tool], reasoning: { effort: 'high' }, max_output_tokens: 9000 };
  const context = { model: 'public', request: encode(request).forResponse };
  const streamed = () => {
    const stream = translation.stream(context);
    const events = eventsOfMessage(message, [2, 4]).map((event) => stream.push(event));
    return gatheredResponse(eventsIn(events.join('') + stream.end()));
  };

  it.each([
    ['whole', () => translation.decode(message, context)],
    ['streamed', streamed],
  ])('is the same, block by block: %s', (_, responseOf) => {
    const { output } = responseOf() as { output: Json[] };
    expect(output.map(({ type }) => type)).toEqual([
      'reasoning',
      'reasoning',
      'reasoning',
      'message',
      'function_call',
    ]);
    const result = { type: 'function_call_output', call_id: 'toolu_1', output: 'snow' };
    const { body, dropped } = encode({
      ...request,
      input: [{ role: 'user', content: 'Hi' }, ...output, result],
    });
    expect((body.messages as Json[])[1]).toEqual({ role: 'assistant', content: message.content });
    expect(body.thinking).toMatchObject({ type: 'enabled' });
    expect(dropped).toEqual([]);
  });
});
