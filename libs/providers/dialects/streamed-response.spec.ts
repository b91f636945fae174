import fc from 'fast-check';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import { ResponseStream } from 'openai/lib/responses/ResponseStream';
import {
  chunksOfChat,
  eventsIn,
  eventsOfMessage,
  gatheredChat,
  gatheredMessage,
  gatheredResponse,
} from '../../../test/support/streamed-answers';
import { chatOnMessages } from './chat-on-messages';
import { composed } from './composition';
import { messagesOnChat } from './messages-on-chat';
import { responsesOnChat } from './responses-on-chat';
import { type StreamEvent, type Translation, type TranslationContext } from './translation';

const context = { model: 'public', request: { stream_options: { include_usage: true } } };
const tools = [{ type: 'custom', name: 'custom' }];
const contextOf = (translation: Translation) => ({
  model: 'public',
  request: translation.encode({ model: 'public', input: 'Hi', stream: true, tools }, 'upstream').forResponse,
});
const responses = {
  chat: responsesOnChat,
  messages: composed(responsesOnChat, chatOnMessages, { thinkingField: 'thinking_blocks' }),
};
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 15 });
const name = fc.oneof(fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/), fc.constant('custom'));
const count = fc.nat(10_000);
const sizes = fc.array(fc.nat(4), { minLength: 1, maxLength: 5 });
/** Only values that JSON can represent, so neither -0 nor undefined. */
const input = fc
  .dictionary(name, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 4 })
  .map((value) => JSON.parse(JSON.stringify(value)));
/** Tool calls whose ids differ within a response. */
const calls = fc.uniqueArray(fc.record({ id: name, name, input }), {
  selector: ({ id }) => id,
  maxLength: 4,
});

const message = fc
  .record({
    id: name.map((id) => `msg_${id}`),
    thinking: fc.array(
      fc.oneof(
        fc.record({ type: fc.constant('thinking'), thinking: text, signature: name }),
        fc.record({ type: fc.constant('redacted_thinking'), data: name }),
      ),
      { maxLength: 3 },
    ),
    text: fc.option(text),
    calls,
    stop: fc.constantFrom('end_turn', 'max_tokens', 'refusal'),
    usage: fc.record({
      input_tokens: count,
      cache_creation_input_tokens: count,
      cache_read_input_tokens: count,
      output_tokens: count,
    }),
  })
  .map(({ id, thinking, text: content, calls: uses, stop, usage }) => ({
    id,
    type: 'message',
    role: 'assistant',
    model: 'public',
    content: [
      ...thinking,
      ...(content === null ? [] : [{ type: 'text', text: content }]),
      ...uses.map((use) => ({ type: 'tool_use', ...use })),
    ],
    stop_reason: uses.length > 0 ? 'tool_use' : stop,
    stop_sequence: null,
    usage,
  }));

const chat = fc
  .record({
    id: name.map((id) => `chatcmpl-${id}`),
    reasoning: fc.option(text),
    content: fc.option(text),
    calls,
    finish: fc.constantFrom('stop', 'length', 'content_filter'),
    cached: count,
    prompt: count,
    completion: count,
  })
  .map(({ id, reasoning, content, calls: uses, finish, cached, prompt, completion }) => ({
    id,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content,
          refusal: null,
          ...(reasoning !== null && { reasoning_content: reasoning }),
          ...(uses.length > 0 && {
            tool_calls: uses.map((use) => ({
              id: use.id,
              type: 'function',
              function: { name: use.name, arguments: JSON.stringify(use.input) },
            })),
          }),
        },
        finish_reason: uses.length > 0 ? 'tool_calls' : finish,
      },
    ],
    usage: {
      prompt_tokens: prompt + cached,
      completion_tokens: completion,
      total_tokens: prompt + cached + completion,
      prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: 0 },
    },
  }));

const through = (
  translation: Translation,
  events: StreamEvent[],
  inContext: TranslationContext = context,
) => {
  const stream = translation.stream(inContext);
  return eventsIn(events.map((event) => stream.push(event)).join('') + stream.end());
};
/** The parts that must be the same in a streamed response and in a whole one. */
const comparable = ({ choices: [choice], usage }: any) => ({
  ...choice.message,
  content: choice.message.content ?? '',
  refusal: undefined,
  finish: choice.finish_reason,
  usage,
});

