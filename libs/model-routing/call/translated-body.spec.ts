import { PassThrough, Readable } from 'node:stream';
import { Problem } from '#http';
import { fedAtOnce, noStage, relayedBy, type StreamedResponse } from '../../../test/support/feed';
import { relay, type RelayPlan } from './relay';
import { type Operation, ProviderRegistry, serviceOf, type Translation } from '#providers';

const spoken = 'Å, 日本 and 🦭';

function translationOf(provider: string, operation: Operation): Translation {
  const found = new ProviderRegistry().find(provider);
  const translation = found && serviceOf(found, operation)?.translation;
  if (translation === undefined) throw new Error(`${provider} needs no translation for ${operation}`);
  return translation;
}

const named = (type: string, fields: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const chunk = (fields: object) =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', ...fields })}\n\n`;
const part = (delta: object, finish_reason: string | null = null) =>
  chunk({ choices: [{ index: 0, delta, finish_reason }] });
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

/** What a provider sends in each of the formats, whole and streamed. */
const sent = {
  messages: {
    operation: 'messages' as const,
    stream: [
      named('message_start', {
        message: { id: 'm1', role: 'assistant', content: [], usage: { input_tokens: 3 } },
      }),
      ': keep-alive\n\n',
      named('ping', {}),
      named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: spoken } }),
      // Data of two lines is one text with a line feed between (WHATWG HTML, 9.2.6).
      'event: content_block_stop\nid: 7\ndata: {"type":"content_block_stop",\ndata: "index":0}\n\n',
      named('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } }),
      named('message_stop', {}),
    ].join(''),
    whole: { id: 'm1', type: 'message', content: [{ type: 'text', text: spoken }], stop_reason: 'end_turn' },
    errorEvent: named('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }),
  },
  chat: {
    operation: 'chat/completions' as const,
    stream: [
      ': OPENROUTER PROCESSING\n\n',
      part({ role: 'assistant', content: '' }),
      part({ content: spoken }),
      `data:${JSON.stringify({ id: 'c1', choices: [] })}\nretry: 10\n\n`,
      part({}, 'stop'),
      chunk({ choices: [], usage }),
      'data: [DONE]\n\n',
    ].join(''),
    whole: {
      id: 'c1',
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: spoken }, finish_reason: 'stop' }],
      usage,
    },
    errorEvent: 'data: {"error":{"message":"Overloaded"}}\n\n',
  },
};
const chatRequest = {
  messages: [{ role: 'user', content: 'Hi' }],
  max_tokens: 9,
  stream_options: { include_usage: true },
};
const lastOfResponse = /event: response\.completed\ndata: [^\n]+\n\n$/;
const dialects = {
  'messages for a client of chat/completions': {
    ...sent.messages,
    translation: translationOf('anthropic', 'chat/completions'),
    request: chatRequest,
    last: /data: \[DONE\]\n\n$/,
  },
  'chat/completions for a client of messages': {
    ...sent.chat,
    translation: translationOf('openai', 'messages'),
    request: chatRequest,
    last: /event: message_stop\ndata: \{"type":"message_stop"\}\n\n$/,
  },
  'messages for a client of responses': {
    ...sent.messages,
    translation: translationOf('anthropic', 'responses'),
    request: { input: 'Hi' },
    last: lastOfResponse,
  },
  'chat/completions for a client of responses': {
    ...sent.chat,
    translation: translationOf('berget', 'responses'),
    request: { input: 'Hi' },
    last: lastOfResponse,
  },
};
type Dialect = (typeof dialects)[keyof typeof dialects];
const each = Object.entries(dialects) as [string, Dialect][];

const planOf = ({ translation, operation, request }: Dialect): RelayPlan => ({
  usage: noStage,
  translation,
  operation,
  hidesUsage: false,
  model: 'requested',
  request: translation.encode(request, 'upstream').forResponse,
  label: 'Testing',
  heartbeat: undefined,
});
/** Two calls differ only in the second at which they started. */
const timeless = (text: string) => text.replace(/"created(_at)?":\d+/g, '"created$1":0');
const translatedResponse = (dialect: Dialect, response: StreamedResponse) =>
  relayedBy(relay, planOf(dialect), response);

function upstream(body: Readable, type = 'text/event-stream'): StreamedResponse {
  return { headers: { 'content-type': type }, body };
}

/** What the client receives, and the error that stopped it, if any. */
async function relayed(dialect: Dialect, source: Readable): Promise<{ text: string; error?: unknown }> {
  const { body } = await translatedResponse(dialect, upstream(source));
  let text = '';
  try {
    for await (const piece of body as AsyncIterable<Buffer>) text += piece.toString();
  } catch (error) {
    return { text, error };
  }
  return { text: timeless(text) };
}

