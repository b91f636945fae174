import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { platformKey } from '../support/app';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';
import { FaultRow } from './fault-rows';
import { collecting, metricOf, sampleOf, whenIdle } from './process-samples';
import { type ServiceProcess, type Services, startServices } from './service-processes';

const ROUNDS = 3;
/** Clients in a round. */
const CALLS = 10;
const PLACES = 2 * CALLS;
const LONGEST_MS = 10_000;

describe('a process whose clients misbehave has nothing left of their calls, and records those that were sent, when a client', () => {
  let database: TestDatabase;
  let services: Services;
  let service: ServiceProcess;
  beforeAll(async () => {
    database = await createTestDatabase();
    services = await startServices(database.url, 1, {
      preload: collecting,
      env: { MAX_CALLS_PER_TENANT: String(PLACES), CLIENT_PAUSE_SECONDS: '1' },
    });
    service = services.all[0]!;
  });
  afterAll(async () => {
    await services.close();
    await database.drop();
  });

  let tenant: string;
  beforeEach(async () => {
    services.provider.reset();
    tenant = await services.newTenant('openai');
  });

  const body = (stream: boolean) =>
    JSON.stringify({ model: 'gpt-4o', stream, messages: [{ role: 'user', content: 'hello' }] });
  /** A request in two parts. */
  const headFor = (text: string) =>
    [
      'POST /v1/chat/completions HTTP/1.1',
      'host: tenkey.test',
      `x-api-key: ${platformKey}`,
      `x-tenant-id: ${tenant}`,
      'content-type: application/json',
      `content-length: ${text.length}\r\n\r\n`,
    ].join('\r\n');
  async function connected(text: string): Promise<Socket> {
    const socket = connect({
      port: Number(new URL(service.base).port),
      host: '127.0.0.1',
      allowHalfOpen: true,
    });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  }
  const metric = (name: string) => metricOf(service, name);
  const calls = (count: number, text: string) =>
    Promise.all(Array.from({ length: count }, () => connected(text)));
  /** Half of them reset the connection. */
  const leave = (sockets: readonly Socket[]) => {
    for (const [index, socket] of sockets.entries())
      if (index % 2 === 0) socket.destroy();
      else socket.resetAndDestroy();
  };
  const whole = headFor.bind(undefined, body(false));
  const silent = () => services.provider.next({ readAfter: wait(60_000, undefined, { ref: false }) });
  function* megabytes(): Generator<Buffer> {
    const part = Buffer.from(`data: ${JSON.stringify({ choices: [], padding: 'x'.repeat(100_000) })}\n\n`);
    for (let sent = 0; sent < 1000; sent += 1) yield part;
  }
  const flows = () =>
    services.provider.next({ flow: { type: 'text/event-stream', parts: megabytes(), isEndless: true } });
  const left = (count: number) =>
    until(() => services.provider.calls.aborted === count, 'the provider sees that nobody waits');

  /** Each returns how often the fault occurred, and how many of its calls have a usage record. */
  const faults: Readonly<Record<string, () => Promise<{ reached: number; sent: number }>>> = {
    'leaves in the head of its request': async () => {
      const sockets = await calls(CALLS, whole().slice(0, 50));
      await wait(100);
      leave(sockets);
      return { reached: sockets.length, sent: 0 };
    },
    'leaves in the body of its request': async () => {
      const sockets = await calls(CALLS, whole() + body(false).slice(0, 20));
      // The request for the metrics is one of them.
      const begun = async () => (await metric('tenkey_http_requests_in_flight')) - 1;
      await until(async () => (await begun()) === CALLS, 'the requests have begun');
      const reached = await begun();
      leave(sockets);
      return { reached, sent: 0 };
    },
    'leaves while its call waits for a place': async () => {
      for (let each = 0; each < PLACES; each += 1) silent();
      const running = await calls(PLACES, whole() + body(false));
      await until(() => services.provider.calls.open === PLACES, 'all places are taken');
      const waiting = await calls(CALLS, whole() + body(false));
      const queued = () => metric('tenkey_calls_waiting');
      await until(async () => (await queued()) === CALLS, 'the calls wait');
      const reached = await queued();
      leave(waiting);
      await until(async () => (await queued()) === 0, 'no call waits');
      leave(running);
      await left(PLACES);
      return { reached, sent: PLACES };
    },
    'leaves before the response': async () => {
      for (let each = 0; each < CALLS; each += 1) silent();
      const sockets = await calls(CALLS, whole() + body(false));
      await until(() => services.provider.calls.open === CALLS, 'the calls are with the provider');
      leave(sockets);
      await left(CALLS);
      return { reached: services.provider.calls.aborted, sent: CALLS };
    },
    'leaves in a stream': async () => {
      for (let each = 0; each < CALLS; each += 1) flows();
      const sockets = await calls(CALLS, headFor(body(true)) + body(true));
      await Promise.all(sockets.map((socket) => once(socket, 'data')));
      leave(sockets);
      await left(CALLS);
      return { reached: services.provider.calls.aborted, sent: CALLS };
    },
    'never reads its stream': async () => {
      for (let each = 0; each < CALLS; each += 1) flows();
      const sockets = await calls(CALLS, headFor(body(true)) + body(true));
      await left(CALLS);
      leave(sockets);
      return { reached: services.provider.calls.aborted, sent: CALLS };
    },
    'closes its half of the connection': async () => {
      for (let each = 0; each < CALLS; each += 1) services.provider.next({ delayMs: 300 });
      const sockets = await calls(CALLS, whole() + body(false));
      for (const socket of sockets) socket.end();
      await Promise.all(sockets.map((socket) => once(socket.resume(), 'close')));
      return { reached: sockets.length, sent: CALLS };
    },
  };

  it.each(Object.entries(faults))('%s', async (name, run) => {
    const { openFiles } = await sampleOf(service);
    const row = new FaultRow(`a client ${name}: the end of its call`);
    for (let round = 0; round < ROUNDS; round += 1) {
      services.provider.reset();
      const earlier = await services.recordsOf(tenant);
      const { reached, sent } = await row.timed(run());
      await whenIdle(service, openFiles);
      row.reached += reached;
      const recorded = async () => (await services.recordsOf(tenant)) - earlier;
      await until(async () => (await recorded()) >= sent, 'usage', 5000).catch(() => undefined);
      row.lost += Math.max(0, sent - (await recorded()));
      row.wrong += Math.max(0, (await recorded()) - sent);
    }
    row.report();
    expect([row.reached, row.lost, row.wrong]).toEqual([ROUNDS * CALLS, 0, 0]);
    expect(row.slowestMs).toBeLessThan(LONGEST_MS);
  });
});
