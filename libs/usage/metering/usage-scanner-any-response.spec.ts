import fc from 'fast-check';
import { EventRelay, type EventStage } from '#egress';
import { type ReportedTokens } from './reported-tokens';
import { cpuTimeMs } from '../../../test/support/cpu-time';
import { UsageScanner } from './usage-scanner';

const json = 'application/json';
const events = 'text/event-stream; charset=utf-8';

const of = (
  input: number | null,
  output: number | null,
  cached: number | null = null,
  cacheWrite: number | null = null,
  searchUnits: number | null = null,
) => ({ input, output, cached, cacheWrite, searchUnits }) satisfies ReportedTokens;
/** The tokens of the recorded responses: whole, and as a stream. */
function tokensIn(parts: Iterable<Uint8Array>, type = json): ReportedTokens | undefined {
  const scanner = new UsageScanner(type);
  for (const part of parts) scanner.push(part);
  return scanner.tokens;
}

const tokensOf = (text: string, type = json) => tokensIn([Buffer.from(text)], type);
const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;

/** The same at every cut, and byte by byte. */
const word = fc.constantFrom(
  'usage',
  'message',
  'response',
  'x_groq',
  'prompt_tokens',
  'input_tokens',
  'output_tokens',
);
const name = fc.oneof(
  { weight: 4, arbitrary: word },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) },
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.nat(),
    fc.double(),
    fc.constant(null),
    name,
    tie('object'),
    tie('list'),
  ),
  object: fc.dictionary(name, tie('value'), { maxKeys: 5 }),
  list: fc.array(tie('value'), { maxLength: 4 }),
}));
const root = fc.dictionary(name, value, { minKeys: 1, maxKeys: 6 });

/** What JSON.parse finds at the same places, in their order. */
function reference(document: Record<string, unknown>): ReportedTokens | undefined {
  const isObject = (each: unknown): each is Record<string, unknown> =>
    typeof each === 'object' && each !== null && !Array.isArray(each);
  const usages = Object.entries(document).flatMap(([key, each]) => {
    if (!isObject(each)) return [];
    if (key === 'usage') return [each];
    return ['message', 'response', 'x_groq'].includes(key) && isObject(each.usage) ? [each.usage] : [];
  });
  if (usages.length === 0) return undefined;
  const scanner = new UsageScanner(events);
  for (const usage of usages) scanner.push(Buffer.from(data({ usage })));
  return scanner.tokens;
}

const cutAt = (bytes: Buffer, sizes: readonly number[]) => {
  const parts: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  return parts;
};
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

test('any JSON: the usage that JSON.parse finds, however it is cut and indented', () => {
  fc.assert(
    fc.property(root, sizes, fc.constantFrom(0, 1, '\t'), (document, cuts, indent) => {
      const bytes = Buffer.from(JSON.stringify(document, null, indent));
      const parsed = JSON.parse(bytes.toString()) as Record<string, unknown>;
      expect(tokensIn(cutAt(bytes, cuts))).toEqual(reference(parsed));
    }),
    { numRuns: 3000 },
  );
});

const frame = fc.oneof(
  root.map(data),
  root.map(
    (document) => `event: x\ndata: ${JSON.stringify(document, null, 1).replaceAll('\n', '\ndata: ')}\n\n`,
  ),
  fc.constantFrom(': "usage":{}\n\n', 'data: {"usage":null}\n\n', 'data: {"usage": {"prompt_tokens":3}}\n\n'),
  fc.constantFrom('data: [DONE]\n\n', '\n', 'data: {"message":{"usage" : {"input_tokens":3}}}\n\n'),
);

test('a stream: what is read of whole events is what is read of every byte, however it is cut', () => {
  fc.assert(
    fc.property(fc.array(frame), sizes, fc.constantFrom('\n', '\r\n', '\r'), (frames, cuts, lineEnd) => {
      const bytes = Buffer.from(frames.join('').replaceAll('\n', lineEnd));
      const scanner = new UsageScanner(events);
      const stage: EventStage = {
        pass: (whole) => {
          scanner.pushEvents(whole);
          return whole;
        },
        passPart: (part) => scanner.push(part),
      };
      const passed: Buffer[] = [];
      const sink = {
        write: (part: Buffer) => passed.push(part) > 0,
        end: () => undefined,
        fail: () => undefined,
      };
      const relay = new EventRelay([stage], sink, { resume: () => undefined, stop: () => undefined });
      for (const part of cutAt(bytes, cuts)) relay.write(part);
      relay.end();
      expect(Buffer.concat(passed)).toEqual(bytes);
      expect(scanner.tokens).toEqual(tokensIn([bytes], events));
    }),
    { numRuns: 2000 },
  );
});

const fragment = fc.oneof(
  fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    ':',
    ',',
    '\r',
    '\n',
    '\n\n',
    'data:',
    ' ',
    '\uFEFF',
    '{"usage":{',
  ),
  fc.constantFrom(
    '"usage":',
    '"message":{',
    '"prompt_tokens":3',
    '[DONE]',
    'event: ',
    '"usage":{"prompt_tokens":3}',
  ),
);
const garbage = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.array(fragment, { maxLength: 60 }).map((parts) => Buffer.from(parts.join(''))),
);

