import { PassThrough, Readable } from 'node:stream';
import { Problem } from '#http';
import { openAiCompatible } from '../../../test/fixtures/recorded-answers/openai-compatible';
import { EventRelay, ReadableBody } from '#egress';
import { fedAtOnce, feed, noStage, relayedBy } from '../../../test/support/feed';
import { HiddenUsage } from './hidden-usage';
import { relay } from './relay';

const events = { 'content-type': 'text/event-stream' };
function withHiddenUsage(body: Readable): ReadableBody {
  let readable!: ReadableBody;
  feed(body, (source) => {
    readable = new ReadableBody(source, () => body.destroy());
    return new EventRelay([new HiddenUsage()], readable, source);
  });
  return readable;
}

/** What passes of a whole stream. */
function passed(parts: readonly Buffer[]): string {
  return fedAtOnce(parts, (sink, source) => new EventRelay([new HiddenUsage()], sink, source)).text;
}

const usage = 'data: {"id":"c","choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10}}\n\n';
const spaced = 'data: { "choices" : [ ] ,\ndata: "usage" : { "a": {} } }\n\n';
const others = [
  'data: {"choices":[],"prompt_filter_results":[{"content_filter_results":{}}]}\n\n',
  ': keep-alive, "usage" "choices":[]\n\n',
  'event: x\ndata: {"choices":[{"delta":{"content":"ä"}}],"usage":null}\n\n',
  'data: {"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}\n\n',
  'data: {"choices":[],"usage":null}\n\n',
  'data: {"choices":[],"usage":7}\n\n',
  'data: {"choices":{},"usage":{}}\n\n',
  'data: {"usage":{"prompt_tokens":1}}\n\n',
  'data: {"choices":[],"usage":{},"error":{"message":"no"}}\n\n',
  'data: {"choices":[{"delta":{"content":"{\\"choices\\":[],\\"usage\\":{}}"}}]}\n\n',
  'data: {"a":{"choices":[],"usage":{}}}\n\n',
  'data: {"choices":[],"usage":{}\n\n',
  'data: [{"choices":[],"usage":{}}]\n\n',
  'data: null\n\n',
  'data: [DONE]\n\n',
];
const all = others.map((other) => usage + other + spaced).join('');
const withoutNulls = others.join('').replaceAll(',"usage":null', '');

test.each(['\n', '\r\n', '\r'])(
  'only the usage is hidden, wherever the stream is cut, with line ends %j',
  (end) => {
    const bytes = Buffer.from(all.replaceAll('\n', end));
    const expected = withoutNulls.replaceAll('\n', end);
    const faults: number[] = [];
    for (let at = 0; at <= bytes.length; at += 1) {
      if (passed([bytes.subarray(0, at), bytes.subarray(at)]) !== expected) faults.push(at);
    }
    expect(faults).toEqual([]);
    expect(passed(Array.from(bytes, (byte) => Buffer.of(byte)))).toBe(expected);
  },
);

