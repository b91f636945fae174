import { type ServerResponse } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { seeded } from './faults/numbers';
import { platformKey, startTestApp, type TestApp } from './support/app';
import { type NextAnswer } from './support/provider-server';
import { until } from './support/until';
import { usageRecords } from './support/usage';

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const messages = [{ role: 'user', content: 'one two three four five six' }];
const form = (fields: string, file: string) =>
  `${fields}--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n${file}\r\n--b--\r\n`;
const modelField = '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper\r\n';
const requests: readonly [path: string, type: string, body: string][] = [
  ['chat/completions', 'application/json', JSON.stringify({ model: 'gpt-4o', messages, stream: true })],
  ['chat/completions', 'application/json', JSON.stringify({ model: 'gpt-4o', messages })],
  [
    'chat/completions',
    'application/json',
    JSON.stringify({ model: 'claude-sonnet', messages, stream: true }),
  ],
  ['chat/completions', 'application/json', JSON.stringify({ model: 'claude-sonnet', messages })],
  [
    'messages',
    'application/json',
    JSON.stringify({ model: 'gpt-4o', messages, max_tokens: 9, stream: true }),
  ],
  [
    'audio/speech',
    'application/json',
    JSON.stringify({ model: 'gpt-4o-mini-tts', input: 'a', voice: 'alloy' }),
  ],
  ['audio/transcriptions', 'multipart/form-data; boundary=b', form(modelField, 'x'.repeat(2_000_000))],
  ['audio/transcriptions', 'multipart/form-data; boundary=b', form(modelField, 'x')],
];

/** How a client disconnects: it closes, resets, or half-closes its connection. */
const leaving: readonly ((socket: Socket) => void)[] = [
  (socket) => socket.destroy(),
  (socket) => socket.resetAndDestroy(),
  (socket) => {
    socket.end();
    setTimeout(() => socket.destroy(), 500).unref();
  },
];

/** Longer than a test runs, so a call finishes only if it is aborted. */
const never = 120_000;

