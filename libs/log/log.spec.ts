import { stripVTControlCharacters } from 'node:util';
import { Secret } from '#crypto';
import { createLog, textForTerminal } from './log';

/** The lines that are written, parsed; a line that is not JSON fails the test. */
function lines(
  secrets: Secret[],
  write: (log: ReturnType<typeof createLog>) => void,
): Record<string, unknown>[] {
  const written: string[] = [];
  write(createLog('trace', secrets, { write: (line) => void written.push(line) }));
  return written.map((line) => {
    expect(line.endsWith('\n')).toBe(true);
    return JSON.parse(line);
  });
}

describe('the log on a terminal', () => {
  let texts: string[];
  let log: ReturnType<typeof createLog>;
  beforeAll(async () => {
    const toText = await textForTerminal();
    log = createLog('trace', [], {
      write: (line) => void texts.push(stripVTControlCharacters(toText(line))),
    });
  });
  beforeEach(() => (texts = []));

  const request = {
    request_id: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
    method: 'POST',
    path: '/v1/chat/completions',
    status: 200,
    duration_ms: 12.3,
    tenant: 't1',
  };

  it('has one line for a request, which begins with what was asked and how it ended', () => {
    log.info(request, 'request');
    expect(texts.join('')).toMatch(
      /^\[\d\d:\d\d:\d\d\] INFO: POST \/v1\/chat\/completions 200 in 12\.3 ms \{"request_id":"7c9e6679-[\w-]+","tenant":"t1"\}\n$/,
    );
  });

  it('has the stack of an error below the line, and leaves nothing of other lines out', () => {
    log.error({ ...request, err: new Error('it broke') }, 'request');
    log.info({ status: 'done', path: '/a' }, 'other');
    expect(texts[0]).toMatch(/ms \{.*\}\n +err: \{[^]*it broke[^]*log\.spec/);
    expect(texts[1]).toMatch(/INFO: other \{"status":"done","path":"\/a"\}\n$/);
  });
});

describe('the log', () => {
  it.each([
    'plain-secret-of-the-process',
    'super-key-of-enough-len-k9$&',
    'ends-with-quote-and-slash"\\',
    "$`$'$1-secret",
  ])('removes the process secret %s from messages, fields and errors, and stays JSON', (value) => {
    const [line] = lines([new Secret(value)], (log) =>
      log.error(
        { field: `a ${value} b`, nested: [{ value }], err: new Error(`saw ${value}`) },
        `has ${value} twice ${value}`,
      ),
    );
    expect(line).toMatchObject({
      field: 'a [secret] b',
      nested: [{ value: '[secret]' }],
      msg: 'has [secret] twice [secret]',
    });
    const text = JSON.stringify(line);
    expect(text).not.toContain(value);
    expect(text).not.toContain(JSON.stringify(value).slice(1, -1));
  });

  it('removes what looks like a key next to quotes and backslashes, and stays JSON', () => {
    const [line] = lines([], (log) => log.info({ a: 'Bearer abc12345\\"', b: '"sk-abcdefghijkl"' }, 'x'));
    expect(line).toMatchObject({ b: '"[removed]"' });
    expect(line!.a).not.toContain('abc12345');
  });

  it.each<[string, (value: string) => unknown]>([
    ['a Buffer', (value) => Buffer.from(value)],
    ['bytes', (value) => new Uint8Array(Buffer.from(value))],
    ['a list of bytes', (value) => [...Buffer.from(value)]],
    ['nested bytes', (value) => ({ request: { body: [Buffer.from(value)] } })],
    ['an ArrayBuffer view', (value) => new DataView(new Uint8Array(Buffer.from(value)).buffer)],
    ['base64', (value) => Buffer.from(value).toString('base64')],
    ['base64url inside a text', (value) => `x=${Buffer.from(`a:${value}`).toString('base64url')}&y`],
    ['a list of bytes in a text', (value) => `bytes ${[...Buffer.from(value)].join(',')}`],
    ['hex', (value) => Buffer.from(value).toString('hex').toUpperCase()],
    ['a URL', (value) => `https://a.example/?key=${encodeURIComponent(value)}`],
    ['a URL in a URL', (value) => encodeURIComponent(encodeURIComponent(value))],
    ['a form', (value) => new URLSearchParams({ value }).toString()],
    ['JSON in JSON', (value) => JSON.stringify({ value: JSON.stringify(value) })],
  ])('removes a process secret given as %s', (_name, spell) => {
    const value = 'Kalmar+Sund/super=Key?&%41"\\~q';
    const spelt = spell(value);
    const [line] = lines([new Secret(value)], (log) => log.info({ spelt }, 'message'));
    const text = JSON.stringify(line);
    expect(line!.msg).toBe('message');
    const bytes = Buffer.from(value);
    for (const form of [
      value.slice(0, 12),
      bytes.toString('base64').slice(0, 16),
      Buffer.from(`a:${value}`).toString('base64url').slice(4, 20),
      bytes.toString('hex').slice(0, 24),
      bytes.toString('hex').toUpperCase().slice(0, 24),
      encodeURIComponent(value).slice(0, 16),
      [...bytes].slice(0, 8).join(','),
      '"0":75,"1":97',
    ])
      expect([form, text.includes(form)]).toEqual([form, false]);
  });

  it('writes a Secret as its mask, and omits what a library attached to an error', () => {
    const error = Object.assign(new Error('failed'), { request: { headers: { authorization: 'attached' } } });
    const [line] = lines([], (log) => log.info({ key: new Secret('a-key-ending-in-w1x2'), err: error }, 'x'));
    expect(line!.key).toBe('[secret ...w1x2]');
    expect(JSON.stringify(line)).not.toContain('attached');
  });
});
