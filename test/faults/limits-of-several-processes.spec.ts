import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/until';
import { OwnServer } from './own-server';
import { type ServiceProcess, type Services, startServices } from './service-processes';

/** Calls go on for this long without the database. */
const LEASE_SECONDS = 20;
/** What the provider reports. */
const TOKENS_OF_A_CALL = 5;

describe('the limits of a tenant key in three processes', () => {
  let server: OwnServer;
  let services: Services;
  let tenant: string;
  beforeAll(async () => {
    server = await OwnServer.start();
    services = await startServices(server.url, 3, {
      env: { CACHE_LEASE_SECONDS: String(LEASE_SECONDS) },
    });
    const [first] = services.all as [ServiceProcess];
    tenant = (await first.change('POST', '/tenants', { name: `tenant-${randomUUID()}` })).body.id;
    await first.change('PUT', `/tenants/${tenant}/credentials/openai`, { api_key: 'sk-of-the-tenant' });
  });
  afterAll(async () => {
    await services.close();
    await server.stop();
  });

  const limited = async (fields: object): Promise<string> => {
    const request = { name: 'a test', ...fields };
    return (await services.all[0]!.change('POST', `/tenants/${tenant}/keys`, request)).body.key;
  };
  const list = async (process: ServiceProcess, key: string) => {
    const { status } = await process.request('GET', '/v1/models', { authorization: `Bearer ${key}` });
    expect([200, 429]).toContain(status);
    return status === 200;
  };
  const chat = async (process: ServiceProcess, key: string, max_tokens: number) => {
    const request = { model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }], max_tokens };
    const headers = { authorization: `Bearer ${key}` };
    const { status } = await process.request('POST', '/v1/chat/completions', headers, request);
    expect([200, 429]).toContain(status);
    return status === 200;
  };

  /**
   * Sends calls to each process as fast as they are answered, until it has refused all for longer than a refusal is remembered.
   * @returns how many each one has admitted
   */
  async function underLoad(
    processes: readonly ServiceProcess[],
    call: (process: ServiceProcess) => Promise<boolean>,
    ms = 50_000,
  ): Promise<number[]> {
    const until = performance.now() + ms;
    const admitted = processes.map(() => 0);
    const client = async (place: number) => {
      let refusedSince: number | undefined;
      while (performance.now() < until) {
        if (await call(processes[place]!)) {
          admitted[place]! += 1;
          refusedSince = undefined;
          continue;
        }
        refusedSince ??= performance.now();
        if (performance.now() - refusedSince > 3000) return;
        // The machine is for the processes.
        await sleep(50);
      }
    };
    await Promise.all(processes.flatMap((_, place) => [client(place), client(place), client(place)]));
    return admitted;
  }
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

  it('hold over all of them, however the load is distributed, and for a small limit exactly', async () => {
    const [everywhere, uneven, small] = [
      await limited({ requests_per_minute: 600 }),
      await limited({ requests_per_minute: 600 }),
      await limited({ requests_per_minute: 6 }),
    ];
    const [first] = services.all as [ServiceProcess];
    const [even, one, few] = await Promise.all([
      underLoad(services.all, (process) => list(process, everywhere)),
      underLoad([first], (process) => list(process, uneven)),
      underLoad(services.all, (process) => list(process, small)),
    ]);
    expect(sum(even)).toBeGreaterThanOrEqual(540);
    expect(sum(even)).toBeLessThanOrEqual(660);
    expect(sum(one)).toBeGreaterThanOrEqual(540);
    expect(sum(one)).toBeLessThanOrEqual(600);
    expect(sum(few)).toBe(6);
  });

  it('hold for tokens, of which calls use fewer than they reserve', async () => {
    const key = await limited({ tokens_per_minute: 2000 });
    const settled = await underLoad(services.all, (process) => chat(process, key, 100));
    const used = sum(settled) * TOKENS_OF_A_CALL;
    // The last call must fit with its estimate, besides what the processes hold.
    expect(used).toBeGreaterThanOrEqual(1600);
    expect(used).toBeLessThanOrEqual(2200);
  });

  it('are divided while the database is stopped, without a wait for it, and hold together again afterwards', async () => {
    const key = await limited({ requests_per_minute: 90 });
    for (const process of services.all) expect(await chat(process, key, 9)).toBe(true);
    await server.stop();
    let slowestMs = 0;
    const away = await underLoad(services.all, async (process) => {
      const began = performance.now();
      const isAdmitted = await chat(process, key, 9);
      slowestMs = Math.max(slowestMs, performance.now() - began);
      return isAdmitted;
    });
    // Each has admitted one before, and may have held a share.
    for (const count of away) {
      expect(count).toBeGreaterThanOrEqual(29);
      expect(count).toBeLessThanOrEqual(33);
    }
    expect(slowestMs).toBeLessThan(1500);
    await server.startAgain();
    for (const process of services.all) {
      await until(
        () => process.logged('hold over all processes again') > 0,
        'it counts with the others again',
      );
    }
    const again = await underLoad(services.all, (process) => chat(process, key, 9));
    expect(sum(again)).toBeLessThanOrEqual(9);
  });

  it('go on when a process is killed, which takes at most its share with it', async () => {
    const key = await limited({ requests_per_minute: 300 });
    const killed = await services.start();
    const began = performance.now();
    const before = await underLoad(
      [...services.all.slice(0, 3), killed],
      (process) => list(process, key),
      500,
    );
    await killed.kill();
    services.all.pop();
    const after = await underLoad(services.all, (process) => list(process, key));
    const total = sum(before) + sum(after);
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(total).toBeGreaterThanOrEqual(270);
    expect(total).toBeLessThanOrEqual(330);
  });

  it('hold for processes without a lease too', async () => {
    const unleased = await startServices(server.url, 2, { env: { CACHE_LEASE_SECONDS: '0' } });
    try {
      // They renew their registrations every five seconds.
      await sleep(6000);
      const key = await limited({ requests_per_minute: 6 });
      const admitted = await underLoad(unleased.all, (process) => list(process, key));
      expect(sum(admitted)).toBe(6);
    } finally {
      await unleased.close();
    }
  });
});
