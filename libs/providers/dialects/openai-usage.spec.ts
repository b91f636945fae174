import fc from 'fast-check';
import { eventDataWithoutUsage } from './openai-usage';

const withoutUsage = (data: string) => eventDataWithoutUsage(Buffer.from(data))?.toString();

test.each([
  ['{"choices":[{"delta":{"content":"é"}}],"usage":null}', '{"choices":[{"delta":{"content":"é"}}]}'],
  ['{"usage":null,"choices":[1.0,12345678901234567890]}', '{"choices":[1.0,12345678901234567890]}'],
  [' { "a" : 1 , "usage" : null , "b" : "\\u00e9" } ', ' { "a" : 1 , "b" : "\\u00e9" } '],
  ['{"us\\u0061ge":null,"usage":null}', '{}'],
  ['{"usage":null}', '{}'],
  ['{"choices":[],"usage":null,"prompt_filter_results":[]}', '{"choices":[],"prompt_filter_results":[]}'],
])('removes a null usage from %s', (data, expected) => expect(withoutUsage(data)).toBe(expected));

test.each(['{"choices":[],"usage":{"prompt_tokens":1}}', '{"usage":{},"choices":[ ],"error":null,"x":[]}'])(
  'removes the whole event %s',
  (data) => expect(withoutUsage(data)).toBeUndefined(),
);

test.each([
  '[DONE]',
  '',
  '"usage"',
  'null "usage"',
  '{"usage":',
  '["usage",{"choices":[],"usage":{}}]',
  '{"choices":[],"usage":7}',
  '{"choices":[{}],"usage":{}}',
  '{"choices":{},"usage":{}}',
  '{"usage":{}}',
  '{"choices":[],"usage":{},"error":{"message":"no"}}',
  '{"x":{"choices":[],"usage":{}}}',
  '{"choices":[{"delta":{"usage":null,"content":"\\"usage\\":null"}}]}',
  `{"usage":null${',"":0'.repeat(2000)}}`,
])('keeps all of %s', (data) => expect(withoutUsage(data)).toBe(data));

test('has the same result as the edit of the parsed event', () => {
  const name = fc.oneof(fc.constantFrom('choices', 'usage', 'error', 'id'), fc.string());
  const value = fc.oneof(fc.constantFrom(null, [], {}, [{}]), fc.jsonValue());
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 6 }), fc.constantFrom(0, 1), (event, indent) => {
      const data = JSON.stringify(event, null, indent);
      const parsed = JSON.parse(data) as Record<string, unknown>;
      const { choices, usage, error = null } = parsed;
      const isRemoved =
        JSON.stringify(choices) === '[]' && typeof usage === 'object' && usage !== null && error === null;
      const { usage: _, ...others } = parsed;
      const edited = withoutUsage(data);
      if (isRemoved) expect(edited).toBeUndefined();
      else if (usage === null) expect(JSON.parse(edited!)).toEqual(others);
      else expect(edited).toBe(data);
    }),
    { numRuns: 2000 },
  );
});
