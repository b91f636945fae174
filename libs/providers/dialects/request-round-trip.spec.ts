import fc from 'fast-check';
import { chatOnMessages } from './chat-on-messages';
import { messagesOnChat } from './messages-on-chat';
import { type Json } from './translation';

/** Not blank, and without blanks at the end, which Anthropic refuses and which are therefore left out. */
const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 15 })
  .filter((drawn) => drawn === drawn.trimEnd());
const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);
const fraction = fc.integer({ min: 0, max: 99 }).map((percent) => percent / 100);
const url = name.map((path) => `https://images.example/${path}.png`);
const data = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64'));
/** Only values that JSON can represent, so neither -0 nor undefined. */
const input = fc
  .dictionary(name, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Json);
const schema = fc.dictionary(name, fc.constant({ type: 'string' }), { maxKeys: 3 }).map((properties) => ({
  type: 'object',
  properties,
}));
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** One turn of a chat: the user, the assistant, and the results of all of its calls. */
const chatTurn = fc
  .record({
    user: fc.oneof(
      text,
      fc.array(
        fc.oneof(
          text.map((part) => ({ type: 'text', text: part })),
          url.map((address) => ({ type: 'image_url', image_url: { url: address } })),
          data.map((bytes) => ({ type: 'image_url', image_url: { url: `data:image/png;base64,${bytes}` } })),
          fc.tuple(name, data).map(([filename, bytes]) => ({
            type: 'file',
            file: { filename, file_data: `data:application/pdf;base64,${bytes}` },
          })),
        ),
        { minLength: 1, maxLength: 3 },
      ),
    ),
    assistant: text,
    calls: fc.uniqueArray(fc.record({ id: name, name, input, result: text }), {
      selector: ({ id }) => id,
      maxLength: 3,
    }),
  })
  .map(({ user, assistant, calls }) => [
    { role: 'user', content: user },
    {
      role: 'assistant',
      content: assistant,
      ...(calls.length > 0 && {
        tool_calls: calls.map((call) => ({
          id: call.id,
          type: 'function',
          function: { name: call.name, arguments: JSON.stringify(call.input) },
        })),
      }),
    },
    ...calls.map((call) => ({ role: 'tool', tool_call_id: call.id, content: call.result })),
  ]);

const chat = fc.record(
  {
    system: optional(text),
    turns: fc.array(chatTurn, { minLength: 1, maxLength: 3 }),
    tools: fc.uniqueArray(fc.record({ name, description: text, parameters: schema, strict: fc.boolean() }), {
      selector: (tool) => tool.name,
      minLength: 1,
      maxLength: 3,
    }),
    choice: fc.constantFrom('auto', 'none', 'required', 'first'),
    isSerial: fc.boolean(),
    max_completion_tokens: fc.integer({ min: 1, max: 100_000 }),
    temperature: optional(fraction),
    top_p: optional(fraction),
    stop: optional(
      fc.array(
        text.map((stop) => `.${stop}`),
        { minLength: 1, maxLength: 4 },
      ),
    ),
    user: optional(name),
    stream: optional(fc.constant(true)),
    format: optional(schema),
  },
  { noNullPrototype: true },
);

const requestOf = (drawn: typeof chat extends fc.Arbitrary<infer T> ? T : never): Json => {
  const { system, turns, tools, choice, isSerial, format, ...same } = drawn;
  const forced = { type: 'function', function: { name: tools[0]!.name } };
  return {
    ...same,
    messages: [...(system === undefined ? [] : [{ role: 'system', content: system }]), ...turns.flat()],
    tools: tools.map(({ strict, ...tool }) => ({
      type: 'function',
      function: { ...tool, ...(strict && { strict }) },
    })),
    tool_choice: choice === 'first' ? forced : choice,
    ...(isSerial && choice !== 'none' && { parallel_tool_calls: false }),
    ...(format && {
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: format, strict: true } },
    }),
  };
};

/** Makes requests comparable: a string and a single text part are equal, and so is any model. */
const canonical = (request: Json) => ({
  ...request,
  model: undefined,
  stream_options: undefined,
  messages: (request.messages as any[]).map(({ content, ...message }) => ({
    ...message,
    content: typeof content === 'string' ? [{ type: 'text', text: content }] : content,
  })),
});

describe('a request', () => {
  it('is the same after a translation from chat to messages and back', () =>
    fc.assert(
      fc.property(chat, (drawn) => {
        const request = requestOf(drawn);
        const there = chatOnMessages.encode(request, 'claude-sonnet-4-0');
        const back = messagesOnChat.encode(there.body, 'gpt');
        expect([there.dropped, back.dropped]).toEqual([[], []]);
        expect(canonical(back.body)).toEqual(canonical(request));
      }),
    ));

  it('is the same after a translation from messages to chat and back', () =>
    fc.assert(
      fc.property(chat, (drawn) => {
        const first = chatOnMessages.encode(requestOf(drawn), 'claude-sonnet-4-0').body;
        const there = messagesOnChat.encode(first, 'gpt');
        const back = chatOnMessages.encode(there.body, 'claude-sonnet-4-0');
        expect([there.dropped, back.dropped]).toEqual([[], []]);
        expect(canonical(back.body)).toEqual(canonical(first));
      }),
    ));

  it.each(['low', 'medium', 'high', 'xhigh', 'max'])('keeps the effort %s', (effort) => {
    const request = { messages: [{ role: 'user', content: 'Hi' }], reasoning_effort: effort };
    const { body } = chatOnMessages.encode(request, 'claude-opus-4-7');
    expect(messagesOnChat.encode(body, 'gpt').body.reasoning_effort).toBe(effort);
  });
});
