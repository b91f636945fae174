import fc from 'fast-check';
import { AmbiguousModel, spliceModel } from './splice-request';

const splice = (body: string, model = 'new') => spliceModel(Buffer.from(body), model).toString();

describe('spliceModel', () => {
  it('replaces the top-level model and keeps every other byte', () => {
    const body =
      '\n{ "a" : 12345678901234567890.10,\t"model"\r\n:\n"gpt \\" 4o" , "x":{"model":"inner"}, "z":"\\u00e9é" }\n';
    expect(splice(body, 'a"b\\é')).toBe(body.replace('"gpt \\" 4o"', () => '"a\\"b\\\\é"'));
  });

  it.each([
    ['{"model":null}', '{"model":"new"}'],
    ['{"model":1.5e3 ,"a":[]}', '{"model":"new" ,"a":[]}'],
    ['{"model":{"model":["}","]"]},"a":1}', '{"model":"new","a":1}'],
    ['{"a":"\\\\","model":"x"}', '{"a":"\\\\","model":"new"}'],
    ['{"a":"\\\\\\",\\"model\\":1","model":"x"}', '{"a":"\\\\\\",\\"model\\":1","model":"new"}'],
    ['{"mod\\u0065l":"x"}', '{"mod\\u0065l":"new"}'],
    ['{"a":[{"model":"x"}],"model":true}', '{"a":[{"model":"x"}],"model":"new"}'],
  ])('%s', (body, expected) => expect(splice(body)).toBe(expected));

  it.each([
    '{"model":"a","model":"b"}',
    '{"model":"a","mod\\u0065l":"b"}',
    '{"\\u006dodel":"a","x":1,"mo\\u0064el":"b"}',
    '{}',
    '{"a":{"model":"x"}}',
  ])('refuses %s', (body) => expect(() => splice(body)).toThrow(AmbiguousModel));

  it.each(['[]', '"model"', 'null', '', '{"model":"x'])('is not for %j', (body) =>
    expect(() => splice(body)).toThrow(SyntaxError),
  );

  it('agrees with JSON.parse and changes nothing else', () => {
    const blank = fc.constantFrom('', ' ', '\n', '\t\r\n ');
    const text = fc.string({
      unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', 'model', 'é', '\u{1F600}', 'a'),
    });
    const value = fc.oneof(fc.jsonValue(), text, fc.dictionary(text, fc.jsonValue()));
    const member = fc.tuple(fc.oneof(text, fc.string()), value).filter(([name]) => name !== 'model');
    fc.assert(
      fc.property(
        fc.array(member, { maxLength: 4 }),
        fc.array(member, { maxLength: 4 }),
        value,
        fc.constantFrom('"model"', '"mod\\u0065l"'),
        blank,
        fc.string({ unit: 'binary' }),
        (before, after, old, spelling, b, model) => {
          const pair = ([name, v]: [string, unknown]) =>
            `${b}${JSON.stringify(name)}${b}:${b}${JSON.stringify(v)}${b}`;
          const oldText = JSON.stringify(old);
          const members = [...before.map(pair), `${b}${spelling}${b}:${b}${oldText}${b}`, ...after.map(pair)];
          const body = Buffer.from(`${b}{${members.join(',')}}${b}`);
          const spliced = spliceModel(body, model);
          const parsed = JSON.parse(body.toString()) as Record<string, unknown>;
          // JSON.parse, since a lone surrogate of the name is escaped by JSON.stringify and survives.
          expect(JSON.parse(spliced.toString())).toEqual({ ...parsed, model });
          const rest = body.length - Buffer.byteLength(oldText);
          expect(spliced.length - Buffer.byteLength(JSON.stringify(model))).toBe(rest);
          const head = Buffer.byteLength(
            `${b}{${[...before.map(pair), `${b}${spelling}${b}:${b}`].join(',')}`,
          );
          expect(spliced.subarray(0, head)).toEqual(body.subarray(0, head));
          const tail = rest - head;
          expect(spliced.subarray(spliced.length - tail)).toEqual(body.subarray(body.length - tail));
        },
      ),
      { numRuns: 500 },
    );
  });
});
