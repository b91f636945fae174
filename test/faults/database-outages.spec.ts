import { setTimeout as wait } from 'node:timers/promises';
import { until } from '../support/until';
import { FaultRow, reportFault } from './fault-rows';
import { distributionOf, seeded } from './numbers';
import { OwnServer } from './own-server';
import { type ServiceProcess, type Services, startServices } from './service-processes';
import { TenantHistory } from './tenant-history';

const LEASE_MS = 2000;
const TIMEOUT_MS = 1000;
/** What a busy machine adds. */
const SLACK_MS = 700;

describe('three processes whose database becomes unavailable', () => {
  let server: OwnServer;
  let services: Services;
  beforeAll(async () => {
    server = await OwnServer.start();
    services = await startServices(server.url, 3, {
      env: { CACHE_LEASE_SECONDS: String(LEASE_MS / 1000), DATABASE_TIMEOUT_MS: String(TIMEOUT_MS) },
    });
  });
  afterAll(async () => {
    await services.close();
    await server.close();
  });

  const areLeased = async () =>
    (await services.leases().catch(() => [])).join() === [LEASE_MS, LEASE_MS, LEASE_MS].join();

  /** Calls one process until the database was refused to it and is available again. */
  async function observe(service: ServiceProcess, tenant: string, from: number, returned: () => boolean) {
    const calls = [];
    for (;;) {
      const at = performance.now() - from;
      const { status, code } = await services.call(service, tenant);
      const tookMs = performance.now() - from - at;
      const health = (await service.request('GET', '/health', {})).status;
      calls.push({ at, tookMs, status, code, health });
      if (status === 200 && returned()) return calls;
      await wait(50);
    }
  }

  it.each<[string, () => Promise<void>, () => Promise<void>]>([
    ['is stopped', () => server.stop(), () => server.startAgain()],
    ['does not respond', () => server.freeze(), () => server.thaw()],
  ])(
    'go on from the cache until the lease expires, then refuse calls in time, and recover without a restart, when it %s',
    async (name, fail, recover) => {
      const tenant = await newTenant();
      const others = services.all;
      await until(areLeased, 'all processes are leased');
      for (const service of others) expect((await services.call(service, tenant)).status).toBe(200);
      const from = performance.now();
      await fail();
      const failedMs = performance.now() - from;
      let returnedAt = Infinity;
      const observing = others.map((service) => observe(service, tenant, from, () => returnedAt < Infinity));
      await wait(LEASE_MS * 2);
      const recoveringAt = performance.now() - from;
      await recover();
      returnedAt = performance.now() - from;
      const all = (await Promise.all(observing)).flat();

      const refused = all.filter(({ status }) => status !== 200);
      const before = all.filter(({ at, tookMs, status }) => status === 200 && at + tookMs < recoveringAt);
      const slowest = Math.max(...refused.map(({ tookMs }) => tookMs));
      const recovered = Math.max(...all.map(({ at, tookMs }) => at + tookMs)) - returnedAt;
      process.stdout.write(
        `${before.length} calls from the cache until ${Math.max(...before.map(({ at }) => at)).toFixed(0)} ms; ${refused.length} refused from ${Math.min(...refused.map(({ at }) => at)).toFixed(0)} ms, at most in ${slowest.toFixed(0)} ms; recovered after ${recovered.toFixed(0)} ms\n`,
      );
      const row = new FaultRow(`the database ${name}: calls of three processes until it is back`);
      row.reached = refused.length;
      for (const { tookMs, status, code, health } of all) {
        row.took(tookMs);
        if (health !== 200 || !(status === 200 || code === 'credential_store_unavailable')) row.wrong += 1;
      }
      for (const service of others)
        if ((await services.call(service, tenant)).usedKey !== 'sk-of-the-tenant') row.lost += 1;
      row.report();
      expect([row.lost, row.wrong]).toEqual([0, 0]);
      expect(new Set(refused.map(({ status, code }) => `${status} ${code}`))).toEqual(
        new Set(['503 credential_store_unavailable']),
      );
      expect(new Set(all.map(({ health }) => health))).toEqual(new Set([200]));
      // A renewal is due each quarter of the lease, so at least three quarters of it remained.
      for (const { at, tookMs } of refused) {
        expect(at + tookMs).toBeGreaterThan(LEASE_MS * 0.75 - SLACK_MS / 2);
        expect(tookMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
      }
      for (const { at } of before) expect(at).toBeLessThan(failedMs + LEASE_MS + SLACK_MS);
      for (const service of others) {
        const lost = service.logged('the connection that receives changes is lost');
        expect(lost).toBeGreaterThan(0);
        await until(
          () => service.logged('changes are received again') === lost,
          'changes are received again',
        );
      }
      await until(areLeased, 'all processes are leased again');
    },
  );

  it('use nothing that was before an answered change, while it is killed and stopped under load', async () => {
    const random = seeded(2);
    const histories = [1, 2].map(() => new TenantHistory(services, random, true));
    let isChanging = true;
    const changing = histories.map(async (history) => {
      while (isChanging) await history.step();
    });
    const calling = services.all.map(async (service) => {
      while (isChanging) {
        for (const history of histories) await history.call(service);
        await wait(20);
      }
    });
    const confirmations = () => histories.flatMap((history) => history.confirmations);
    const moreChanges = async () => {
      const counts = histories.map((history) => history.confirmations.length);
      await until(
        () => histories.every((history, index) => history.confirmations.length >= counts[index]! + 10),
        'there are more changes',
      );
    };
    await moreChanges();
    await server.crash();
    await moreChanges();
    await server.stop();
    await wait(LEASE_MS * 1.5);
    await server.startAgain();
    await moreChanges();
    await server.freeze();
    await wait(LEASE_MS * 1.5);
    await server.thaw();
    await moreChanges();
    isChanging = false;
    await Promise.all([...changing, ...calling]);

    const unavailable = histories.reduce((sum, history) => sum + history.unavailable, 0);
    const calls = histories.reduce((sum, history) => sum + history.calls, 0);
    process.stdout.write(
      `${confirmations().length} changes, ${calls} calls, ${unavailable} of them refused; confirmed in ms: ${JSON.stringify(distributionOf(confirmations().map(({ waitedMs }) => waitedMs)))}\n`,
    );
    const row = await reportFault(
      'the database is killed, stopped and frozen: changes and calls',
      unavailable,
      histories,
    );
    expect(histories.flatMap((history) => history.violations)).toEqual([]);
    expect(row.lost).toBe(0);
    expect(unavailable).toBeGreaterThan(0);
    await until(areLeased, 'all processes are leased again');
  });

  async function newTenant(): Promise<string> {
    const [service] = services.all;
    const { id } = (await service!.change('POST', '/tenants', { name: `tenant-${Date.now()}` })).body;
    await service!.change('PUT', `/tenants/${id}/credentials/openai`, { api_key: 'sk-of-the-tenant' });
    return id;
  }
});