/** The same for an event stream, at once: for every cut of it. */
function relayedAtOnce(dialect: Dialect, parts: readonly Buffer[]): { text: string; error?: Error } {
  const result = fedAtOnce(parts, (sink, source) =>
    relay({ head: () => sink, fail: () => undefined }, planOf(dialect)).head({
      status: 200,
      headers: upstream(new PassThrough()).headers,
      source,
      problemOf: () => new Problem('upstream_unavailable'),
      withoutKey: (each) => each,
    }),
  );
  return { ...result, text: timeless(result.text) };
}

const inParts = (...parts: Buffer[]) => Readable.from(parts.filter((piece) => piece.length > 0));
const ticks = () => new Promise((resolve) => setTimeout(resolve, 20));

const rejections: unknown[] = [];
const note = (reason: unknown) => void rejections.push(reason);
beforeAll(() => process.on('unhandledRejection', note));
afterAll(() => process.off('unhandledRejection', note));
afterEach(async () => {
  await ticks();
  expect(rejections).toEqual([]);
});

const lineEnds = { LF: '\n', 'CR LF': '\r\n', CR: '\r' };

describe.each(each)('%s', (_, dialect) => {
  let expected: string;
  beforeAll(async () => {
    expected = (await relayed(dialect, inParts(Buffer.from(dialect.stream)))).text;
    expect(expected).toContain(spoken);
    expect(expected).toMatch(dialect.last);
  });

  it.each(Object.entries(lineEnds))(
    'cut at any byte, with %s line ends, the client receives the same',
    (__, end) => {
      const bytes = Buffer.from(dialect.stream.replaceAll('\n', end));
      for (let at = 0; at <= bytes.length; at++) {
        const relayedParts = relayedAtOnce(dialect, [bytes.subarray(0, at), bytes.subarray(at)]);
        if (relayedParts.text !== expected)
          throw new Error(`cut at byte ${at}: ${JSON.stringify(relayedParts)}`);
      }
    },
  );

  it.each(Object.entries(lineEnds))(
    'so it does byte by byte, with %s line ends, after a byte order mark and without a last blank line',
    (__, end) => {
      const text = `\uFEFF${dialect.stream.trimEnd()}`.replaceAll('\n', end);
      for (const stream of [text, text + end, text + end + end]) {
        const bytes = Array.from(Buffer.from(stream), (byte) => Buffer.from([byte]));
        expect(relayedAtOnce(dialect, bytes)).toEqual({ text: expected });
      }
    },
  );

  it('passes each event to the client as it arrives', async () => {
    const source = new PassThrough();
    const { body } = await translatedResponse(dialect, upstream(source));
    let text = '';
    body.on('data', (piece: Buffer) => (text += piece.toString()));
    for (const event of dialect.stream.split(/(?<=\n\n)/)) {
      source.write(event);
      await ticks();
      if (event.includes(spoken)) break;
    }
    expect(text).toContain(spoken);
    expect(expected.startsWith(timeless(text))).toBe(true);
    body.destroy();
  });

  it.each([
    ['an error event', dialect.errorEvent, 'Testing reported: Overloaded'],
    ['data that is not JSON', 'data: <html>\n\n', 'broke off its response or sent one'],
    ['truncated JSON at the end', 'data: {"choices":[{"ind', 'broke off its response or sent one'],
    ['an end before the last event', '', 'ended its response before the answer was complete'],
    [
      'bytes that are not text',
      Buffer.from([0xff, 0xfe, 0x0a, 0x0a]),
      'ended its response before the answer was complete',
    ],
  ])(
    '%s: the client receives what came before and one Problem, and the body is destroyed',
    async (__, fault, detail) => {
      const events = dialect.stream.split(/(?<=\n\n)/);
      const before = events.slice(0, events.findIndex((event) => event.includes(spoken)) + 1).join('');
      const source = inParts(Buffer.concat([Buffer.from(before), Buffer.from(fault)]));
      const { text, error } = await relayed(dialect, source);
      expect(text).toContain(spoken);
      expect(error).toBeInstanceOf(Problem);
      expect((error as Problem).code).toBe('upstream_unavailable');
      expect((error as Problem).message).toContain(detail);
      await ticks();
      expect(source.destroyed).toBe(true);
    },
  );

  it.each([
    ['an endless line', () => Buffer.alloc(1024 * 1024, 'x')],
    ['an endless event', () => Buffer.from(`data: ${'x'.repeat(1024)}\n`.repeat(1024))],
    ['an endless event name', () => Buffer.from(`event: ${'x'.repeat(1024 * 1024)}`)],
  ])('%s is read only up to a limit', async (__, piece) => {
    let read = 0;
    const source = Readable.from(
      (function* () {
        for (; read < 1024; read++) yield piece();
      })(),
    );
    const { error } = await relayed(dialect, source);
    expect((error as Problem).code).toBe('upstream_unavailable');
    expect(read).toBeLessThan(40);
    await ticks();
    expect(source.destroyed).toBe(true);
  });

  it.each([
    ['that is truncated', (text: string) => [text.slice(0, -5)]],
    ['that is not an object', () => ['[]']],
    ['that is not JSON', () => ['<html>']],
    ['that is empty', () => []],
    ['that is endless', () => Array.from({ length: 100 }, () => ' '.repeat(1024 * 1024))],
  ])('a whole response %s is one Problem', async (__, parts) => {
    const source = Readable.from(parts(JSON.stringify(dialect.whole)).map((text) => Buffer.from(text)));
    const response = translatedResponse(dialect, upstream(source, 'application/json'));
    await expect(response).rejects.toMatchObject({ code: 'upstream_unavailable' });
    await ticks();
    expect(source.destroyed).toBe(true);
  });

  it('a whole response, cut at any byte, is the same', async () => {
    const bytes = Buffer.from(JSON.stringify(dialect.whole));
    for (let at = 0; at <= bytes.length; at++) {
      const source = upstream(inParts(bytes.subarray(0, at), bytes.subarray(at)), 'application/json');
      const { body, headers } = await translatedResponse(dialect, source);
      expect(headers['content-type']).toBe('application/json');
      expect((await body.toArray()).join('')).toContain(JSON.stringify(spoken));
    }
  });

  it.each([
    ['before anything arrives', 0],
    ['while the provider is silent', 3],
  ])("a client that disconnects %s closes the provider's body at once", async (__, events) => {
    const source = new PassThrough();
    const { body } = await translatedResponse(dialect, upstream(source));
    body.on('data', () => undefined);
    source.write(
      dialect.stream
        .split(/(?<=\n\n)/)
        .slice(0, events)
        .join(''),
    );
    await ticks();
    const closed = new Promise((resolve) => body.once('close', resolve));
    body.destroy();
    await ticks();
    expect(source.destroyed).toBe(true);
    await closed;
  });

  it("a client that disconnects before it reads closes the provider's body, and so does one that stops reading", async () => {
    const unread = new PassThrough();
    (await translatedResponse(dialect, upstream(unread))).body.destroy();
    const full = inParts(...Array.from({ length: 1000 }, () => Buffer.from(dialect.stream)));
    const { body } = await translatedResponse(dialect, upstream(full));
    for await (const piece of body) {
      void piece;
      break;
    }
    await ticks();
    expect([unread.destroyed, full.destroyed]).toEqual([true, true]);
  });

  it("an error of the provider's body before it is read does not stop the process", async () => {
    const source = new PassThrough();
    const problem = new Problem('upstream_timeout', { detail: 'It took too long.' });
    const { body } = await translatedResponse(dialect, upstream(source));
    source.destroy(problem);
    await ticks();
    await expect(body.toArray()).rejects.toBe(problem);
  });

  it('a response that is compressed although the request did not allow it is one Problem', async () => {
    const source = inParts(Buffer.from('never read'));
    const response = upstream(source);
    const compressed = { ...response, headers: { ...response.headers, 'content-encoding': 'gzip' } };
    await expect(translatedResponse(dialect, compressed)).rejects.toMatchObject({
      code: 'upstream_unavailable',
    });
    expect(source.destroyed).toBe(true);
  });

  it("an error of the provider's body reaches the client unchanged", async () => {
    const source = new PassThrough();
    const problem = new Problem('upstream_timeout', { detail: 'It took too long.' });
    source.write(dialect.stream.slice(0, 10));
    const relaying = relayed(dialect, source);
    await ticks();
    source.destroy(problem);
    expect((await relaying).error).toBe(problem);
  });
});

