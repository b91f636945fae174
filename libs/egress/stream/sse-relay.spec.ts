import { finished, PassThrough } from 'node:stream';
import { SseRelay } from './sse-relay';

/** The output after each part, and after the end; an error's message after `!`. */
async function relay(parts: Buffer[], fault?: Error): Promise<{ during: string; all: string }> {
  const source = new PassThrough();
  const stream = new SseRelay(source, (message) => new Error(`fault ${message}`));
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
  if (fault === undefined) source.end();
  else source.destroy(fault);
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
  'a fault after byte %i leaves whole events',
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

test('an event too long to hold is forwarded in part, and closed before an error', async () => {
  const long = Buffer.alloc(17 * 1024 * 1024, 'x');
  const { during, all } = await relay([long], new Error('e'));
  expect(during).toHaveLength(long.length);
  expect(all.slice(long.length)).toBe('\n\n!e');
});

const withError =
  'data: {"choices":[{"delta":{"content":"an \\"error\\" in prose"}}]}\r\n\r\n' +
  'event: error\r\ndata: {"error":{"message":"the raw text"}}\r\n\r\ndata: never seen\r\n\r\n';
const failed = Buffer.from(withError);

test.each(Array.from({ length: failed.length + 1 }, (_, at) => at))(
  'an error event, cut at byte %i, is the error that ends the stream',
  async (at) => {
    const { all } = await relay([failed.subarray(0, at), failed.subarray(at)]);
    const first = withError.slice(0, withError.indexOf('event: error'));
    // Cut between CR and LF, the CR alone has ended the line.
    const lines = (text: string) => text.replace(/\r\n?/g, '\n');
    expect(lines(all)).toBe(lines(`${first}!fault the raw text`));
  },
);

test.each([
  ['data: {"error":"text"}\n\n', '!fault text'],
  ['data: {"error":{"code":5}}\n\n', '!fault '],
  ['data: {"type":"error","code":"x","message":"text"}\n\n', '!fault text'],
  ['data: {"type":"response.failed","response":{"error":{"message":"text"}}}\n\n', '!fault text'],
  ['data: {"type":"response.created","response":{"error":null}}\n\n', undefined],
  ['data: {"type":"response.completed","response":{"error":{"message":"text"}}}\n\n', undefined],
  ['data: {"object":"error","message":"text","code":400}\n\n', '!fault text'],
  ['event: error\ndata: {"message":"text","type":"server_error"}\n\n', '!fault text'],
  ['event:error\ndata: text\n\n', '!fault text'],
  ['event: error\ndata: null\n\n', '!fault '],
  ['\uFEFFdata: {"error":"text"}\n\n', '!fault text'],
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

test.each(['', '\n', '\r\n'])('an error event that the stream ends with, and %j after it', async (end) => {
  const { all } = await relay([Buffer.from(`data: 1\n\ndata: {"error":{"message":"the raw text"}}${end}`)]);
  expect(all).toBe('data: 1\n\n!fault the raw text');
});

test.each([
  ['whole parts', undefined],
  ['single bytes', 1],
])('what came before a fault is read before it, also by a slow reader of %s', async (_, size) => {
  const source = new PassThrough();
  const stream = new SseRelay(source, (message) => new Error(message));
  let fault: Error | undefined;
  stream.on('error', (error) => (fault = error));
  source.write('data: 1\n\ndata: 2\n\ndata: {"error":"text"}\n\ndata: never seen\n\n');
  await new Promise(setImmediate);
  // The provider is let go at once.
  expect(source.destroyed).toBe(true);
  let all = '';
  for (let turn = 0; turn < 100 && fault === undefined; turn++) {
    all += String((stream.read(size) as Buffer | null) ?? '');
    await new Promise(setImmediate);
  }
  expect([all, fault?.message]).toEqual(['data: 1\n\ndata: 2\n\n', 'text']);
});

test('a reader that leaves before it came to the fault leaves a stream that has it', async () => {
  const source = new PassThrough();
  const stream = new SseRelay(source, (message) => new Error(message));
  source.write('data: 1\n\ndata: {"error":"text"}\n\n');
  await new Promise(setImmediate);
  const faults: string[] = [];
  finished(stream, (error) => faults.push(String(error?.message)));
  stream.destroy();
  await new Promise(setImmediate);
  expect(faults).toEqual(['text']);
});
