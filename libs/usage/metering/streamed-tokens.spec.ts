import { streamedTokens } from './streamed-tokens';

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const written = 'x'.repeat(40);
const chunk = (delta: object) => data({ id: 'c', choices: [{ index: 0, delta, finish_reason: null }] });

it.each([
  ['chat/completions', chunk({ role: 'assistant', content: written })],
  ['its reasoning', chunk({ reasoning_content: written })],
  ['its tool calls', chunk({ tool_calls: [{ index: 0, function: { arguments: written } }] })],
  ['completions', data({ choices: [{ text: written }] })],
  ['messages', data({ type: 'content_block_delta', delta: { type: 'text_delta', text: written } })],
  ['their tool calls', data({ delta: { type: 'input_json_delta', partial_json: written } })],
  ['responses', data({ type: 'response.output_text.delta', delta: written })],
])('a quarter of the characters of the text is the number of tokens: %s', (_, event) => {
  const sample = Buffer.from(`: a comment\n\n${event}${event}data: [DONE]\n\ndata: {"not JSON\n\n`);
  expect(streamedTokens(sample, sample.length)).toBe(20);
  // The sample is a tenth of the stream.
  expect(streamedTokens(sample, 10 * sample.length)).toBe(200);
});

it.each([
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: null }),
  data({ usage: {} }),
  data(null),
])('an event without text has none: %s', (event) => expect(streamedTokens(Buffer.from(event), 1000)).toBe(0));
