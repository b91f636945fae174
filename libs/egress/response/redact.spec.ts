import { Secret } from '#crypto';
import { cpuTimeMs } from '../../../test/support/cpu-time';
import { cleanMessage, mentions } from './redact';

const value = 'My key/with+odd="chars" & 100%?';
const secret = new Secret(value);
const base64 = (text: string) => Buffer.from(text).toString('base64');

const spellings: [string, string][] = [
  ['plain', value],
  ['base64', base64(value)],
  ['base64 without padding', base64(value).replace(/=+$/, '')],
  ['base64url', Buffer.from(value).toString('base64url')],
  ['base64 after one byte', base64(`:${value}`)],
  ['base64 after two bytes', base64(`u:${value}!`)],
  ['hexadecimal', Buffer.from(value).toString('hex')],
  ['a list of bytes', [...Buffer.from(value)].join(',')],
  ['a list of bytes with blanks', [...Buffer.from(value)].join(', ')],
  ['a list of bytes in lines', JSON.stringify([...Buffer.from(value)], null, 2)],
  ['URL-encoded', encodeURIComponent(value)],
  ['form-encoded', new URLSearchParams({ value }).toString().slice(6)],
  ['lower-case URL-encoded', encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase())],
  ['doubly URL-encoded', encodeURIComponent(encodeURIComponent(value))],
  ['URL-encoded base64', encodeURIComponent(base64(value))],
  ['JSON', JSON.stringify(value)],
  ['JSON with escaped slashes', JSON.stringify(value).replaceAll('/', '\\/')],
  [
    'unicode-escaped',
    Array.from(value, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  ],
  ['with an invisible character inside', `${value.slice(0, 9)}\u200b\u0000${value.slice(9)}`],
];

test.each(spellings)('a secret spelled %s is removed', (_name, text) => {
  const cleaned = cleanMessage(`before ${text} after`, [secret]);
  expect(cleaned).toMatch(/^before .*\[removed\].* after$/);
  expect(cleaned.replaceAll('[removed]', '').length).toBeLessThan(24);
});

test.each(spellings.slice(0, -1))('a header with a secret spelled %s is recognised', (_name, text) =>
  expect(mentions(`a ${text} b`, [secret])).toBe(true),
);

test('a header with a part of a secret is recognised', () => {
  const long = new Secret('correct horse battery staple');
  expect(mentions('req-horse battery', [long])).toBe(true);
  expect(mentions('horse batte', [long])).toBe(false);
});

test('every secret is removed, a longer one before a shorter one that it starts with', () => {
  const secrets = [new Secret('prefix-prefix'), new Secret('prefix-prefix-rest')];
  expect(cleanMessage('a prefix-prefix-rest b prefix-prefix c', secrets)).toBe('a [removed] b [removed] c');
});

test('a part of a secret is removed', () => {
  const long = new Secret('correct horse battery staple');
  expect(cleanMessage('key correct horse bat... is bad', [long])).toBe('key [removed]... is bad');
});

test.each([
  'sk-abcdefghijklmnop',
  'sk-proj-abc_def-123456',
  'sk-ant-api03-abcdef',
  'sk-abcd********wxyz',
  'gsk_abcdefghij',
  'xai-abcdefghij',
  'AIzaSyA1234567890abcdefghijk',
  'tk_abcdefghijkl',
  'Bearer abc123def',
  'gAAAAABhZ2VkX3Rva2VuX2hlcmU=',
  'enc:fernet:v1:gAAAAABh',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
  '0123456789abcdef0123456789ABCDEF',
  'postgres://user:pass@db',
])('%s looks like a key', (text) => {
  const cleaned = cleanMessage(`the key "${text}" is bad`, []);
  expect(cleaned).toContain('[removed]');
  expect(cleaned).not.toContain(text);
});

test.each([
  'Unsupported parameter: max_tokens is not supported with this model, use max_completion_tokens.',
  'Bearer authentication is required',
  'task-oriented models; request 123e4567-e89b-12d3-a456-426614174000',
])('prose is kept: %s', (text) => expect(cleanMessage(text, [secret])).toBe(text));

