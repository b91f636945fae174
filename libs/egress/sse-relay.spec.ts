import { SseRelay } from './sse-relay';

/** The output after each part, and after the end. */
async function relay(parts: Buffer[], last?: string): Promise<{ during: string; all: string }> {
  const stream = new SseRelay((message) => `data: fault ${message}\n\n`);
  let all = '';
  const ended = new Promise((resolve) => stream.on('end', resolve));
  stream.on('data', (chunk: Buffer) => (all += chunk.toString('latin1')));
  for (const part of parts) await new Promise((resolve) => stream.write(part, resolve));
  await new Promise(setImmediate);
  const during = all;
  if (last === undefined) stream.end();
  else stream.endWith(last);
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
  'a fault after byte %i leaves whole events and the error event',
  async (at) => {
    const { during, all } = await relay([bytes.subarray(0, at)], 'data: {"error":1}\n\n');
    expect(latin1.startsWith(during)).toBe(true);
    expect(during === '' || /(\n\n|\r\r|\r\n\r\n?)$/.test(during) || during.endsWith('\r\n\n')).toBe(true);
    expect(all).toBe(`${during}data: {"error":1}\n\n`);
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

test('an event too long to hold is forwarded in part, and closed before an error event', async () => {
  const long = Buffer.alloc(17 * 1024 * 1024, 'x');
  const { during, all } = await relay([long], 'data: e\n\n');
  expect(during).toHaveLength(long.length);
  expect(all.slice(long.length)).toBe('\n\ndata: e\n\n');
});

const withError =
  'data: {"choices":[{"delta":{"content":"an \\"error\\" in prose"}}]}\r\n\r\n' +
  'event: error\r\ndata: {"error":{"message":"the raw text"}}\r\n\r\ndata: never seen\r\n\r\n';
const failed = Buffer.from(withError);

test.each(Array.from({ length: failed.length + 1 }, (_, at) => at))(
  'an error event, cut at byte %i, is replaced and ends the stream',
  async (at) => {
    const { all } = await relay([failed.subarray(0, at), failed.subarray(at)]);
    const first = withError.slice(0, withError.indexOf('event: error'));
    // Cut between CR and LF, the CR alone has ended the line.
    const lines = (text: string) => text.replace(/\r\n?/g, '\n');
    expect(lines(all)).toBe(lines(`${first}data: fault the raw text\n\n`));
  },
);

test.each([
  ['data: {"error":"text"}\n\n', 'data: fault text\n\n'],
  ['data: {"error":{"code":5}}\n\n', 'data: fault \n\n'],
  ['data: {"type":"error","code":"x","message":"text"}\n\n', 'data: fault text\n\n'],
  ['data: {"type":"response.failed","response":{"error":{"message":"text"}}}\n\n', 'data: fault text\n\n'],
  ['data: {"type":"response.created","response":{"error":null}}\n\n', undefined],
  ['data: {"type":"response.completed","response":{"error":{"message":"text"}}}\n\n', undefined],
  ['data: {"object":"error","message":"text","code":400}\n\n', 'data: fault text\n\n'],
  ['event: error\ndata: {"message":"text","type":"server_error"}\n\n', 'data: fault text\n\n'],
  ['event:error\ndata: text\n\n', 'data: fault text\n\n'],
  ['event: error\ndata: null\n\n', 'data: fault \n\n'],
  ['\uFEFFdata: {"error":"text"}\n\n', 'data: fault text\n\n'],
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
  expect(all).toBe('data: 1\n\ndata: fault the raw text\n\n');
});
