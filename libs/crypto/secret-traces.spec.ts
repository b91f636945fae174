import fc from 'fast-check';
import { Secret } from './secret';
import { secretRanges } from './secret-spellings';
import { mightMention } from './secret-traces';

const encodings: readonly ((secret: string) => string)[] = [
  (secret) => secret,
  encodeURIComponent,
  (secret) => JSON.stringify(secret).slice(1, -1),
  (secret) => Buffer.from(secret).toString('hex'),
  (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
  (secret) => Buffer.from(secret).join(','),
  ...['base64', 'base64url'].flatMap((encoding) =>
    ['', ':', 'u:'].map(
      (before) => (secret: string) =>
        Buffer.from(before + secret).toString(encoding as 'base64' | 'base64url'),
    ),
  ),
];

/** Often shorter or longer than what the search distinguishes, and sometimes a URL. */
const someSecret = fc
  .tuple(
    fc.constantFrom('', '', '', 'postgres://user:'),
    fc.string({
      unit: fc.constantFrom(...'ABCdefGHIjkl0123456789+/=_-!%"&\\é'),
      minLength: 8,
      maxLength: 60,
    }),
    fc.constantFrom('', '', '', '@host'),
  )
  .map((parts) => parts.join(''));
const inHeader = fc.string({ unit: fc.constantFrom(...'abcDEF0189-_.:=/'), maxLength: 40 });

describe('the fast search', () => {
  it('never says that a text is free of a secret in which the exact search finds it or a part of it', () => {
    let found = 0;
    let passed = 0;
    fc.assert(
      fc.property(
        someSecret,
        fc.constantFrom(...encodings),
        fc.nat(),
        fc.nat(),
        inHeader,
        inHeader,
        (value, encode, first, second, before, after) => {
          const spelling = encode(value);
          const [from, to] = [first, second].map((at) => at % (spelling.length + 1)).sort((a, b) => a - b);
          const text = before + spelling.slice(from, to) + after;
          const secrets = [new Secret(value)];
          const isFound = secretRanges(text, secrets, { fragments: true }).length > 0;
          const might = mightMention(text, secrets);
          if (isFound) found += 1;
          if (!might) passed += 1;
          expect(isFound && !might).toBe(false);
        },
      ),
      { numRuns: 20_000 },
    );
    // Both outcomes occur, or this test would show nothing.
    expect(found).toBeGreaterThan(1000);
    expect(passed).toBeGreaterThan(1000);
  });

  test.each(['req_0123456789abcdef0123456789abcdef', '6m0s', '2026-01-01T00:00:00Z', 'application/json'])(
    'is enough for the usual header %s',
    (value) => {
      expect(mightMention(value, [new Secret('sk-proj-Zx81kQmT4vLw9PnR2yBcH7dF')])).toBe(false);
    },
  );
});
