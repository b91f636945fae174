import fc from 'fast-check';
import { cpuTimeMs } from '../../test/support/cpu-time';
import { Secret } from './secret';
import { replaceRanges, secretRanges } from './secret-spellings';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const inLines = (text: string, width: number, end: string) =>
  (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join(end);
const percent = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
const escaped = (text: string) =>
  Array.from(text, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

/** How a text may spell a secret, and how many characters of that spelling can stand for less than 12 of the secret and its edges. */
const encodings: [name: string, encode: (secret: string) => string, longestRest: number][] = [
  ['plain', (secret) => secret, 11],
  ['base64', base64, 18],
  ['base64 after one byte', (secret) => base64(`:${secret}`), 19],
  ['base64 after two bytes', (secret) => base64(`u:${secret}!`), 20],
  ['base64url', (secret) => Buffer.from(secret).toString('base64url'), 17],
  ['base64 in lines of 76', (secret) => inLines(base64(`a:${secret}`), 76, '\r\n'), 20],
  ['base64 in lines of 20', (secret) => inLines(base64(secret), 20, '\n'), 18],
  ['base64 in indented lines', (secret) => inLines(base64(secret), 10, '\n\t  '), 18],
  ['base64 in lines inside JSON', (secret) => JSON.stringify(inLines(base64(secret), 20, '\r\n')), 26],
  ['base64 in lines inside a URL', (secret) => encodeURIComponent(inLines(base64(secret), 20, '\r\n')), 40],
  ['URL-encoded', encodeURIComponent, 36],
  ['URL-encoded, every character', percent, 37],
  ['URL-encoded twice, every character', (secret) => percent(percent(secret)), 120],
  ['URL-encoded base64', (secret) => encodeURIComponent(base64(secret)), 40],
  ['hexadecimal', (secret) => Buffer.from(secret).toString('hex'), 24],
  [
    'hexadecimal in lines',
    (secret) => inLines(Buffer.from(secret).toString('hex').toUpperCase(), 16, '\n'),
    24,
  ],
  ['escaped for JSON', (secret) => JSON.stringify(secret).slice(1, -1), 24],
  ['escaped for JSON, every character', escaped, 76],
];

/** Not of a few characters only: a part of such a secret is in many texts. */
const someSecret = fc
  .string({ unit: fc.constantFrom(...'ABCdefGHIjkl0123456789+/=_-!%"&\\'), minLength: 20, maxLength: 90 })
  .filter((text) => new Set(text).size > 9);
const withoutSpace = (text: string) => text.replace(/\s|\\[rn]|%0[AD]/g, '');

describe('a text that may be cut', () => {
  test.each(encodings)('has no long part of a secret left, spelled %s', (_, encode, longestRest) => {
    fc.assert(
      fc.property(someSecret, fc.nat(), fc.nat(), (value, first, second) => {
        const spelling = encode(value);
        const [from, to] = [first % (spelling.length + 1), second % (spelling.length + 1)].sort(
          (a, b) => a - b,
        );
        const text = `. . ${spelling.slice(from, to)} . .`;
        const ranges = secretRanges(text, [new Secret(value)], { fragments: true });
        const rest = withoutSpace(replaceRanges(text, ranges, '\u0001'));
        const sought = withoutSpace(spelling);
        const parts = Array.from({ length: Math.max(0, sought.length - longestRest) }, (_, at) =>
          sought.slice(at, at + longestRest + 1),
        );
        expect(parts.filter((part) => rest.includes(part))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test.each(encodings)('has nothing but the edges of a whole secret left, spelled %s', (_, encode) => {
    fc.assert(
      fc.property(someSecret, (value) => {
        const text = `before ${encode(value)} after`;
        const cleaned = replaceRanges(text, secretRanges(text, [new Secret(value)]), '\u0001');
        expect(cleaned).toMatch(/^before .{0,5}\u0001[^]{0,9} after$/);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps prose, also next to what is removed', () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 40 }), (prose) => {
        const secret = new Secret('sk-Zq7Xw9Kv3Jp5Yt1Rm8Nb');
        expect(secretRanges(prose, [secret], { fragments: true })).toEqual([]);
        const text = `${prose} ${inLines(base64(secret.expose()), 16, '\n')} ${prose}`;
        const cleaned = replaceRanges(text, secretRanges(text, [secret], { fragments: true }), '[removed]');
        expect(cleaned).toBe(`${prose} [removed] ${prose}`);
      }),
    );
  });

  it.each([
    ['reversed', (value: string) => [...value].reverse().join('')],
    ['in base64 of base64', (value: string) => base64(base64(value))],
    ['in hexadecimal of base64', (value: string) => Buffer.from(base64(value)).toString('hex')],
  ])('does not find a secret %s, as docs/security.md says', (_, spell) => {
    const secret = new Secret('sk-Zq7Xw9Kv3Jp5Yt1Rm8Nb');
    expect(secretRanges(spell(secret.expose()), [secret], { fragments: true })).toEqual([]);
  });

  it('keeps the host of a URL with a password, which many texts have', () => {
    const url = new Secret('postgresql://tenkey:Zq7Xw9Kv3Jp5Yt1R@database.internal.example:5432/tenkey');
    const find = (text: string) => secretRanges(text, [url], { fragments: true });
    expect(find('connect ECONNREFUSED database.internal.example:5432')).toEqual([]);
    expect(find('password Zq7Xw9Kv3Jp5Yt1 was wrong')).not.toEqual([]);
  });

  it('keeps the host of a URL whose password is a parameter, or that has none', () => {
    const text = 'database "t1" at 127.0.0.1:26432: password Zq7Xw9Kv3Jp5Yt1 of some-long-name';
    const find = (url: string) =>
      replaceRanges(text, secretRanges(text, [new Secret(url)], { fragments: true }), '*');
    expect(find('postgresql://127.0.0.1:26432/t1')).toBe(text);
    expect(find('postgresql://127.0.0.1:26432/t1?user=some-long-name&password=Zq7Xw9Kv3Jp5Yt1')).toBe(
      'database "t1" at 127.0.0.1:26432: password * of *',
    );
  });

  it('is searched in limited time, however hostile its 64 KiB are', () => {
    const secrets = [
      ...Array.from({ length: 3 }, (_, index) => new Secret(`sk-${'abcdefghijkl'.repeat(5)}${index}`)),
      new Secret('%'.repeat(40)),
      new Secret('\\\\u002b'.repeat(6)),
      new Secret('a'.repeat(400)),
    ];
    const parts = [
      ...[
        'a',
        'ab cd',
        '\r\n',
        '\\r\\n',
        '%0D%0A',
        '%25',
        '\\',
        '\\u002b%2b+',
        'abcdefghijk-',
        'abcdefghijkl',
      ],
      ...[
        base64('abcdefghijkl').slice(0, -1),
        `${base64('aaaaaaaaaaaa')}\n`,
        '6161 6161',
        '+%2b%252b%25252b\\u002b\\\\u002b\\x2b%5cx2b ',
      ],
    ];
    for (const part of parts) {
      const text = part.repeat(Math.ceil(65_536 / part.length)).slice(0, 65_536);
      const start = cpuTimeMs();
      secretRanges(text, secrets, { fragments: true });
      const took = cpuTimeMs() - start;
      expect([part, took < 4000 || took]).toEqual([part, true]);
    }
  });
});
