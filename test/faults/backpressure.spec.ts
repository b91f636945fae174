import { createHash, type Hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describeWithApp, platformKey, startTestApp } from '../support/app';
import { memory } from '../support/memory';
import { until } from '../support/until';
import { FaultRow } from './fault-rows';

const mega = 1024 * 1024;
const total = 100 * mega;
/** The most that the two connections between provider, Tenkey and client may hold, and the buffers of each program. */
const heldBytes = 2 * socketBytes() + 8 * mega;
const grownBytes = 32 * mega;

/** The kernel lets the buffers of a fast connection grow up to a limit that differs from machine to machine. */
function socketBytes(): number {
  const limitOf = (name: string) => {
    const file = `/proc/sys/net/ipv4/${name}`;
    return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\t').at(-1)) : 6 * mega;
  };
  return limitOf('tcp_rmem') + limitOf('tcp_wmem');
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves when the number has not changed for half a second. */
async function settled(of: () => number): Promise<number> {
  let last = of();
  for (let unchanged = 0; unchanged < 5;) {
    await wait(100);
    unchanged = of() === last ? unchanged + 1 : 0;
    last = of();
  }
  return last;
}

const padding = randomBytes(48 * 1024).toString('base64');
/** Parts that all differ, so that a lost, duplicated or misplaced one is noticed. */
function* numbered(part: (text: string) => string): Generator<Buffer> {
  for (let sent = 0, index = 0; sent < total; index++) {
    const bytes = Buffer.from(part(`${index}:${padding}`));
    sent += bytes.length;
    yield bytes;
  }
}
function* jsonParts(): Generator<Buffer> {
  yield Buffer.from('{"object":"chat.completion","choices":[],"unknown":[');
  yield* numbered((text) => `"${text}",`);
  yield Buffer.from('null]}');
}
const named = (type: string, fields: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
function* anthropicParts(noted: Hash): Generator<Buffer> {
  yield Buffer.from(
    named('message_start', { message: { id: 'm', role: 'assistant', content: [], usage: {} } }),
  );
  yield Buffer.from(named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }));
  yield* numbered((text) => {
    noted.update(text);
    return named('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });
  });
  yield Buffer.from(named('content_block_stop', { index: 0 }));
  yield Buffer.from(
    named('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } }),
  );
  yield Buffer.from(named('message_stop', {}));
}
function* events(): Generator<Buffer> {
  yield* numbered(
    (text) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`,
  );
  yield Buffer.from('data: [DONE]\n\n');
}

/** The same parts. What is sent is noted on its way, because to make 100 MB a second time takes long. */
function* notedIn(noted: Hash, parts: Iterable<Buffer>): Generator<Buffer> {
  for (const part of parts) {
    noted.update(part);
    yield part;
  }
}

/** Each part as a member of one gzip stream (RFC 1952, 2.2). */
function* compressed(parts: Iterable<Buffer>): Generator<Buffer> {
  for (const part of parts) yield gzipSync(part, { level: 0 });
}

// The client pauses for longer than a provider may be silent, which must not count as the provider's silence.
describeWithApp('backpressure', { UPSTREAM_TIMEOUTS: 'idle=1', LOG_LEVEL: 'info' }, (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-the-slow-client' });
    await tenkey.setCredential(tenant, 'anthropic', { api_key: 'sk-ant-key-of-the-slow-client' });
  });
  beforeEach(() => tenkey.provider.reset());

  function post(path: string, type: string): ClientRequest {
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const headers = { 'x-api-key': platformKey, 'x-tenant-id': tenant, 'content-type': type };
    return request({ port, host: '127.0.0.1', path: `/v1/${path}`, method: 'POST', headers });
  }

  async function answerTo(path: string, body: object): Promise<IncomingMessage> {
    const asked = post(path, 'application/json');
    asked.end(JSON.stringify(body));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(200);
    return answer;
  }

  const chat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'go on' }] };
  const sound = { model: 'gpt-4o-mini-tts', input: 'go on', voice: 'alloy' };
  it.each([
    ['a stream of events', 'chat/completions', { ...chat, stream: true }, 'text/event-stream', events],
    ['sound', 'audio/speech', sound, 'audio/mpeg', () => numbered((text) => text)],
    ['a whole response', 'chat/completions', chat, 'application/json', jsonParts],
    ['a compressed response', 'chat/completions', chat, 'application/json', jsonParts, 'gzip'],
  ])(
    'lets a client that does not read %s stop the provider, and what it reads later is complete',
    async (name, path, body, type, parts, encoding = undefined) => {
      const row = new FaultRow(`a client does not read ${name} for seconds: the rest of it`);
      const before = memory();
      const isCompressed = encoding !== undefined;
      const expected = createHash('sha256');
      const noted = notedIn(expected, parts());
      tenkey.provider.next({
        flow: { type, parts: isCompressed ? compressed(noted) : noted },
        headers: isCompressed ? { 'content-encoding': encoding } : {},
      });
      const answer = await answerTo(path, body);
      const sent = await settled(() => tenkey.provider.calls.sentBytes);
      await wait(1000);
      const after = memory();
      expect(sent).toBeLessThan(Math.min(heldBytes, 0.9 * total));
      expect(tenkey.provider.calls.sentBytes).toBe(sent);
      expect(after.used - before.used).toBeLessThan(grownBytes);
      expect(after.resident - before.resident).toBeLessThan(2 * grownBytes);

      row.reached = sent < total ? 1 : 0;
      const received = createHash('sha256');
      const reading = async () => {
        for await (const part of answer as AsyncIterable<Buffer>) received.update(part);
      };
      await row.timed(reading());
      expect(tenkey.provider.calls.sentBytes).toBeGreaterThan(total);
      const isWhole = received.digest('hex') === expected.digest('hex');
      row.wrong = isWhole ? 0 : 1;
      row.report();
      expect(isWhole).toBe(true);
    },
  );

  it('lets a client that does not read a translated stream stop the provider, and what it reads later is complete', async () => {
    const before = memory();
    const expected = createHash('sha256');
    tenkey.provider.next({ flow: { type: 'text/event-stream', parts: anthropicParts(expected) } });
    const answer = await answerTo('chat/completions', { ...chat, model: 'claude-sonnet', stream: true });
    const sent = await settled(() => tenkey.provider.calls.sentBytes);
    const after = memory();
    expect(sent).toBeLessThan(heldBytes);
    expect(after.used - before.used).toBeLessThan(grownBytes);

    const received = createHash('sha256');
    let rest = '';
    for await (const part of answer as AsyncIterable<Buffer>) {
      const whole = (rest + part.toString('latin1')).split('\n\n');
      rest = whole.pop() ?? '';
      for (const event of whole) {
        const text = /"delta":\{"content":"([^"]+)"/.exec(event)?.[1];
        if (text !== undefined) received.update(text);
      }
    }
    expect(tenkey.provider.calls.sentBytes).toBeGreaterThan(total);
    expect(received.digest('hex')).toBe(expected.digest('hex'));
  });

  it('lets a provider that does not read an upload stop the client, and what it reads later is complete', async () => {
    const bytes = 30 * mega;
    const boundary = 'a-boundary';
    const field = (name: string, rest: string) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${rest}\r\n\r\n`;
    let goOn = () => undefined as void;
    tenkey.provider.next({ readAfter: new Promise<void>((resolve) => (goOn = resolve)) });
    const before = memory();
    const asked = post('audio/transcriptions', `multipart/form-data; boundary=${boundary}`);
    asked.write(`${field('model', '')}whisper\r\n${field('file', '; filename="a.wav"')}`);
    const expected = createHash('sha256');
    let sent = 0;
    const sending = (async () => {
      for (let index = 0; sent < bytes; index++) {
        const part = Buffer.from(`${index}:${padding}`);
        expected.update(part);
        if (!asked.write(part)) await once(asked, 'drain');
        sent += part.length;
      }
      asked.end(`\r\n--${boundary}--\r\n`);
    })();
    const held = await settled(() => sent);
    const after = memory();
    expect(tenkey.provider.calls.begun).toBe(1);
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThan(0.75 * bytes);
    expect(after.used - before.used).toBeLessThan(bytes / 2);

    goOn();
    await sending;
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(200);
    answer.resume();
    const { rawBody } = tenkey.provider.requests[0]!;
    const file = rawBody.slice(rawBody.indexOf('0:'), rawBody.lastIndexOf('\r\n--', rawBody.length - 4));
    expect(createHash('sha256').update(file).digest('hex')).toBe(expected.digest('hex'));
  });
});

it('a client that never reads again is disconnected, and the call to the provider is aborted', async () => {
  const tenkey = await startTestApp({
    UPSTREAM_TIMEOUTS: 'idle=1',
    CLIENT_PAUSE_SECONDS: '1',
    LOG_LEVEL: 'info',
  });
  try {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-the-client-that-never-reads' });
    tenkey.provider.next({ flow: { type: 'text/event-stream', parts: events() } });
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const headers = {
      'x-api-key': platformKey,
      'x-tenant-id': tenant,
      'content-type': 'application/json',
    };
    const asked = request({ port, host: '127.0.0.1', path: '/v1/chat/completions', method: 'POST', headers });
    asked.end('{"model":"gpt-4o","stream":true,"messages":[]}');
    await once(asked, 'response');
    asked.on('error', () => undefined);
    await until(() => tenkey.provider.requests[0]?.aborted === true, 'the end of the call');
    asked.destroy();
  } finally {
    await tenkey.close();
  }
});