test.each(Object.entries(openAiCompatible))(
  '%s: a recorded stream loses only its usage and nulls',
  (id, { stream }) => {
    const lines = /data: \{[^\n]*"choices":\[\],"usage":\{[^\n]*\n\n|,"usage":null/g;
    const expected = stream.replace(lines, '');
    expect([id, expected !== stream]).toEqual([id, ['openai', 'berget', 'vllm', 'together'].includes(id)]);
    const bytes = Buffer.from(stream);
    for (let at = 0; at <= bytes.length; at += 7) {
      expect(passed([bytes.subarray(0, at), bytes.subarray(at)])).toBe(expected);
    }
  },
);

test.each([
  ['no blank line at the end', `data: 1\n\n${usage.trimEnd()}`, 'data: 1\n\n'],
  ['an incomplete event at the end', 'data: 1\n\ndata: {"choices":[],"usage":{"a"', undefined],
  ['nothing but usage', usage, ''],
  ['a byte order mark', '\uFEFFdata:{"usage":null}\n\n', '\uFEFFdata:{}\n\n'],
  ['a null on several lines', 'data: {"choices":[1],\ndata: "usage":null}\n\n', undefined],
  ['two data lines, one with the usage', 'data: 1\ndata: {"choices":[],"usage":{}}\n\n', undefined],
  ['no blank line after a null', 'data: {"usage":null}', 'data: {}'],
  ['nothing', '', ''],
  ['blank lines around the usage', `\n\n\n${usage}\n`, '\n\n\n\n'],
])('%s', (_name, text, expected) => {
  expect(passed([Buffer.from(text)])).toBe(expected ?? text);
});

test('an event is passed on as soon as it is complete', async () => {
  const source = new PassThrough();
  const body = withHiddenUsage(source);
  const parts: string[] = [];
  body.on('data', (part: Buffer) => parts.push(part.toString()));
  const passedOn = async (text: string) => {
    source.write(text);
    await new Promise(setImmediate);
    return parts.splice(0).join('');
  };
  expect(await passedOn('data: 1\n\ndata: 2')).toBe('data: 1\n\n');
  expect(await passedOn('\n')).toBe('');
  expect(await passedOn('\n')).toBe('data: 2\n\n');
  expect(await passedOn(usage.slice(0, 30))).toBe('');
  expect(await passedOn(usage.slice(30))).toBe('');
  expect(await passedOn('data: [DONE]\n\n')).toBe('data: [DONE]\n\n');
  body.destroy();
  expect(source.destroyed).toBe(true);
});

test.each([
  ['JSON', { 'content-type': 'application/json' }],
  ['a compressed stream', { ...events, 'content-encoding': 'gzip' }],
])('%s passes unchanged', async (_name, headers) => {
  const text = `data: 1\n\n${usage}`;
  const { body } = await relayedBy(
    relay,
    {
      usage: noStage,
      translation: undefined,
      hidesUsage: true,
      operation: 'chat/completions',
      heartbeat: undefined,
      model: 'm',
      request: {},
      label: 'Testing',
    },
    { headers, body: Readable.from([Buffer.from(text)]) },
  );
  expect((await body.toArray()).join('')).toBe(text);
});

test('an error comes after the whole events before it', async () => {
  const fault = new Problem('upstream_unavailable');
  const source = new PassThrough();
  const body = withHiddenUsage(source);
  source.write(`data: 1\n\n${usage}data: 2\n\ndata: 3`);
  const parts: string[] = [];
  await expect(
    (async () => {
      for await (const part of body as AsyncIterable<Buffer>) {
        parts.push(part.toString());
        source.destroy(fault);
      }
    })(),
  ).rejects.toBe(fault);
  expect(parts).toEqual(['data: 1\n\ndata: 2\n\n']);
});

test('an error of a response that is not being read does not stop the process', async () => {
  const source = new PassThrough();
  const body = withHiddenUsage(source);
  source.destroy(new Problem('upstream_unavailable'));
  await new Promise(setImmediate);
  await expect(body.toArray()).rejects.toMatchObject({ code: 'upstream_unavailable' });
});

test('an event that is too long to hold passes, and memory is bounded', async () => {
  const megabyte = Buffer.alloc(1024 * 1024, 'x');
  const source = new PassThrough();
  const body = withHiddenUsage(source);
  let bytes = 0;
  body.on('data', (part: Buffer) => (bytes += part.length));
  source.write('data: {"choices":[],"usage":{"a":"');
  for (let at = 0; at < 20; at += 1) {
    source.write(megabyte);
    await new Promise(setImmediate);
  }
  expect(bytes).toBeGreaterThan(16 * megabyte.length);
  const before = bytes;
  source.end(`"}}\n\n${usage}data: [DONE]\n\n`);
  await new Promise((done) => body.once('end', done));
  expect(bytes - before).toBe(20 * megabyte.length + 34 - before + '"}}\n\ndata: [DONE]\n\n'.length);
});
