import fc from 'fast-check';
import { eventsIn } from '../../../test/support/streamed-answers';
import { chatOnMessages } from './chat-on-messages';
import { composed } from './composition';
import { messagesOnChat } from './messages-on-chat';
import { responsesOnChat } from './responses-on-chat';
import { type Json, UnexpectedResponse, UnsupportedParameter } from './translation';

const chatRequest = { stream_options: { include_usage: true } };
const responsesRequest = { repeated: {}, clientTools: new Map([['name', { name: 'tool', isCustom: true }]]) };
const translations = {
  chatOnMessages: { translation: chatOnMessages, request: chatRequest },
  messagesOnChat: { translation: messagesOnChat, request: chatRequest },
  responsesOnChat: { translation: responsesOnChat, request: responsesRequest },
  responsesOnMessages: {
    translation: composed(responsesOnChat, chatOnMessages, { thinkingField: 'thinking_blocks' }),
    request: { outer: responsesRequest, inner: chatRequest },
  },
};
const names = Object.keys(translations) as (keyof typeof translations)[];

/** Words of both formats, from which random JSON is made. */
const word = fc.constantFrom(
  ...['type', 'index', 'delta', 'content_block', 'message', 'usage', 'error', 'choices', 'tool_calls', 'id'],
  ...[
    'function',
    'name',
    'arguments',
    'content',
    'thinking_blocks',
    'finish_reason',
    'stop_reason',
    '__proto__',
  ],
  ...['message_start', 'message_delta', 'message_stop', 'content_block_start', 'content_block_delta'],
  ...[
    'content_block_stop',
    'text_delta',
    'input_json_delta',
    'thinking_delta',
    'signature_delta',
    'tool_use',
  ],
  ...['text', 'thinking', 'redacted_thinking', 'partial_json', 'signature', 'input', 'stop_details'],
  ...['model', 'messages', 'system', 'max_tokens', 'stop', 'tools', 'tool_choice', 'metadata', 'constructor'],
  ...['role', 'user', 'assistant', 'tool', 'image_url', 'source', 'tool_result', 'tool_use_id', 'file'],
  ...[
    'input',
    'instructions',
    'input_text',
    'output_text',
    'input_image',
    'input_file',
    'function_call',
    'output',
  ],
  ...[
    'function_call_output',
    'custom_tool_call',
    'custom_tool_call_output',
    'call_id',
    'reasoning',
    'summary',
  ],
  ...[
    'encrypted_content',
    'extra_content',
    'namespace',
    'custom',
    'grammar',
    'text',
    'json_object',
    'include',
    'top_logprobs',
    'refusal',
  ],
  ...['response_format', 'json_schema', 'output_config', 'format', 'reasoning_effort', 'low', 'document'],
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.oneof(word, fc.constantFrom(0, 1, null, '', '{}', '{', true, [])),
    fc.dictionary(word, tie('value'), { maxKeys: 6 }),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
}));
const typed = fc.tuple(word, fc.dictionary(word, value)).map(([type, body]) => ({ ...body, type }));
const chunk = fc.record({
  choices: fc.array(fc.record({ index: fc.constantFrom(0, 1), delta: value, message: value })),
});
const event = fc.record({
  event: fc.option(word, { nil: undefined }),
  data: fc.oneof(
    fc.oneof(value, typed, chunk).map((body) => JSON.stringify(body)),
    fc.string(),
    fc.constant('[DONE]'),
  ),
});
const request = fc.record({
  max_tokens: fc.constant(5),
  messages: fc.oneof(value, fc.array(value)),
  input: fc.oneof(value, fc.array(fc.oneof(value, typed))),
  rest: fc.dictionary(word, value),
});
const deep = JSON.parse('{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)) as Json;

describe.each(names)('invalid input for %s', (name) => {
  const { translation, request: forResponse } = translations[name];
  const context = { model: 'public', request: forResponse as Json };

  it('throws UnexpectedResponse in a stream, or becomes events', () =>
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), (events) => {
        const stream = translation.stream(context);
        for (const each of [...events, undefined]) {
          try {
            eventsIn(each === undefined ? stream.end() : stream.push(each));
          } catch (error) {
            if (!(error instanceof UnexpectedResponse)) throw error;
          }
        }
      }),
      { numRuns: 2000 },
    ));

  it('throws UnexpectedResponse as a response, or becomes JSON', () =>
    fc.assert(
      fc.property(fc.oneof(value, typed, chunk), (response) => {
        try {
          JSON.stringify(translation.decode(response, context));
        } catch (error) {
          if (!(error instanceof UnexpectedResponse)) throw error;
        }
      }),
      { numRuns: 2000 },
    ));

  it('throws UnsupportedParameter as a request, or becomes JSON and names that fit a header', () =>
    fc.assert(
      fc.property(request, ({ rest, ...needed }) => {
        try {
          const { dropped, body } = translation.encode({ ...needed, ...rest }, 'claude-sonnet-4-5');
          JSON.stringify(body);
          if (dropped.some((param) => !/^[\w.[\]-]+$/.test(param))) throw new Error('unfit for a header');
        } catch (error) {
          if (!(error instanceof UnsupportedParameter)) throw error;
        }
      }),
      { numRuns: 2000 },
    ));

  it('is refused when it is too deep for JSON.stringify', () => {
    const messages = [{ role: 'user', content: 'Hi' }];
    const deepRequest = { max_tokens: 5, messages, input: 'Hi', tools: [deep] };
    expect(() => translation.encode(deepRequest, 'm')).toThrow(UnsupportedParameter);
    const block = { type: 'tool_use', id: 't', name: 'f', input: deep };
    const call = { id: 't', function: { name: 'f', arguments: deep } };
    const deepResponse = { content: [block], choices: [{ message: { tool_calls: [call] } }] };
    expect(() => translation.decode(deepResponse, context)).toThrow(UnexpectedResponse);
  });
});

describe('a stream that never ends', () => {
  const chunk = (delta: Json) => ({ data: JSON.stringify({ choices: [{ index: 0, delta }] }) });
  const call = (index: number, fields: Json = {}) =>
    chunk({ tool_calls: [{ index, function: { name: 'f', ...fields } }] });
  const block = (index: number) => ({
    data: JSON.stringify(
      index === 0
        ? { type: 'message_start', message: { id: 'm' } }
        : { type: 'content_block_start', index, content_block: { type: 'text' } },
    ),
  });

  it.each<[string, (keyof typeof translations)[], (index: number) => { data: string }]>([
    ['of calls', ['messagesOnChat', 'responsesOnChat'], (index) => call(index)],
    ['of complete calls', ['messagesOnChat', 'responsesOnChat'], (index) => call(index, { arguments: '{}' })],
    [
      'of thinking and text by turns',
      ['responsesOnChat'],
      (index) => chunk(index % 2 === 0 ? { content: 'a' } : { reasoning_content: 'b' }),
    ],
    ['of blocks that do not end', ['chatOnMessages', 'responsesOnMessages'], block],
  ])('%s is refused before it fills the memory', (_, affected, eventOf) => {
    for (const name of affected) {
      const { translation, request: forResponse } = translations[name];
      const stream = translation.stream({ model: 'public', request: forResponse });
      expect(() => {
        for (let index = 0; index < 20_000; index += 1) stream.push(eventOf(index));
      }).toThrow(UnexpectedResponse);
    }
  });
});
