import fc from 'fast-check';
import { ObjectEnd } from './object-end';

function isReached(...fragments: string[]): boolean {
  const end = new ObjectEnd();
  for (const fragment of fragments) end.push(fragment);
  return end.isReached;
}

describe('the end of a JSON object in fragments', () => {
  it('is where JSON.parse finds it, for any fragments', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(object, fc.nat(), fc.nat({ max: 2 }), (value, at, indent) => {
        const text = JSON.stringify(value, null, indent);
        const cut = at % (text.length + 1);
        expect(isReached(text.slice(0, cut), text.slice(cut))).toBe(true);
        if (cut < text.length) expect(isReached(text.slice(0, cut))).toBe(false);
      }),
    );
  });

  it.each([
    ['{"a":"}', false],
    ['{"a":"\\"}', false],
    ['{"a":"\\\\"}', true],
    [' {"a":[{}]}\n', true],
    ['{}{}', false],
    ['{}}', false],
    ['[]', false],
    ['null', false],
    ['', false],
  ])('is reached in %j: %s', (text, expected) => expect(isReached(...text)).toBe(expected));
});
