import { connect } from 'node:net';
import { Client } from 'pg';
import { hooks } from '#http';
import { platformKey, startTestApp, type TestApp } from './support/app';
import { issueTenantKey } from './support/keys';
import { until } from './support/until';

describe('shutdown', () => {
  const opened: TestApp[] = [];
  afterAll(async () => {
    for (const tenkey of opened) await tenkey.close();
  });

  async function start(shutdownSeconds: number) {
    const tenkey = await startTestApp({ SHUTDOWN_SECONDS: String(shutdownSeconds), LOG_LEVEL: 'info' });
    opened.push(tenkey);
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-a-call-that-runs-on' });
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const call = (body: object) =>
      fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
        body: JSON.stringify({
          model: 'gpt-4o',
          messages: [{ role: 'user', content: 'a b c d e f' }],
          ...body,
        }),
      });
    return { tenkey, tenant, call, port };
  }

  it('completes running calls and accepts no new connection meanwhile', async () => {
    const { tenkey, call, port } = await start(10);
    tenkey.provider.next({ chunkDelayMs: 100 });
    const answer = await call({ stream: true });
    const stopped = tenkey.nest.close();
    await new Promise((done) => setTimeout(done, 200));
    await expect(
      fetch(`http://127.0.0.1:${port}/health`, { headers: { connection: 'close' } }),
    ).rejects.toThrow();
    expect((await answer.text()).trim().endsWith('data: [DONE]')).toBe(true);
    await stopped;
  });

  it('still serves calls while it is announced, and each of them closes its connection', async () => {
    const { tenkey, call, port } = await start(10);
    tenkey.nest.get(hooks.RunningRequests).announceStop();
    for (const body of [{}, { stream: true }, { model: 'no-such-model' }]) {
      const answer = await call(body);
      expect([answer.status, answer.headers.get('connection')]).toEqual([
        'model' in body ? 404 : 200,
        'close',
      ]);
      await answer.text();
    }
    const ready = await fetch(`http://127.0.0.1:${port}/ready`);
    expect([ready.status, ((await ready.json()) as { reason: string }).reason]).toEqual([
      503,
      expect.stringContaining('stopping'),
    ]);
  });

  it('completes calls that run longer than Fastify’s time-out for plugins', async () => {
    const { tenkey, call } = await start(20);
    tenkey.provider.next({ delayMs: 600 });
    const asked = call({});
    await until(() => tenkey.provider.requests.length === 1, 'the call');
    const { setTimeout: realTime } = globalThis;
    // Timers of 10 s and more run a hundred times faster.
    const hurried = jest
      .spyOn(globalThis, 'setTimeout')
      .mockImplementation((run: () => void, ms = 0, ...rest: []) =>
        realTime(run, ms < 10_000 ? ms : ms / 100, ...rest),
      );
    try {
      await tenkey.nest.close();
    } finally {
      hurried.mockRestore();
    }
    expect((await asked).status).toBe(200);
  });

  it('ends a call that outlives the wait with an error, whole or streamed, in its client’s format', async () => {
    const { tenkey, call } = await start(0);
    tenkey.provider.next({ chunkDelayMs: 3000 });
    const streamed = await call({ stream: true });
    tenkey.provider.next({ delayMs: 3000 });
    const whole = call({});
    const asked = Date.now();
    while (tenkey.provider.requests.length < 2 && Date.now() < asked + 5000)
      await new Promise((done) => setTimeout(done, 10));
    const stopped = tenkey.nest.close();
    const last = (await streamed.text()).trim().split('\n\n').at(-1)!;
    expect(JSON.parse(last.slice('data: '.length)).error).toMatchObject({ code: 'upstream_unavailable' });
    const answer = await whole;
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ error: { code: 'upstream_unavailable' } });
    await stopped;
    expect(tenkey.provider.requests.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it('is not delayed by a database that blocks the notes about keys and credentials', async () => {
    const { tenkey, tenant } = await start(0);
    const { key } = await issueTenantKey(tenkey, tenant);
    const holder = new Client({ connectionString: tenkey.databaseUrl });
    await holder.connect();
    try {
      await holder.query('begin');
      await holder.query('lock table tenant_keys in share mode');
      await holder.query('select 1 from tenants for update');
      tenkey.provider.next({ status: 401 });
      const body = { model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] };
      const call = tenkey.http().post('/v1/chat/completions').set('authorization', `Bearer ${key}`);
      expect((await call.send(body)).status).toBe(424);
      await tenkey.nest.close();
      const { rows } = await holder.query(
        `select query from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' order by query`,
      );
      expect(rows).toEqual([
        { query: expect.stringContaining('from tenants') },
        { query: expect.stringContaining('update tenant_keys') },
      ]);
    } finally {
      await holder.end();
    }
  });

  it('is not delayed by a connection without a request', async () => {
    const { tenkey, port } = await start(10);
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((done) => socket.once('connect', () => done()));
    const closed = new Promise<void>((done) => socket.once('close', () => done()));
    socket.resume();
    await tenkey.nest.close();
    await closed;
  });
});