test('garbage never throws, and says the same however it is cut', () => {
  fc.assert(
    fc.property(garbage, sizes, fc.constantFrom(json, events), (bytes, cuts, type) => {
      expect(tokensIn(cutAt(bytes, cuts), type)).toEqual(tokensIn([bytes], type));
    }),
    { numRuns: 5000 },
  );
});

describe('time and memory have bounds', () => {
  const megabyte = 1024 * 1024;
  const after = '"usage":{"prompt_tokens":5}}';
  /** Chunks as a network cuts them; the largest extra heap and buffers on the way. */
  function scanMeasured(parts: Iterable<Buffer>, type = json) {
    const scanner = new UsageScanner(type);
    const before = process.memoryUsage();
    const begin = cpuTimeMs();
    let mostBytes = 0;
    for (const part of parts) {
      scanner.push(part);
      const now = process.memoryUsage();
      mostBytes = Math.max(mostBytes, now.external - before.external + now.heapUsed - before.heapUsed);
    }
    return { tokens: scanner.tokens, ms: cpuTimeMs() - begin, mostBytes };
  }
  function* chunks(open: string, filler: string, bytes: number, close: string): Generator<Buffer> {
    yield Buffer.from(open);
    const part = Buffer.alloc(64 * 1024, filler);
    for (let sent = 0; sent < bytes; sent += part.length) yield part;
    yield Buffer.from(close);
  }

  test.each([
    ['a name of 50 MB', chunks('{"', 'usage', 50 * megabyte, `":1,${after}`)],
    ['a text of 20 MB of quotes', chunks('{"a":"', '\\"', 20 * megabyte, `",${after}`)],
    ['a text of 50 MB of backslashes', chunks('{"a":"', '\\', 50 * megabyte, `",${after}`)],
    ['a usage object of 20 MB', chunks('{"usage":{"a":"', 'x', 20 * megabyte, `"},${after}`)],
    ['blanks of 20 MB', chunks('', ' ', 20 * megabyte, `{${after}`)],
    ['an event of 20 MB', chunks('data: {"a":"', 'x', 20 * megabyte, `",${after}\n\n`), events],
    ['lines of 20 MB that are not data', chunks('', ': x\r', 20 * megabyte, `\ndata: {${after}\n\n`), events],
    ['20 MB of empty lines', chunks('', '\n\n\n', 20 * megabyte, `data: {${after}\n\n`), events],
    ['a vector of 20 MB', chunks('{"a":[', '0.123,', 20 * megabyte, `0],${after}`)],
  ])('%s', (_name, parts, type = json) => {
    const { tokens, ms, mostBytes } = scanMeasured(parts, type);
    expect(tokens).toEqual(of(5, null));
    expect(ms).toBeLessThan(5000);
    expect(mostBytes).toBeLessThan(16 * megabyte);
  });

  test('a million brackets', () => {
    const deep = `{"a":${'['.repeat(1e6)}${']'.repeat(1e6)},${after}`;
    expect(tokensOf(deep)).toEqual(of(5, null));
    expect(tokensOf('['.repeat(1e6))).toBeUndefined();
    expect(tokensOf(`{"usage":{"a":${'['.repeat(15_000)}`.repeat(60))).toBeUndefined();
    expect(tokensOf(`{"usage":{"a":${'['.repeat(8000)}${']'.repeat(8000)}}}`)).toEqual(of(null, null));
  });

  test('megabytes in one chunk are one pass: quotes after backslashes, line ends of one kind', () => {
    const begin = cpuTimeMs();
    const runs = `{"a":"${`${'\\'.repeat(1000)}\\"`.repeat(10_000)}",${after}`;
    expect(tokensOf(runs)).toEqual(of(5, null));
    expect(tokensOf(`${'\n'.repeat(4e6)}data: {${after}`, events)).toEqual(of(5, null));
    expect(tokensOf(`${'\r'.repeat(4e6)}data: {${after}`, events)).toEqual(of(5, null));
    expect(cpuTimeMs() - begin).toBeLessThan(5000);
  });

  test('a usage object of 1 MB is ignored, and one after it counts', () => {
    const long = `{"usage":{"prompt_tokens":7,"a":"${'x'.repeat(megabyte)}"}`;
    expect(tokensOf(`${long}}`)).toBeUndefined();
    expect(tokensOf(`${long},"message":{${after}}`)).toEqual(of(5, null));
    const most = `{"usage":{"prompt_tokens":7,"a":"${'x'.repeat(16 * 1024 - 26)}"}}`;
    expect(tokensOf(most)).toEqual(of(7, null));
    expect(tokensIn(Array.from(Buffer.from(most), (byte) => Buffer.of(byte)))).toEqual(of(7, null));
    expect(tokensOf(most.replace('xx', 'xxx'))).toBeUndefined();
  });
});
