import dns from 'node:dns';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describeWithApp, platformKey } from './support/app';
import { memory } from './support/memory';
import { until } from './support/until';

const clients = 20;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describeWithApp('clients that leave', { EGRESS_ALLOW: '127.0.0.1:*', UPSTREAM_RETRIES: '2' }, (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-the-client-that-leaves' });
  });
  beforeEach(async () => {
    // Connections of the test before, which are kept for a while.
    await until(() => tenkey.provider.connections.open === 0, 'no connection');
    tenkey.provider.reset();
  });
  afterEach(() => jest.restoreAllMocks());

  function chat(model: string): ClientRequest {
    const { port } = tenkey.nest.getHttpServer().address() as AddressInfo;
    const headers = { 'x-api-key': platformKey, 'x-tenant-id': tenant, 'content-type': 'application/json' };
    const asked = request({
      port,
      host: '127.0.0.1',
      path: '/v1/chat/completions',
      method: 'POST',
      headers,
      agent: false,
    });
    asked.on('error', () => undefined);
    asked.end(JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'hello' }] }));
    return asked;
  }
  const chats = (model: string) => Array.from({ length: clients }, () => chat(model));
  const leave = (asked: ClientRequest[]) => asked.forEach((each) => each.socket?.resetAndDestroy());
  const setEndpoint = (endpoint: string) =>
    tenkey.setCredential(tenant, 'vllm', { api_key: 'sk-key-of-the-client-that-leaves', endpoint });

  /** Expects that the connections are closed in a second, and that no more are opened afterwards. */
  async function expectNone(connections: { readonly opened: number; readonly open: number }) {
    const { opened } = connections;
    await until(() => connections.open === 0, 'the connections to be closed', 1000);
    await wait(500);
    expect(connections).toEqual({ opened, open: 0 });
  }

  it('leave no connection to the provider when they paused in the middle of a response', async () => {
    const part = Buffer.from(`data: {"choices":[{"delta":{"content":"${'x'.repeat(60_000)}"}}]}\n\n`);
    const flow = { type: 'text/event-stream', parts: Array<Buffer>(500).fill(part), isEndless: true };
    for (let index = 0; index < clients; index++) tenkey.provider.next({ flow });
    const asked = chats('gpt-4o');
    await Promise.all(
      asked.map(async (each) => ((await once(each, 'response')) as [IncomingMessage])[0].pause()),
    );
    let sent = -1;
    await until(() => sent === (sent = tenkey.provider.calls.sentBytes), 'the provider to be stopped');
    expect(tenkey.provider.connections).toEqual({ opened: clients, open: clients });
    leave(asked);
    await expectNone(tenkey.provider.connections);
  });

  it('leave no connection to the provider when it has not responded yet', async () => {
    for (let index = 0; index < clients; index++) tenkey.provider.next({ delayMs: 2000 });
    const asked = chats('gpt-4o');
    await until(() => tenkey.provider.requests.length === clients, 'the calls');
    leave(asked);
    await expectNone(tenkey.provider.connections);
  });

  it('leave no connection to the provider when it has not completed the TLS handshake yet', async () => {
    const connections = { opened: 0, open: 0 };
    const silent = createServer((socket: Socket) => {
      connections.opened += 1;
      connections.open += 1;
      socket.resume().on('error', () => undefined);
      socket.once('close', () => (connections.open -= 1));
    });
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
    try {
      await setEndpoint(`https://127.0.0.1:${(silent.address() as AddressInfo).port}`);
      const asked = chats('gemma-vllm');
      await until(() => connections.open === clients, 'the connections');
      leave(asked);
      await expectNone(connections);
    } finally {
      silent.close();
    }
  });

  it('leave nothing of their calls in memory, and neither do clients that stay', async () => {
    const { port } = tenkey.nest.getHttpServer().address() as AddressInfo;
    const headers = { 'x-api-key': platformKey, 'x-tenant-id': tenant, 'content-type': 'application/json' };
    const bodyBytes = 512 * 1024;
    const ask = async (fields: object, isLeaving: boolean) => {
      const leaving = new AbortController();
      const asked = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ ...fields, messages: [{ role: 'user', content: 'x'.repeat(bodyBytes) }] }),
        signal: leaving.signal,
      });
      expect(asked.status).toBe(200);
      if (isLeaving) leaving.abort();
      else await asked.text();
    };
    const part = Buffer.from(`data: {"choices":[{"delta":{"content":"${'y'.repeat(bodyBytes)}"}}]}\n\n`);
    const endless = { flow: { type: 'text/event-stream', parts: [part], isEndless: true } };
    const calls = 6;
    const round = async () => {
      for (let call = 0; call < calls; call += 1) {
        await ask({ model: 'gpt-4o' }, false);
        await ask({ model: 'gpt-4o', stream: true }, false);
        tenkey.provider.next(endless);
        await ask({ model: 'gpt-4o', stream: true }, true);
      }
      await until(() => tenkey.provider.calls.open === 0, 'the calls have ended');
      // What this test itself has kept.
      tenkey.provider.reset();
      tenkey.logLines.length = 0;
    };
    await round();
    const before = memory().used;
    await round();
    const after = memory().used;
    // One of the three calls of each kind, kept as text or as bytes, would be more.
    expect(after - before).toBeLessThan((calls * bodyBytes) / 2);
  }, 60_000);

  describe('while the name of the provider is resolved', () => {
    let waiting: (() => void)[];
    beforeEach(async () => {
      waiting = [];
      const { lookup } = dns;
      jest.spyOn(dns, 'lookup').mockImplementation(((name: string, options: object, callback: () => void) => {
        if (name !== 'model.example') return lookup(name, options, callback);
        waiting.push(() => lookup('127.0.0.1', options, callback));
      }) as unknown as typeof lookup);
      await setEndpoint(`http://model.example:${tenkey.provider.port}`);
    });

    it('open no connection', async () => {
      const asked = chats('gemma-vllm');
      await until(() => waiting.length === clients, 'the names to be asked for');
      leave(asked);
      await wait(300);
      for (const resolve of waiting) resolve();
      await wait(300);
      expect(tenkey.provider.connections).toEqual({ opened: 0, open: 0 });
    });

    it('take no connection from a client that stays', async () => {
      const [left, stays] = [chat('gemma-vllm'), chat('gemma-vllm')];
      await until(() => waiting.length === 2, 'the names to be asked for');
      leave([left]);
      await wait(300);
      for (const resolve of waiting) resolve();
      const [response] = (await once(stays, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      expect(response.statusCode).toBe(200);
      expect(tenkey.provider.connections.opened).toBe(1);
      expect(tenkey.provider.requests).toHaveLength(1);
    });
  });

  it('do not delay a later client, which uses the connection that is open', async () => {
    for (let index = 0; index < 3; index++) {
      const asked = chat('gpt-4o');
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      // The connection is free a moment after the body has ended.
      await wait(200);
    }
    expect(tenkey.provider.requests).toHaveLength(3);
    expect(tenkey.provider.connections.opened).toBe(1);
  });
});
