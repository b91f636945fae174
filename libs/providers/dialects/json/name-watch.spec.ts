import fc from 'fast-check';
import { scanObject } from './json-members';
import { NameWatch } from './name-watch';

const names = ['id', 'file_id', 'file_ids', 'container'];
const watch = new NameWatch(names);
const watchedIn = (text: string) => {
  const { watched } = scanObject(Buffer.from(text), watch);
  return names.filter((name) => (watched & watch.bitsOf([name])) !== 0);
};

/** A JSON string in which some characters are written as escapes. */
const spelled = (text: string, escapes: readonly boolean[]) =>
  `"${[...text]
    .map((char, index) =>
      escapes[index]
        ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
        : JSON.stringify(char).slice(1, -1),
    )
    .join('')}"`;

it('finds watched names at any depth, in any spelling', () => {
  const spelling = fc.array(fc.boolean(), { minLength: 9, maxLength: 9 });
  fc.assert(
    fc.property(fc.subarray(names), spelling, fc.constantFrom('', ' ', '\n'), (some, escapes, blank) => {
      const text = some.reduceRight(
        (inner, name) => `{"a":[${blank}{${spelled(name, escapes)}${blank}:${inner}}]}`,
        '{}',
      );
      expect(watchedIn(text)).toEqual(some);
    }),
  );
});

it('finds no other names, and no values', () => {
  expect(watchedIn('{"files":"file_id","ID":["id"],"i":{"container ":"\\"id\\":1"},"fileXid":1}')).toEqual(
    [],
  );
  const long = `{"${'\\u0061'.repeat(100_000)}":1}`;
  expect(watchedIn(long)).toEqual([]);
});

it('counts each name that an object has, also the ones that a parser drops', () => {
  const namesIn = (text: string) => scanObject(Buffer.from(text)).names;
  expect(namesIn('{}')).toBe(0);
  expect(namesIn('{"a":{"b":[{"c":1},{"c":2}]},"a":3}')).toBe(5);
});
