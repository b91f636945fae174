import { finished, PassThrough } from 'node:stream';
import { Problem } from '#http';
import { feed } from '../../../test/support/feed';
import { ReadableBody } from './body-sink';
import { ErrorEvents } from './error-events';
import { EventRelay } from './event-relay';

/** The whole events of a stream. */
function wholeEvents(body: PassThrough, toError: (message: string) => Error): ReadableBody {
  let readable!: ReadableBody;
  feed(body, (source) => {
    readable = new ReadableBody(source, () => body.destroy());
    return new EventRelay([new ErrorEvents((error) => toError(error.message))], readable, source);
  });
  return readable;
}

/** @returns the output after the last part and after the end; `!` precedes the message of an error */
async function relay(parts: Buffer[], error?: Error): Promise<{ during: string; all: string }> {
  const source = new PassThrough();
  const stream = wholeEvents(source, (message) => new Error(`event: ${message}`));
  let all = '';
  const ended = new Promise((resolve) => {
    stream.on('end', resolve);
    stream.on('error', ({ message }) => resolve((all += `!${message}`)));
  });
  stream.on('data', (chunk: Buffer) => (all += chunk.toString('latin1')));
  for (const part of parts) {
    source.write(part);
    await new Promise(setImmediate);
  }
  const during = all;
  if (error === undefined) source.end();
  else source.destroy(error);
  await ended;
  return { during, all };
}

const events = 'data: {"ä":1}\n\n: note\r\n\r\nevent: x\rdata: 2\r\rdata: a\ndata: b\r\n\ndata: [DONE]\n\n';
const bytes = Buffer.from(events);
const latin1 = bytes.toString('latin1');

test.each(Array.from({ length: bytes.length + 1 }, (_, at) => at))(
  'cut at byte %i, nothing changes',
  async (at) => {
    const { during, all } = await relay([bytes.subarray(0, at), bytes.subarray(at)]);
    expect(during).toBe(latin1);
    expect(all).toBe(latin1);
  },
);

test.each(Array.from({ length: bytes.length }, (_, at) => at))(
  'an error after byte %i leaves whole events',
  async (at) => {
    const { during, all } = await relay([bytes.subarray(0, at)], new Error('e'));
    expect(latin1.startsWith(during)).toBe(true);
    expect(during === '' || /(\n\n|\r\r|\r\n\r\n?)$/.test(during) || during.endsWith('\r\n\n')).toBe(true);
    expect(all).toBe(`${during}!e`);
  },
);

test('byte by byte, nothing changes', async () => {
  const { all } = await relay(Array.from(bytes, (byte) => Buffer.from([byte])));
  expect(all).toBe(latin1);
});

test('an incomplete event is held, and sent at a normal end', async () => {
  const { during, all } = await relay([Buffer.from('data: 1\n\ndata: 2\n')]);
  expect(during).toBe('data: 1\n\n');
  expect(all).toBe('data: 1\n\ndata: 2\n');
});

test('an event that is too long to hold is forwarded in parts, and terminated before an error', async () => {
  const long = Buffer.alloc(17 * 1024 * 1024, 'x');
  const { during, all } = await relay([long], new Error('e'));
  expect(during).toHaveLength(long.length);
  expect(all.slice(long.length)).toBe('\n\n!e');
});

test('an event is forwarded in parts as well when there is no memory to hold it', () => {
  let taken = 0;
  const take = (bytes: number) => {
    if (taken + bytes > 100_000) return new Problem('overloaded');
    taken += bytes;
    return undefined;
  };
  let all = '';
  const sink = {
    write: (part: Buffer) => ((all += part.toString('latin1')), true),
    end: () => undefined,
    fail: () => undefined,
  };
  const source = { resume: () => undefined, stop: () => undefined };
  const stream = new EventRelay([], sink, source, undefined, { take });
  const part = Buffer.alloc(50_000, 'x');
  for (let at = 0; at < 3; at += 1) stream.write(part);
  // The first 64 KiB are not counted, and an event that follows takes what this one has left.
  expect([taken, all]).toEqual([150_000 - 65_536, '']);
  stream.write(Buffer.from('\n\n'));
  for (let at = 0; at < 3; at += 1) stream.write(part);
  expect([taken, all.length]).toEqual([150_000 - 65_536, 150_002]);
  stream.write(part);
  expect(all).toHaveLength(350_002);
});

