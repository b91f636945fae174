import fc from 'fast-check';
import { Problem } from '#http';
import { correctionOf, type Operation, ProviderRegistry, serviceOf } from '#providers';
import { fedAtOnce, noStage } from '../../../test/support/feed';
import { chunksOfChat, eventsOfMessage } from '../../../test/support/streamed-answers';
import { relay, type RelayPlan } from './relay';

const registry = new ProviderRegistry();
const text = fc.string({
  unit: fc.constantFrom('a', 'å', '日', '🦭', '"', '\\', '\n', '\u2028', '1.0 '),
  maxLength: 5,
});
const name = fc.stringMatching(/^[a-z]{1,6}$/);
const input = fc.dictionary(name, fc.oneof(text, fc.double(), fc.constant(null)), { maxKeys: 2 });
const sizes = fc.array(fc.nat(4), { minLength: 1, maxLength: 3 });
const calls = fc.uniqueArray(fc.record({ id: name, name, input }), {
  selector: ({ id }) => id,
  maxLength: 2,
});
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

interface Event {
  event?: string;
  data: string;
}

const messageEvents = fc.tuple(text, text, calls, sizes).map(([thinking, spoken, uses, cuts]): Event[] =>
  eventsOfMessage(
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      content: [
        { type: 'thinking', thinking, signature: 's' },
        { type: 'text', text: spoken },
        ...uses.map((use) => ({ type: 'tool_use', ...use })),
      ],
      stop_reason: 'end_turn',
      usage: { input_tokens: 3, output_tokens: 2 },
    },
    cuts,
  ),
);
const chatEvents = fc
  .tuple(text, text, calls, sizes, fc.boolean())
  .map(([reasoning_content, content, uses, cuts, isInterleaved]): Event[] =>
    chunksOfChat(
      {
        id: 'chatcmpl-1',
        choices: [
          {
            message: {
              reasoning_content,
              content,
              tool_calls: uses.map((use) => ({
                id: use.id,
                type: 'function',
                function: { name: use.name, arguments: JSON.stringify(use.input) },
              })),
            },
            finish_reason: 'stop',
          },
        ],
        usage,
      },
      cuts,
      isInterleaved,
    ),
  );
/** Chunks of Mistral, whose content is a string or a list of parts. */
const contentInParts = fc
  .array(
    fc.oneof(
      text,
      fc.array(
        fc.oneof(
          text.map((each) => ({ type: 'text', text: each })),
          text.map((each) => ({ type: 'thinking', thinking: [{ type: 'text', text: each }] })),
          fc.constant({ type: 'reference', reference_ids: [1] }),
        ),
        { maxLength: 2 },
      ),
    ),
    { maxLength: 4 },
  )
  .map((contents): Event[] => [
    ...contents.map((content) => ({ data: JSON.stringify({ choices: [{ index: 0, delta: { content } }] }) })),
    { data: JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage }) },
    { data: '[DONE]' },
  ]);

/** The answer as it should be, or some of its events in any order before the last, as a broken server might send them. */
const anyOrder = (events: fc.Arbitrary<Event[]>) =>
  fc.oneof(
    { weight: 2, arbitrary: events },
    {
      weight: 1,
      arbitrary: events.chain((all) =>
        fc
          .shuffledSubarray(all.slice(0, -1), { maxLength: Math.min(6, all.length - 1) })
          .map((some) => [...some, ...all.slice(-1)]),
      ),
    },
  );
/** The bytes of a stream, with any line ends, comments, and data on one line or two. */
const streamOf = (events: fc.Arbitrary<Event[]>) =>
  fc
    .tuple(anyOrder(events), fc.constantFrom('\n', '\r\n', '\r'), fc.nat(3), fc.boolean())
    .map(([all, lineEnd, comments, isOnTwoLines]) => {
      const lines = all.flatMap(({ event, data }, index) => [
        ...(index % 4 < comments ? [': é', ''] : []),
        ...(event === undefined ? [] : [`event: ${event}`]),
        ...(isOnTwoLines && data.startsWith('{') ? ['data: {', `data:${data.slice(1)}`] : [`data: ${data}`]),
        '',
      ]);
      return Buffer.from(lines.map((line) => line + lineEnd).join(''));
    });

