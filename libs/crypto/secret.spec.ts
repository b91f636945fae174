import fc from 'fast-check';
import { format, inspect } from 'node:util';
import { anyText } from '../../test/support/any-text';
import { maskOf, Secret } from './secret';

const VALUE = 'sk-proj-abcdefgh-wxyz';
const MASKED = '[secret ...wxyz]';
const secret = new Secret(VALUE);

describe('a secret', () => {
  it('is returned only by expose()', () => {
    expect(secret.expose()).toBe(VALUE);
  });

  const failure = new Error('failed', { cause: secret });
  const printed: [string, string][] = [
    ['toString', secret.toString()],
    ['String()', String(secret)],
    // eslint-disable-next-line @typescript-eslint/restrict-template-expressions -- the accident under test
    ['a template', `${secret}`],
    ['concatenation', '' + (secret as unknown as string)],
    ['JSON', JSON.stringify({ nested: [secret] })],
    ['inspect', inspect({ nested: [secret] }, { depth: null })],
    ['format %s', format('%s', secret)],
    ['format %o', format('%o', secret)],
    ['format %j', format('%j', secret)],
    ['the cause of an error', inspect(failure)],
    ['the property of an error', inspect(Object.assign(new Error('failed'), { secret }))],
    ['the cause in JSON', JSON.stringify({ cause: failure.cause })],
  ];

  it.each(printed)('shows its mask in %s', (_name, text) => {
    expect(text).toContain(MASKED);
    expect(text).not.toContain('abcdefgh');
  });

  const hidden: [string, string][] = [
    ['inspect without its hook', inspect(secret, { customInspect: false, showHidden: true, getters: true })],
    ['a structured clone', inspect(structuredClone(secret), { showHidden: true })],
    [
      'a clone inside an error',
      inspect(structuredClone({ failure: { ...failure, secret } }), { depth: null }),
    ],
    ['a spread', JSON.stringify({ ...secret })],
    ['its own keys', Reflect.ownKeys(secret).map(String).join()],
    ['its entries', JSON.stringify(Object.entries(secret))],
    ['the stack of an error', String(failure.stack)],
  ];

  it.each(hidden)('is not shown by %s', (_name, text) => {
    expect(text).not.toContain('abcdefgh');
  });

  it('cannot be changed', () => {
    expect(Object.isFrozen(secret)).toBe(true);
  });

  it.each([
    ['', '...'],
    ['1234567', '...'],
    ['12345678', '...5678'],
    ['key-ends-in-🔑🔑', '...n-🔑🔑'],
  ])('of %j has the mask %s', (value, mask) => {
    expect(new Secret(value).mask).toBe(mask);
  });

  it('shows nothing but the last four code points of any key', () => {
    fc.assert(
      fc.property(anyText({ minLength: 8, maxLength: 200 }), (value) => {
        const points = Array.from(value);
        fc.pre(points.length >= 8);
        const texts = [
          String(new Secret(value)),
          JSON.stringify(new Secret(value)),
          inspect(new Secret(value)),
        ];
        const last = points.slice(-4).join('');
        expect(texts).toEqual([
          `[secret ...${last}]`,
          JSON.stringify(`[secret ...${last}]`),
          `[secret ...${last}]`,
        ]);
      }),
    );
    fc.assert(fc.property(anyText({ maxLength: 7 }), (value) => new Secret(value).mask === '...'));
  });

  it('has a mask of whole code points', () => {
    expect(maskOf('a🔑🔑🔑🔑')).toBe('...🔑🔑🔑🔑');
  });
});