const withError =
  'data: {"choices":[{"delta":{"content":"an \\"error\\" in prose"}}]}\r\n\r\n' +
  'event: error\r\ndata: {"error":{"message":"the raw text"}}\r\n\r\ndata: never seen\r\n\r\n';
const failed = Buffer.from(withError);

test.each(Array.from({ length: failed.length + 1 }, (_, at) => at))(
  'an error event, cut at byte %i, becomes the error of the stream',
  async (at) => {
    const { all } = await relay([failed.subarray(0, at), failed.subarray(at)]);
    const first = withError.slice(0, withError.indexOf('event: error'));
    // If CR LF is cut in two, the CR by itself ends the line.
    const lines = (text: string) => text.replace(/\r\n?/g, '\n');
    expect(lines(all)).toBe(lines(`${first}!event: the raw text`));
  },
);

test.each([
  ['data: {"error":"text"}\n\n', '!event: text'],
  ['data: {"error":{"code":5}}\n\n', '!event: '],
  ['data:   {"error":"text"}\n\n', '!event: text'],
  ['data: {"type":"error","code":"x","message":"text"}\n\n', '!event: text'],
  ['data: {"type":"response.failed","response":{"error":{"message":"text"}}}\n\n', '!event: text'],
  ['data: {"type":"response.created","response":{"error":null}}\n\n', undefined],
  ['data: {"type":"response.completed","response":{"error":{"message":"text"}}}\n\n', undefined],
  ['data: {"object":"error","message":"text","code":400}\n\n', '!event: text'],
  ['event: error\ndata: {"message":"text","type":"server_error"}\n\n', '!event: text'],
  ['event:error\ndata: text\n\n', '!event: text'],
  ['event: error\ndata: null\n\n', '!event: '],
  ['\uFEFFdata: {"error":"text"}\n\n', '!event: text'],
  ['event: errors\ndata: {"message":"text"}\n\n', undefined],
  ['data: null\n\n', undefined],
  ['data: {"error":null,"choices":[]}\n\n', undefined],
  ['data: {"error": broken\n\n', undefined],
  ['data: an error in prose\n\n', undefined],
  ['data: {"choices":[{"delta":{"content":"\\"error\\""}}]}\n\n', undefined],
])('of %j', async (event, expected) => {
  const { all } = await relay([Buffer.from(event)]);
  expect(all).toBe(expected ?? event);
});

test.each(['', '\n', '\r\n'])(
  'an error event with only %j after it, at the end of the stream',
  async (end) => {
    const { all } = await relay([Buffer.from(`data: 1\n\ndata: {"error":{"message":"the raw text"}}${end}`)]);
    expect(all).toBe('data: 1\n\n!event: the raw text');
  },
);

test.each([
  ['whole parts', undefined],
  ['single bytes', 1],
])('what precedes an error is read before it, even by a slow reader of %s', async (_, size) => {
  const source = new PassThrough();
  const stream = wholeEvents(source, (message) => new Error(message));
  let failure: Error | undefined;
  stream.on('error', (error) => (failure = error));
  source.write('data: 1\n\ndata: 2\n\ndata: {"error":"text"}\n\ndata: never seen\n\n');
  await new Promise(setImmediate);
  // The connection to the provider is closed at once.
  expect(source.destroyed).toBe(true);
  let all = '';
  for (let turn = 0; turn < 100 && failure === undefined; turn++) {
    all += String((stream.read(size) as Buffer | null) ?? '');
    await new Promise(setImmediate);
  }
  expect([all, failure?.message]).toEqual(['data: 1\n\ndata: 2\n\n', 'text']);
});

test('a reader that stops before the error still leaves a stream that failed with it', async () => {
  const source = new PassThrough();
  const stream = wholeEvents(source, (message) => new Error(message));
  source.write('data: 1\n\ndata: {"error":"text"}\n\n');
  await new Promise(setImmediate);
  const errors: string[] = [];
  finished(stream, (error) => errors.push(String(error?.message)));
  stream.destroy();
  await new Promise(setImmediate);
  expect(errors).toEqual(['text']);
});