describe('a call in flight', () => {
  let tenkey: TestApp;
  let tenant: string;
  let port: number;
  beforeAll(async () => {
    tenkey = await startTestApp({
      LOG_LEVEL: 'info',
      SHUTDOWN_SECONDS: '60',
      UPSTREAM_TIMEOUTS:
        'mistral.first_byte=0.5,ovhcloud.idle=0.5,anthropic.idle=0.5,vllm.connect=0.5,openai.first_byte=60,openai.idle=60',
    });
    tenant = await tenkey.createTenant();
    for (const provider of ['openai', 'anthropic', 'mistral', 'ovhcloud'])
      await tenkey.setCredential(tenant, provider, { api_key: `sk-in-flight-key-of-${provider}` });
    ({ port } = tenkey.nest.getHttpServer().address() as { port: number });
  });
  beforeEach(() => tenkey.provider.reset());
  afterAll(async () => {
    const asked = Date.now();
    await tenkey.close();
    // A stop waits up to 60 s for running calls, so none was running.
    expect(Date.now() - asked).toBeLessThan(20_000);
  });

  const logged = () => tenkey.logLines.filter((line) => line.includes('"msg":"request"')).length;

  function ask([path, type, body]: (typeof requests)[number]): Socket {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    const head = [
      `POST /v1/${path} HTTP/1.1`,
      'host: tenkey.test',
      'connection: close',
      `x-api-key: ${platformKey}`,
      `x-tenant-id: ${tenant}`,
      `content-type: ${type}`,
      `content-length: ${Buffer.byteLength(body)}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    return socket;
  }

  const pipelined = (paths: readonly (typeof requests)[number][]) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    const heads = `host: tenkey.test\r\nx-api-key: ${platformKey}\r\nx-tenant-id: ${tenant}`;
    socket.write(
      paths
        .map(
          ([path, type, body]) =>
            `POST /v1/${path} HTTP/1.1\r\n${heads}\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        )
        .join(''),
    );
    return socket;
  };
  const since = () => `&tenant_id=${tenant}&since=${new Date().toISOString()}`;

  it('starts in its turn when it waits behind another on its connection, and never after its client disconnected', async () => {
    const [stream, whole] = requests as [(typeof requests)[number], (typeof requests)[number]];
    const first = since();
    const staying = pipelined([whole, stream, whole]);
    let text = '';
    staying.on('data', (bytes) => (text += bytes.toString()));
    await until(() => (text.match(/HTTP\/1\.1 200/g) ?? []).length === 3, 'the third response');
    await usageRecords(tenkey, 3, first);
    staying.destroy();

    tenkey.provider.reset();
    const second = since();
    const lines = () => tenkey.logLines.filter((line) => line.includes('"path":"/v1/chat/completions"'));
    const before = lines().length;
    tenkey.provider.next({ chunkDelayMs: never });
    const leaving = pipelined([stream, ...Array.from({ length: 40 }, () => whole)]);
    await until(() => tenkey.provider.requests.length === 1, 'the first call');
    await wait(200);
    leaving.resetAndDestroy();
    await until(() => tenkey.provider.calls.open === 0, 'the end of the first call');
    await usageRecords(tenkey, 1, second);
    await wait(200);
    expect([tenkey.provider.requests.length, lines().length - before]).toEqual([1, 1]);
  });

  it.each([1, 20, 300])(
    'leaves nothing behind, tried with 100 clients that disconnect at random (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
      const behaviours: (() => NextAnswer)[] = [
        () => ({}),
        () => ({ delayMs: random() * 100, chunkDelayMs: random() * 40 }),
        () => ({ chunkDelayMs: never }),
        () => ({ delayMs: never }),
        () => ({ readAfter: wait(random() * 400) }),
        // Longer than any client stays. A server that does not read does not notice that its peer has disconnected.
        () => ({ readAfter: wait(4000) }),
        () => ({ status: 503 }),
      ];
      const behave = () => {
        for (let each = 0; each < 200; each++) tenkey.provider.next(pick(behaviours)());
      };
      // A client that disconnects immediately may never have sent a complete request head.
      const ours = { begun: 0, over: 0 };
      const count = (_: unknown, response: ServerResponse) => {
        ours.begun += 1;
        response.once('close', () => (ours.over += 1));
      };
      const server = tenkey.nest.getHttpServer();
      // The lines of the previous round are written when its connections are closed.
      for (let last = -1; last !== logged(); await wait(300)) last = logged();
      server.on('request', count);
      const before = logged();
      const moments = { beforeHead: 0, duringAnswer: 0, whole: 0 };
      const call = async () => {
        await wait(random() * 500);
        const socket = ask(pick(requests));
        let text = '';
        socket.on('data', (part: Buffer) => (text += part.toString('latin1')));
        const first = (event: string) => new Promise((resolve) => socket.once(event, resolve));
        const whole = first('end');
        const closed = first('close');
        const anyTime = random() * 2500;
        const soonAfterHead = random() * 60;
        const moment = random() < 0.5 ? wait(anyTime) : first('data').then(() => wait(soonAfterHead));
        await Promise.race([whole, moment, wait(2500)]);
        moments[socket.readableEnded ? 'whole' : text === '' ? 'beforeHead' : 'duringAnswer'] += 1;
        pick(leaving)(socket);
        await closed;
      };
      const { calls: upstream } = tenkey.provider;
      // On a slow machine, most clients leave before their call has reached the provider. More of them follow then.
      const reachesEachMoment = () =>
        upstream.begun > 20 && upstream.aborted > 5 && Object.values(moments).every((count) => count > 0);
      for (let round = 0; round === 0 || (round < 8 && !reachesEachMoment()); round += 1) {
        behave();
        await Promise.all(Array.from({ length: 100 }, call));
      }
      await until(
        () => ours.over === ours.begun && logged() - before === ours.begun,
        'every call has finished in Tenkey and has its line in the log',
      );
      await until(() => upstream.open === 0, 'every call has finished at the provider');
      expect(upstream.begun).toBeGreaterThan(20);
      expect(upstream.aborted).toBeGreaterThan(5);
      for (const calls of Object.values(moments)) expect(calls).toBeGreaterThan(0);
      expect([ours.begun > 40, logged() - before]).toEqual([true, ours.begun]);
      server.off('request', count);
      const connections = () =>
        new Promise<number>((resolve) =>
          tenkey.nest.getHttpServer().getConnections((_: unknown, count: number) => resolve(count)),
        );
      await until(async () => (await connections()) === 0, 'every connection of a client is closed');
      expect(tenkey.logLines.filter((line) => line.includes('internal_error'))).toEqual([]);
      tenkey.provider.reset();
      expect((await tenkey.chat(tenant)).status).toBe(200);
      expect((await tenkey.chat(tenant, { model: 'claude-sonnet' })).status).toBe(200);
    },
    120_000,
  );

  it.each([
    ['first byte', { model: 'mistral-large' }, { delayMs: never }],
    ['first byte of a stream', { model: 'mistral-large', stream: true }, { delayMs: never }],
    ['end of a response that is translated', { model: 'claude-sonnet' }, { flow: stalling('{"id":"m",') }],
  ])('gets 504 upstream_timeout when the provider withholds its %s', async (_, body, next) => {
    tenkey.provider.next(next);
    const answer = await tenkey.chat(tenant, body);
    expect([answer.status, answer.body.error.code]).toEqual([504, 'upstream_timeout']);
    await until(() => tenkey.provider.calls.open === 0, 'the provider’s call has finished');
  });

  it('gets 504 upstream_timeout when the provider does not complete the connection', async () => {
    // TLS is a part of connecting, and this server never responds to the first message of the handshake.
    const silent = createServer((socket) => void socket.on('error', () => undefined));
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
    const address = silent.address() as { port: number };
    const other = await startTestApp({
      EGRESS_ALLOW: `127.0.0.1:${address.port}`,
      UPSTREAM_TIMEOUTS: 'vllm.connect=0.5',
    });
    try {
      const its = await other.createTenant();
      const endpoint = `https://127.0.0.1:${address.port}`;
      await other.setCredential(its, 'vllm', { api_key: 'sk-key-for-nobody', endpoint });
      const answer = await other.chat(its, { model: 'gemma-vllm' });
      expect([answer.status, answer.body.error.code]).toEqual([504, 'upstream_timeout']);
    } finally {
      await other.close();
      silent.close();
    }
  });

  it.each([
    ['llama-ovhcloud', 'data: '],
    ['claude-sonnet', 'data: '],
  ])('gets upstream_timeout as the last event of a stream that falls silent: %s', async (model, prefix) => {
    tenkey.provider.next({ chunkDelayMs: never });
    const answer = await tenkey.chat(tenant, { model, stream: true });
    const events = answer.text.trim().split('\n\n');
    expect(events).toHaveLength(2);
    expect(JSON.parse(events[1]!.slice(prefix.length)).error.code).toBe('upstream_timeout');
    await until(() => tenkey.provider.calls.open === 0, 'the provider’s call has finished');
  });

  it('has the time-outs of its own provider', async () => {
    tenkey.provider.next({ delayMs: 1500 });
    expect((await tenkey.chat(tenant)).status).toBe(200);
    tenkey.provider.next({ chunkDelayMs: 600 });
    const answer = await tenkey.chat(tenant, { model: 'mistral-large', stream: true });
    expect(answer.text).toContain('data: [DONE]');
    await until(() => tenkey.provider.calls.open === 0, 'the provider’s call has finished');
  });

  it.each([
    ['gpt-4o', 'chat/completions'],
    ['claude-sonnet', 'chat/completions'],
    ['gpt-4o', 'messages'],
  ])('receives the first event of a stream before the last is sent: %s by %s', async (model, path) => {
    tenkey.provider.next({ chunkDelayMs: 100 });
    const asked = fetch(`http://127.0.0.1:${port}/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
      body: JSON.stringify({ model, messages, max_tokens: 9, stream: true }),
    });
    const reader = (await asked).body!.getReader();
    const first = await reader.read();
    expect(Buffer.from(first.value).toString()).toMatch(/^(event: message_start\n)?data: \{/);
    expect(tenkey.provider.calls).toMatchObject({ begun: 1, open: 1 });
    for (let each = first; !each.done;) each = await reader.read();
    await until(() => tenkey.provider.calls.open === 0, 'the provider’s call has finished');
    expect(tenkey.provider.calls.aborted).toBe(0);
  });

  it('holds no connection for a refusal with an endless body, retried or not', async () => {
    const flow = stalling('{"error":');
    tenkey.provider.next({ status: 503, flow });
    expect((await tenkey.chat(tenant)).status).toBe(200);
    tenkey.provider.next({ status: 400, flow });
    expect((await tenkey.chat(tenant)).status).toBe(400);
    await until(() => tenkey.provider.calls.open === 0, 'the provider’s calls have finished');
    expect(tenkey.provider.calls).toMatchObject({ begun: 3, aborted: 2 });
  });

  it('is not retried once its key was replaced: neither the old nor the new key is sent', async () => {
    const other = await tenkey.createTenant();
    const versionOf = (answer: { headers: Record<string, string> }) => answer.headers['x-tenkey-credential'];
    await tenkey.setCredential(other, 'openai', { api_key: 'sk-first-key-of-a-tenant-aaaa' });
    const before = versionOf(await tenkey.chat(other));
    tenkey.provider.reset();
    tenkey.provider.next({ status: 503, headers: { 'retry-after': '1' } });
    const running = tenkey.chat(other).then((answer) => answer);
    await until(() => tenkey.provider.requests.length === 1, 'the first try');
    const replaced = await tenkey.setCredential(other, 'openai', {
      api_key: 'sk-second-key-of-a-tenant-bbbb',
    });
    expect(replaced.status).toBe(200);
    const answer = await running;
    expect([answer.status, versionOf(answer)]).toEqual([502, before]);
    expect(answer.body.error.code).toBe('upstream_unavailable');
    const after = await tenkey.chat(other);
    expect(tenkey.provider.requests.map(({ key }) => key)).toEqual([
      'sk-first-key-of-a-tenant-aaaa',
      'sk-second-key-of-a-tenant-bbbb',
    ]);
    const number = (receipt = '') => Number(/\/v(\d+)$/.exec(receipt)?.[1]);
    expect(number(versionOf(after))).toBeGreaterThan(number(before));
  });

  it('is not retried once the policy of its tenant does not allow the provider any more', async () => {
    const other = await tenkey.createTenant();
    await tenkey.setCredential(other, 'openai', { api_key: 'sk-key-of-a-tenant-with-a-policy' });
    tenkey.provider.reset();
    tenkey.provider.next({ status: 503, headers: { 'retry-after': '1' } });
    const running = tenkey.chat(other).then((answer) => answer);
    await until(() => tenkey.provider.requests.length === 1, 'the first try');
    await tenkey
      .sysadmin('patch', `/tenants/${other}`)
      .send({ allowed_providers: ['mistral'] })
      .expect(200);
    expect((await running).body.error.code).toBe('upstream_unavailable');
    expect(tenkey.provider.requests).toHaveLength(1);
  });
});

/** A part of a JSON body, after which nothing follows. */
function stalling(text: string): NextAnswer['flow'] {
  return { type: 'application/json', parts: [Buffer.from(text)], isEndless: true };
}
