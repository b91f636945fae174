import fc from 'fast-check';
import { ExactNumber, jsonText, parseExactly, parseJson } from './json-numbers';

const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength, maxLength });
/** Every way in which JSON can write a number. */
const number = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: fc.oneof(
      fc.constant('0'),
      digits(1, 25).map((text) => text.replace(/^0+(?=.)/, '')),
    ),
    fraction: fc.oneof(
      fc.constant(''),
      digits(1, 20).map((text) => `.${text}`),
    ),
    exponent: fc.oneof(fc.constant(''), fc.tuple(fc.constantFrom('e', 'E', 'e+', 'E-'), digits(1, 3))),
  })
  .map(({ sign, whole, fraction, exponent }) => sign + whole + fraction + [exponent].flat().join(''));
const name = fc.oneof(fc.string(), fc.constantFrom('input', '__proto__', 'a"b\\', 'constructor'));
const { text } = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 4 },
    number,
    fc
      .oneof(fc.string({ unit: 'grapheme' }), fc.boolean(), fc.constant(null))
      .map((value) => JSON.stringify(value)),
    fc
      .uniqueArray(fc.tuple(name, tie('text')), { selector: ([key]) => key, maxLength: 4 })
      .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
    fc.array(tie('text'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
  ),
}));
/** In an object, names such as `1` come first, with JSON.parse too. */
const withoutIndexes = (json: string) => !/"\d+":/.test(json);

describe('the numbers of an application', () => {
  it('are written as they were read', () =>
    fc.assert(
      fc.property(text.filter(withoutIndexes), (json) => {
        expect(jsonText(parseExactly(json))).toBe(json);
        expect(jsonText(parseJson(`{"n":[1.0],"input":${json}}`))).toBe(`{"n":[1],"input":${json}}`);
      }),
      { numRuns: 1000 },
    ));

  it('are the same values for code that does not ask for their digits', () =>
    fc.assert(
      fc.property(text, (json) => {
        expect(JSON.stringify(parseExactly(json))).toBe(JSON.stringify(JSON.parse(json)));
      }),
    ));

  it('keep their blanks and commas apart', () => {
    const json =
      ' { "input" : { "a" : [ 1.0 , -0 ,\n9007199254740993 ] , "b": "x, 1.0" } , "temperature": 1.0 } ';
    expect(jsonText(parseJson(json))).toBe(
      '{"input":{"a":[1.0,-0,9007199254740993],"b":"x, 1.0"},"temperature":1}',
    );
  });

  it('are plain numbers where a double has the same digits', () =>
    expect(parseExactly('{"a":[1,-2.5,1e2,0.1],"b":9007199254740991}')).toEqual({
      a: [1, -2.5, new ExactNumber('1e2'), 0.1],
      b: 9007199254740991,
    }));

  it.each(['', '{"a":1.0', '[1.0,]', '{1.0:1}', '01.0', '[1.0 2]', '"\\x 1.0"', 'nul 1.0'])(
    'do not make JSON of %j',
    (invalid) => {
      expect(() => parseExactly(invalid)).toThrow(SyntaxError);
      expect(() => parseJson(invalid)).toThrow(SyntaxError);
    },
  );
});
