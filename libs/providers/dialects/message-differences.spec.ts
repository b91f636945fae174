import fc from 'fast-check';
import { type RequestDifferences } from '../provider';
import { spliceRequest } from './splice-request';

const differences: RequestDifferences = {
  messageFields: { user: ['role', 'content'], assistant: ['role', 'content', 'tool_calls'] },
  toolCallIdLength: 9,
};

function sent(body: string, given: RequestDifferences = differences) {
  const { parts, dropped } = spliceRequest(Buffer.from(body), { model: 'm', differences: given });
  return { body: Buffer.concat(parts).toString(), dropped };
}
const withMessages = (messages: string) => `{"model":"m","messages":${messages},"n":1.0}`;
const messagesOf = (messages: string) => {
  const { body, dropped } = sent(withMessages(messages));
  expect(body.endsWith(',"n":1.0}')).toBe(true);
  return { messages: body.slice(withMessages('').indexOf(',"n"'), -',"n":1.0}'.length), dropped };
};

describe('the messages of a request, for a provider that refuses other fields', () => {
  it.each([
    [
      '[ {"role":"assistant", "refusal" : null ,"content":"é\\n1.0" , "annotations":[]} ]',
      '[ {"role":"assistant","content":"é\\n1.0" } ]',
      [],
    ],
    [
      '[{"reasoning_content":"t","role":"assistant","content":null,"x":{"a":[1]}},{"role":"user","content":"a","name":"b"}]',
      '[{"role":"assistant","content":null},{"role":"user","content":"a"}]',
      ['reasoning_content', 'x', 'name'],
    ],
    [
      '[{"role":"assistant","\\u0078":"]}"},1,null,"{",[{"role":"user","x":1}],{},{"role":7,"x":1}]',
      '[{"role":"assistant"},1,null,"{",[{"role":"user","x":1}],{},{"role":7,"x":1}]',
      ['x'],
    ],
    ['[{"x":1,"role":"user"}]', '[{"role":"user"}]', ['x']],
    ['[{"role":"constructor","x":1}]', '[{"role":"constructor","x":1}]', []],
    ['{"role":"user","x":1}', '{"role":"user","x":1}', []],
    ['[ ]', '[ ]', []],
    ['null', 'null', []],
  ])('%s are sent as %s', (given, expected, names) =>
    expect(messagesOf(given)).toEqual({
      messages: expected,
      dropped: names.map((name) => `messages[].${name}`),
    }),
  );

  it('keep every byte when the provider knows all of their fields', () => {
    const content = fc.oneof(
      fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', 'é', 'a') }),
      fc
        .array(fc.tuple(fc.nat(60), fc.constantFrom('"', '\\', '\\\\"')), { maxLength: 6 })
        .map((all) => all.map(([length, end]) => 'a'.repeat(length) + end).join('')),
      fc.jsonValue(),
    );
    const message = fc.oneof(
      fc.record({ role: fc.constantFrom('user', 'assistant'), content }),
      fc.record({ content, role: fc.constant('other'), anything: content }),
      content,
    );
    const blank = fc.constantFrom(undefined, 2, '\t');
    fc.assert(
      fc.property(fc.array(message), blank, (messages, space) => {
        const body = JSON.stringify({ model: 'm', messages, n: 1 }, null, space);
        expect(sent(body)).toEqual({ body, dropped: [] });
      }),
    );
  });

  it('are the same as after an edit of the parsed messages', () => {
    const field = fc.constantFrom('role', 'content', 'name', 'tool_calls', 'a"b', 'refusal');
    const message = fc.dictionary(field, fc.oneof(fc.constantFrom('user', 'assistant', ''), fc.jsonValue()));
    fc.assert(
      fc.property(fc.array(message), fc.constantFrom(undefined, 2), (messages, space) => {
        const edited = messages.map((each) => {
          const fields = Object.entries(differences.messageFields!).find(([role]) => role === each.role)?.[1];
          return Object.fromEntries(Object.entries(each).filter(([name]) => fields?.includes(name) ?? true));
        });
        const { toolCallIdLength: _, ...onlyFields } = differences;
        const { body } = sent(JSON.stringify({ messages, model: 'm' }, null, space), onlyFields);
        expect(JSON.parse(body)).toEqual(JSON.parse(JSON.stringify({ messages: edited, model: 'm' })));
      }),
    );
  });

  it('are changed together with renamed and dropped parameters', () => {
    const body = '{"seed":1,"messages":[{"role":"user","content":"a","name":"b"}],"user":"u","model":"m"}';
    expect(sent(body, { ...differences, renamed: { seed: 'random_seed' }, unsupported: ['user'] })).toEqual({
      body: '{"random_seed":1,"messages":[{"role":"user","content":"a"}],"model":"m"}',
      dropped: ['messages[].name', 'user'],
    });
  });
});

describe('the ids of tool calls, for a provider that accepts only its own', () => {
  const conversation = (call: string, result: string) =>
    `[{"role":"assistant","tool_calls":[{"id":${call},"function":{"id":"x"}}, 5,{"id": ${call}}]},` +
    `{"role":"tool","tool_call_id":${result}}]`;
  const idsIn = (text: string) =>
    [...text.matchAll(/"(?:id|tool_call_id)": ?("[^"]*"|null)/g)].map(([, id]) => id);

  it.each(['toolu_01A09q90qw90lq917835lq9', 'call_0', 'a', 'functions.weather:0', 'ålä"\\\n', 'abcdefgh-'])(
    'become one id of nine letters and digits for the call and its result: %j',
    (id) => {
      const { messages, dropped } = messagesOf(conversation(JSON.stringify(id), JSON.stringify(id)));
      const [first, inner, second, result] = idsIn(messages);
      expect(first).toMatch(/^"[A-Za-z0-9]{9}"$/);
      expect([inner, second, result, dropped]).toEqual(['"x"', first, first, []]);
      expect(idsIn(messagesOf(conversation(JSON.stringify(id), '"other"')).messages)[3]).not.toBe(first);
    },
  );

  it('do not depend on how the client escapes them', () =>
    expect(new Set(idsIn(messagesOf(conversation('"call_\\u0030"', '"call_0"')).messages)).size).toBe(2));

  it.each(['"D681PevKs"', 'null', '""'])('are unchanged when they are %s', (id) => {
    const messages = conversation(id, id);
    expect(messagesOf(messages).messages).toBe(messages);
  });

  it('are replaced in a message that has as many as a body may contain, between other fields', () => {
    const calls = JSON.stringify(Array.from({ length: 60_000 }, () => ({ id: 'call_1' })));
    const others = '"content":"a",'.repeat(60_000);
    const messages = `[{"x":1,${others}"role":"assistant","tool_calls":${calls}}]`;
    const started = performance.now();
    const { body } = sent(withMessages(messages));
    // Looking at each id for each field would take minutes.
    expect(performance.now() - started).toBeLessThan(5000);
    expect(body.length).toBe(
      withMessages(messages).length - '"x":1,'.length + 60_000 * (9 - 'call_1'.length),
    );
    expect(JSON.parse(body).messages[0].tool_calls).toHaveLength(60_000);
  });

  it('stay different when they are different', () => {
    const ids = Array.from({ length: 2000 }, (_, index) => `call_${index}`);
    const calls = JSON.stringify([{ role: 'assistant', tool_calls: ids.map((id) => ({ id })) }]);
    expect(new Set(idsIn(messagesOf(calls).messages)).size).toBe(ids.length);
  });
});