test('control characters are removed, and a message has one line', () =>
  expect(cleanMessage('a\r\nb\tc\u001b[31m\u202ed', [])).toBe('a b c[31md'));

test('a message is cut after the removal, so no part of a key is left at its end', () => {
  const plain = new Secret('short-odd-key');
  const cleaned = cleanMessage('x '.repeat(996) + plain.expose().repeat(30), [plain]);
  expect(cleaned).toHaveLength(2000);
  expect(cleaned).not.toContain('short');
});

test.each(spellings)(
  'a secret spelled %s leaves no part where the reading of a message stops',
  (_name, text) => {
    const prose = '. '.repeat(400);
    for (let at = 7400; at < 7700; at += 1) {
      const cleaned = cleanMessage(`${prose}${'\n'.repeat(at)}${text}${'\n'.repeat(60_000)}`, [secret]);
      // In base64 the secret shares characters with the text around it.
      expect(cleaned.replace(/\[removed\]|[. "]/g, '').length).toBeLessThanOrEqual(5);
      expect(cleaned).toContain('. . . .');
    }
  },
);

test('the part of a message that is searched is limited, whatever its length and layers of encoding', () => {
  const search = jest.spyOn(String.prototype, 'indexOf');
  const searched = (text: string) => {
    search.mockClear();
    cleanMessage(text, [secret]);
    return search.mock.contexts.reduce<number>((sum, each) => sum + String(each).length, 0);
  };
  try {
    const layers = '+%2b%252b%25252b\\u002b\\\\u002b\\\\\\\\u002b\\x2b%5cx2b%5cu002b ';
    const most = searched(layers.repeat(20_000));
    expect(searched(layers.repeat(1000).slice(0, 10_000))).toBe(most);
    // 48 readings, each searched for six spellings.
    expect(most).toBeLessThan(48 * 5 * 10_000);
  } finally {
    search.mockRestore();
  }
});

test('a long hostile message is cleaned in limited time', () => {
  const start = cpuTimeMs();
  for (const part of ['%25', '\\', 'sk-', 'eyJ', 'Bearer ', 'My key', '://a', 'a', 'gAAAA']) {
    cleanMessage(part.repeat(65_536 / part.length), [
      secret,
      new Secret('%%%%%%%%'),
      new Secret('\\\\\\\\\\\\\\\\'),
    ]);
  }
  expect(cpuTimeMs() - start).toBeLessThan(8000);
});

test('a key of the maximum length is removed in limited time', () => {
  const characters = Array.from({ length: 10_240 }, (_, index) =>
    String.fromCharCode(33 + ((index * 7919) % 94)),
  );
  const long = new Secret(characters.join(''));
  const start = cpuTimeMs();
  for (const text of [long.expose(), encodeURIComponent(long.expose()), JSON.stringify(long.expose())]) {
    const cleaned = cleanMessage(`before ${text} after`, [long]);
    expect(cleaned.replaceAll('[removed]', '').replaceAll('"', '')).toBe('before  after');
  }
  expect(cleanMessage('no part', [long])).toBe('no part');
  expect(cpuTimeMs() - start).toBeLessThan(2000);
});

test('checking a header takes microseconds, not milliseconds', () => {
  const secrets = Array.from({ length: 5 }, (_, index) => new Secret(`${index}-`.repeat(80)));
  const start = cpuTimeMs();
  for (let call = 0; call < 1000; call++) mentions('x-ratelimit-remaining-tokens 149984', secrets);
  expect(cpuTimeMs() - start).toBeLessThan(1000);
});

test('a text of many megabytes is not read to its end', () => {
  const start = cpuTimeMs();
  expect(cleanMessage('%41'.repeat(5_000_000), [secret])).toHaveLength(2000);
  expect(cpuTimeMs() - start).toBeLessThan(5000);
});

test('a secret with characters outside ASCII is removed, in JSON and in a URL too', () => {
  const odd = new Secret('nyckel-på-svenska-åäö\u0001');
  for (const text of [odd.expose(), JSON.stringify(odd.expose()), encodeURIComponent(odd.expose())]) {
    expect(cleanMessage(`a ${text} b`, [odd]).replaceAll('"', '')).toBe('a [removed] b');
  }
});