// The limit is the same for every dialect, and a quarter of a GiB takes a while.
test('an endless stream of events is read only up to a limit', async () => {
  const dialect = dialects['chat/completions for a client of messages'];
  const comments = Buffer.from(`: ${'x'.repeat(64 * 1024)}\n\n`.repeat(64));
  let read = 0;
  const source = Readable.from(
    (function* () {
      for (; read < 1024; read++) yield comments;
    })(),
  );
  expect((await relayed(dialect, source)).error).toMatchObject({ code: 'upstream_unavailable' });
  expect(read).toBeLessThan(80);
});

test('an answer that the provider has completed, but that cannot be translated, is an error wherever it is cut', () => {
  const call = { index: 0, id: 'a', function: { arguments: '{}' } };
  const events = [part({ tool_calls: [call] }), part({}, 'tool_calls'), 'data: [DONE]\n\n'];
  const bytes = Buffer.from(events.join(''));
  const dialect = dialects['chat/completions for a client of messages'];
  for (let at = 0; at <= bytes.length; at += 1) {
    const { text, error } = relayedAtOnce(dialect, [bytes.subarray(0, at), bytes.subarray(at)]);
    expect([error?.message.includes('cannot be read'), text.includes('message_stop')]).toEqual([true, false]);
  }
});
