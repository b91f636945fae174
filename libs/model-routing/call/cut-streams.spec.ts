import fc from 'fast-check';
import { Problem } from '#http';
import { ProviderRegistry, serviceOf } from '#providers';
import { fedAtOnce, noStage } from '../../../test/support/feed';
import { chunksOfChat, eventsIn, gatheredResponse } from '../../../test/support/streamed-answers';
import { relay } from './relay';

const translation = serviceOf(new ProviderRegistry().find('berget')!, 'responses')!.translation!;
const request = translation.encode(
  { input: 'Hi', tools: [{ type: 'custom', name: 'custom' }] },
  'upstream',
).forResponse;
const context = { model: 'requested', request };

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const call = fc
  .record({ name: fc.constantFrom('custom', 'weather'), input: text })
  .map(({ name, input }) => ({ type: 'function', function: { name, arguments: JSON.stringify({ input }) } }));
const completion = fc
  .record({
    reasoning_content: fc.option(text, { nil: undefined }),
    content: fc.option(text),
    calls: fc.array(call, { maxLength: 3 }),
    finish_reason: fc.constantFrom('stop', 'length', 'content_filter'),
  })
  .map(({ calls, finish_reason, ...message }) => {
    const tool_calls = calls.map((each, index) => ({ id: `call_${index}`, ...each }));
    return {
      id: 'chatcmpl-1',
      created: 1,
      choices: [{ index: 0, message: { role: 'assistant', ...message, tool_calls }, finish_reason }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    };
  });

/** What a client of responses gathers from the bytes of a stream of chat completions, which arrive in these parts. */
function gathered(parts: readonly Buffer[]): object {
  const plan = {
    usage: noStage,
    translation,
    operation: 'chat/completions' as const,
    hidesUsage: false,
    heartbeat: undefined,
    label: 'Testing',
    ...context,
  };
  const { text: received, error } = fedAtOnce(parts, (sink, source) =>
    relay({ head: () => sink, fail: () => undefined }, plan).head({
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      source,
      problemOf: () => new Problem('upstream_unavailable'),
      withoutKey: (each) => each,
    }),
  );
  if (error !== undefined) throw error;
  return gatheredResponse(eventsIn(received));
}

it('any stream of chat completions, cut anywhere, becomes the response that the whole completion becomes', () =>
  fc.assert(
    fc.property(
      completion,
      fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 6 }),
      (whole, sizes, interleaved, lineEnd, cuts) => {
        const stream = chunksOfChat(whole, sizes, interleaved).map(({ data }) => `data: ${data}\n\n`);
        const bytes = Buffer.from(stream.join('').replaceAll('\n', lineEnd));
        const parts: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const length = cuts[turn % cuts.length]! + 1;
          parts.push(bytes.subarray(at, at + length));
          at += length;
        }
        expect(gathered(parts)).toEqual(translation.decode(whole, context));
      },
    ),
    { numRuns: 300 },
  ));
