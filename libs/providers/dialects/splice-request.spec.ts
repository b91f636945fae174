import fc from 'fast-check';
import { anyText } from '../../../test/support/any-text';
import { TooManyParameters } from './json/json-members';
import { AmbiguousModel, spliceRequest } from './splice-request';

/** The result with its bytes in one piece. */
function spliced(...args: Parameters<typeof spliceRequest>) {
  const { parts, ...others } = spliceRequest(...args);
  return { body: Buffer.concat(parts), ...others };
}
const splice = (body: string, model = 'new') => spliced(Buffer.from(body), { model }).body.toString();

describe('spliceRequest', () => {
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

  it.each([
    ['{}', '{"model":"new"}'],
    ['\n{\t}\n', '\n{"model":"new"\t}\n'],
    ['{"a":{"model":"x"}}', '{"model":"new","a":{"model":"x"}}'],
    ['{ "a" : 1.0 }', '{"model":"new", "a" : 1.0 }'],
    ['{"a":1,"model":"x"}', '{"a":1,"model":"new"}'],
    ['{"seed":1,"a":2}', '{"model":"new","random_seed":1,"a":2}'],
    ['{"stream":true}', '{"model":"new","stream":true,"stream_options":{"include_usage":true}}'],
  ])('adds the model that a body may lack: %s', (body, expected) => {
    const differences = { renamed: { seed: 'random_seed' } };
    const edits = { model: 'new', mayLackModel: true, differences, hasUsageOption: () => true };
    expect(spliced(Buffer.from(body), edits).body.toString()).toBe(expected);
  });

  it('refuses two models also where a body may lack it', () => {
    const edits = { model: 'new', mayLackModel: true };
    for (const body of ['{"model":"a","model":"b"}', '{"model":"a","mod\\u0065l":"b"}'])
      expect(() => spliced(Buffer.from(body), edits)).toThrow(AmbiguousModel);
  });

  it.each([
    ['{"model":"a","f":null,"g":null}', '{"model":"new","g":null}'],
    ['{ "f" : null , "model":"a","f":"float"}', '{ "model":"new","f":"float"}'],
    ['{"model":"a","f":"null","n":{"f":null}}', '{"model":"new","f":"null","n":{"f":null}}'],
  ])('leaves out nulls that an operation does not have: %s', (body, expected) => {
    const { body: sent, dropped } = spliced(Buffer.from(body), { model: 'new', neverNull: ['f'] });
    expect([sent.toString(), dropped]).toEqual([expected, []]);
  });

  it('refuses more parameters than any format has', () => {
    const body = (count: number) => `{"model":"x"${',"":0'.repeat(count)}}`;
    expect(splice(body(999))).toBe(body(999).replace('"x"', '"new"'));
    expect(() => splice(body(1000))).toThrow(TooManyParameters);
    expect(() => splice(body(1_000_000))).toThrow(TooManyParameters);
  });

  it.each(['[]', '"model"', 'null', '', '{"model":"x'])('throws SyntaxError for %j', (body) =>
    expect(() => splice(body)).toThrow(SyntaxError),
  );

  it('has the same result as an edit of the parsed object, and changes no other byte', () => {
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
        anyText(),
        (before, after, old, spelling, b, model) => {
          const pair = ([name, v]: [string, unknown]) =>
            `${b}${JSON.stringify(name)}${b}:${b}${JSON.stringify(v)}${b}`;
          const oldText = JSON.stringify(old);
          const members = [...before.map(pair), `${b}${spelling}${b}:${b}${oldText}${b}`, ...after.map(pair)];
          const body = Buffer.from(`${b}{${members.join(',')}}${b}`);
          const result = spliced(body, { model }).body;
          const parsed = JSON.parse(body.toString()) as Record<string, unknown>;
          // JSON.stringify escapes a lone surrogate of a name, so the parsed objects are compared.
          expect(JSON.parse(result.toString())).toEqual({ ...parsed, model });
          const rest = body.length - Buffer.byteLength(oldText);
          expect(result.length - Buffer.byteLength(JSON.stringify(model))).toBe(rest);
          const head = Buffer.byteLength(
            `${b}{${[...before.map(pair), `${b}${spelling}${b}:${b}`].join(',')}`,
          );
          expect(result.subarray(0, head)).toEqual(body.subarray(0, head));
          const tail = rest - head;
          expect(result.subarray(result.length - tail)).toEqual(body.subarray(body.length - tail));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the differences of a provider', () => {
  const differences = {
    renamed: { max_completion_tokens: 'max_tokens', seed: 'random_seed' },
    unsupported: ['logit_bias', 'user'],
  };
  it.each([
    ['{"model":"x", "seed" : 1 ,"a":[1.0]}', '{"model":"new", "random_seed" : 1 ,"a":[1.0]}', []],
    ['{"user":"u","model":"x"}', '{"model":"new"}', ['user']],
    ['{"model":"x","user":"u"}', '{"model":"new"}', ['user']],
    ['{ "a":1 ,\n"user":{"}":","} , "model":"x" }', '{ "a":1 , "model":"new" }', ['user']],
    ['{"model":"x","user":null,"logit_bias":{}}', '{"model":"new"}', ['logit_bias']],
    ['{"model":"x","us\\u0065r":"u"}', '{"model":"new"}', ['user']],
    [
      '{"max_completion_tokens":5,"model":"x","max_tokens":7}',
      '{"model":"new","max_tokens":7}',
      ['max_completion_tokens'],
    ],
    ['{"max_tokens":null,"model":"x","max_completion_tokens":5}', '{"model":"new","max_tokens":5}', []],
    ['{"max_tokens":null,"model":"x","max_completion_tokens":null}', '{"max_tokens":null,"model":"new"}', []],
    ['{"max_tokens":7,"model":"x","max_completion_tokens":null}', '{"max_tokens":7,"model":"new"}', []],
    ['{"max_tokens":null,"model":"x"}', '{"max_tokens":null,"model":"new"}', []],
    ['{"model":"x","b":{"user":"u","seed":1}}', '{"model":"new","b":{"user":"u","seed":1}}', []],
  ])('%s', (body, expected, dropped) => {
    const result = spliced(Buffer.from(body), { model: 'new', differences });
    expect(result.body.toString()).toBe(expected);
    expect(result.dropped).toEqual(dropped);
  });

  it('have the same result as edits of the parsed object', () => {
    const member = fc.tuple(
      fc.constantFrom(
        'user',
        'seed',
        'logit_bias',
        'random_seed',
        'max_completion_tokens',
        'max_tokens',
        'other',
      ),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.array(member, { maxLength: 7 }), fc.nat({ max: 7 }), (members, at) => {
        const unique: [string, unknown][] = [...new Map<string, unknown>(members)];
        unique.splice(at, 0, ['model', 'x']);
        const body = Buffer.from(JSON.stringify(Object.fromEntries(unique)));
        const names = unique.map(([name]) => name);
        const expected: [string, unknown][] = unique.flatMap(([name, value]) => {
          if (name === 'model') return [['model', 'new']];
          if (differences.unsupported.includes(name)) return [];
          const renamed = Object.entries(differences.renamed);
          const newName = renamed.find(([old]) => old === name)?.[1];
          const oldName = renamed.find(([, other]) => other === name)?.[0];
          const hasValue = (each: string) => unique.some(([other, its]) => other === each && its !== null);
          if (oldName !== undefined && value === null && hasValue(oldName)) return [];
          if (newName === undefined) return [[name, value]];
          const isTaken = value === null ? names.includes(newName) : hasValue(newName);
          return isTaken ? [] : [[newName, value]];
        });
        const result = spliced(body, { model: 'new', differences });
        expect(JSON.parse(result.body.toString())).toEqual(
          JSON.parse(JSON.stringify(Object.fromEntries(expected))),
        );
      }),
    );
  });
});

describe('the usage option', () => {
  const option = ',"stream_options":{"include_usage":true}';
  const edits = { model: 'new', hasUsageOption: () => true };

  it.each([
    ['{"model":"x","stream":true}', `{"model":"new","stream":true${option}}`],
    [
      ' { "stream" : true ,\n"model":"x" , "a":[1.0] \n} ',
      ` { "stream" : true ,\n"model":"new" , "a":[1.0] \n${option}} `,
    ],
    ['{"str\\u0065am":true,"model":"x"}', `{"str\\u0065am":true,"model":"new"${option}}`],
    [
      '{"model":"x","a":{"stream_options":1},"stream":true}',
      `{"model":"new","a":{"stream_options":1},"stream":true${option}}`,
    ],
  ])('is added to %j', (body, expected) => {
    const result = spliced(Buffer.from(body), edits);
    expect([result.body.toString(), result.isUsageOptionAdded, result.dropped]).toEqual([expected, true, []]);
    expect(() => JSON.parse(result.body.toString()) as unknown).not.toThrow();
    const withoutOption = spliced(Buffer.from(body), { model: 'new' });
    expect([withoutOption.body.toString(), withoutOption.isUsageOptionAdded]).toEqual([
      expected.replace(option, ''),
      false,
    ]);
  });

  it.each([
    '{"model":"new"}',
    '{"model":"new","stream":false}',
    '{"model":"new","stream":null}',
    '{"model":"new","stream":"true"}',
    '{"model":"new","stream":1}',
    '{"model":"new","stream":[true]}',
    '{"model":"new","stream":true,"stream":false}',
    '{"model":"new","stream":false,"stream":true}',
    '{"model":"new","stream":true,"stream_options":{"include_usage":false}}',
    '{"model":"new","stream":true,"stream_options":{"include_usage":true}}',
    '{"model":"new","stream":true,"stream_options":{"include_obfuscation":false}}',
    '{"model":"new","stream":true,"stream_options":{}}',
    '{"model":"new","stream":true,"stream_options":null}',
    '{"stream_option\\u0073":null,"model":"new","stream":true}',
    '{"model":"new","a":{"stream":true}}',
  ])('is not added to %s', (body) => {
    const result = spliced(Buffer.from(body), edits);
    expect([result.body.toString(), result.isUsageOptionAdded]).toEqual([body, false]);
  });
});