const plan = (fields: Partial<RelayPlan>): RelayPlan => ({
  usage: noStage,
  translation: undefined,
  correction: undefined,
  hidesUsage: false,
  operation: 'chat/completions',
  heartbeat: undefined,
  model: 'public',
  request: { stream_options: { include_usage: true } },
  label: 'Testing',
  ...fields,
});
const translation = (id: string, operation: Operation) =>
  serviceOf(registry.find(id)!, operation)!.translation;
const responses = (id: string): Partial<RelayPlan> => {
  const found = translation(id, 'responses')!;
  const tools = [{ type: 'custom', name: 'a' }];
  return { translation: found, request: found.encode({ input: 'Hi', stream: true, tools }, 'm').forResponse };
};
const correction = correctionOf(registry.find('mistral')!, 'chat/completions', { text: () => undefined });

interface Received {
  readonly events: string;
  readonly error: string | undefined;
}

function received(relayPlan: RelayPlan, parts: readonly Buffer[]): Received {
  const result = fedAtOnce(parts, (sink, source) =>
    relay({ head: () => sink, fail: () => undefined }, relayPlan).head({
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      source,
      problemOf: ({ message }) => new Problem('upstream_unavailable', { detail: message }),
      withoutKey: (sink) => sink,
    }),
  );
  // Two translations differ only in the second at which they started, and in the ids that the stream does not have. A CR LF that is
  // cut in two may end the line with its CR.
  const events = result.text.replace(/"created(?:_at)?":\d+|_[0-9a-f]{32}/g, '').replace(/\r\n?/g, '\n');
  return { events, error: result.error?.message };
}

/** expect() takes too long for thousands of streams. */
function expectSame(one: Received, other: Received): void {
  if (one.events !== other.events || one.error !== other.error) expect(one).toEqual(other);
}

describe.each<[string, RelayPlan, fc.Arbitrary<Event[]>]>([
  [
    'translated from messages to chat',
    plan({ translation: translation('anthropic', 'chat/completions'), operation: 'messages' }),
    messageEvents,
  ],
  ['translated from chat to messages', plan({ translation: translation('openai', 'messages') }), chatEvents],
  [
    'translated from messages to responses',
    plan({ ...responses('anthropic'), operation: 'messages' }),
    messageEvents,
  ],
  ['translated from chat to responses', plan(responses('mistral')), fc.oneof(chatEvents, contentInParts)],
  ['whose usage is hidden', plan({ hidesUsage: true }), chatEvents],
  ['whose content is corrected', plan({ correction }), contentInParts],
  ['that passes', plan({}), chatEvents],
])('a stream %s', (_, relayPlan, events) => {
  // Each cut takes as long as the stream, so more streams of a moderate length try more cuts than a few long ones.
  const moderate = streamOf(events).filter(({ length }) => length <= 3000);
  it('reaches the client as the same events, wherever it is cut', () =>
    fc.assert(
      fc.property(moderate, (stream) => {
        const whole = received(relayPlan, [stream]);
        for (let at = 1; at < stream.length; at += 1) {
          expectSame(received(relayPlan, [stream.subarray(0, at), stream.subarray(at)]), whole);
        }
        const bytes = Array.from(stream, (_byte, at) => stream.subarray(at, at + 1));
        expectSame(received(relayPlan, bytes), whole);
      }),
      { numRuns: 6 },
    ));

  it('reaches the client as the same events, in any pieces', () =>
    fc.assert(
      fc.property(streamOf(events), fc.array(fc.nat(200), { minLength: 1 }), (stream, lengths) => {
        const pieces: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const length = 1 + lengths[turn % lengths.length]!;
          pieces.push(stream.subarray(at, at + length));
          at += length;
        }
        expectSame(received(relayPlan, pieces), received(relayPlan, [stream]));
      }),
      { numRuns: 50 },
    ));
});