describe('a streamed response', () => {
  it('is the same as the whole response: a message translated to chat', () =>
    fc.assert(
      fc.property(message, sizes, (response, cuts) => {
        const streamed = gatheredChat(through(chatOnMessages, eventsOfMessage(response, cuts)));
        expect(comparable(streamed)).toEqual(comparable(chatOnMessages.decode(response, context)));
      }),
    ));

  it('is the same as the whole response: a chat translated to a message, even with interleaved tool calls', () =>
    fc.assert(
      fc.property(chat, sizes, fc.boolean(), (response, cuts, interleaved) => {
        const streamed = gatheredMessage(through(messagesOnChat, chunksOfChat(response, cuts, interleaved)));
        expect(streamed).toEqual(messagesOnChat.decode(response, context));
      }),
    ));

  it('is the same as the whole response: a chat translated to a response, even with interleaved tool calls', () =>
    fc.assert(
      fc.property(chat, sizes, fc.boolean(), (completion, cuts, interleaved) => {
        const inContext = contextOf(responses.chat);
        const events = through(responses.chat, chunksOfChat(completion, cuts, interleaved), inContext);
        const whole = responses.chat.decode({ created: 1, ...completion }, inContext);
        expect(gatheredResponse(events)).toEqual(whole);
      }),
    ));

  it('is the same as the whole response: a message translated to a response', () =>
    fc.assert(
      fc.property(message, sizes, (response, cuts) => {
        const inContext = contextOf(responses.messages);
        const streamed = gatheredResponse(
          through(responses.messages, eventsOfMessage(response, cuts), inContext),
        );
        const whole = responses.messages.decode(response, inContext);
        expect({ ...streamed, created_at: 0 }).toEqual({ ...whole, created_at: 0 });
      }),
    ));

  it('is the same after a translation from a message to chat and back', () =>
    fc.assert(
      fc.property(message, sizes, (response, cuts) => {
        const asChat = through(chatOnMessages, eventsOfMessage(response, cuts));
        expect(gatheredMessage(through(messagesOnChat, asChat))).toEqual(response);
      }),
    ));

  it('is the same after a translation from chat to a message and back', () =>
    fc.assert(
      fc.property(chat, sizes, fc.boolean(), (response, cuts, interleaved) => {
        const asMessage = through(messagesOnChat, chunksOfChat(response, cuts, interleaved));
        expect(comparable(gatheredChat(through(chatOnMessages, asMessage)))).toEqual(comparable(response));
      }),
    ));

  it("is understood by OpenAI's own client as a response", () =>
    fc.assert(
      fc.asyncProperty(chat, sizes, fc.boolean(), async (completion, cuts, interleaved) => {
        const inContext = contextOf(responses.chat);
        const events = through(responses.chat, chunksOfChat(completion, cuts, interleaved), inContext);
        const lines = new Blob(events.map(({ data }) => `${data}\n`)).stream();
        const whole: any = await ResponseStream.fromReadableStream(lines).finalResponse();
        const expected: any = responses.chat.decode(completion, inContext);
        expect(whole.output).toMatchObject(expected.output);
        expect(whole.usage).toEqual(expected.usage);
        expect(whole.status).toBe(expected.status);
      }),
      { numRuns: 30 },
    ));

  it("is understood by OpenAI's own client", () =>
    fc.assert(
      fc.asyncProperty(message, sizes, async (response, cuts) => {
        const events = through(chatOnMessages, eventsOfMessage(response, cuts)).slice(0, -1);
        const lines = new Blob(events.map(({ data }) => `${data}\n`)).stream();
        const whole: any = await ChatCompletionStream.fromReadableStream(lines).finalChatCompletion();
        const expected: any = chatOnMessages.decode(response, context);
        const { content, tool_calls: toolCalls } = whole.choices[0].message;
        expect(content ?? '').toBe(expected.choices[0].message.content ?? '');
        expect(JSON.parse(JSON.stringify(toolCalls ?? []))).toEqual(
          expected.choices[0].message.tool_calls ?? [],
        );
        expect(whole.usage).toEqual(expected.usage);
      }),
      { numRuns: 30 },
    ));
});
