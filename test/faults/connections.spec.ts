import { setTimeout as wait } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';
import { DeafProxy } from './deaf-proxy';
import { reportFault } from './fault-rows';
import { distributionOf, seeded } from './numbers';
import { type Services, startServices } from './service-processes';
import { TenantHistory } from './tenant-history';

const LEASE_MS = 5000;
const notHeard = 'notifications of PostgreSQL do not arrive';

describe('no call uses what was before an answered change', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  /** @returns how many connections that receive changes were ended */
  async function loseListeners(services: Services): Promise<number> {
    const ended = await services.query(
      `with listeners as materialized (
         select pid from pg_stat_activity
         where application_name = 'tenkey-changes' and datname = current_database())
       select pg_terminate_backend(pid) from listeners`,
    );
    return ended.length;
  }

  /** Makes changes and checks each one, while other calls go on. */
  async function change(services: Services, count: number, fault?: { name: string; reached: () => number }) {
    const random = seeded(3);
    const histories = [1, 2].map(() => new TenantHistory(services, random));
    let remaining = count;
    let isChanging = true;
    const calling = services.all.map(async (service) => {
      while (isChanging) {
        for (const history of histories) await history.call(service);
        await wait(20);
      }
    });
    const changing = histories.map(async (history) => {
      while (remaining-- > 0) await history.step();
    });
    await Promise.all(changing).finally(() => (isChanging = false));
    await Promise.all(calling);
    const confirmations = histories.flatMap((history) => history.confirmations);
    const waited = distributionOf(confirmations.map(({ waitedMs }) => waitedMs));
    process.stdout.write(
      `${confirmations.length} changes, ${histories.reduce((sum, { calls }) => sum + calls, 0)} calls; confirmed in ms: ${JSON.stringify(waited)}\n`,
    );
    if (fault) await reportFault(fault.name, fault.reached(), histories);
    expect(histories.flatMap((history) => history.violations)).toEqual([]);
    for (const history of histories) expect(await history.isKept()).toBe(true);
    expect(confirmations).toHaveLength(count);
    return waited;
  }

  it('while the connections that receive changes are lost again and again', async () => {
    const services = await startServices(database.url, 3);
    try {
      let isOver = false;
      let lost = 0;
      const losing = (async () => {
        while (!isOver) {
          lost += await loseListeners(services);
          await wait(500);
        }
      })();
      const fault = { name: 'a connection that receives changes is lost', reached: () => lost };
      const { median } = await change(services, 150, fault).finally(() => (isOver = true));
      await losing;
      process.stdout.write(`${lost} connections were lost\n`);
      expect(lost).toBeGreaterThan(9);
      // Five times the usual value. The pause before a connection is opened again must not grow with each loss.
      expect(median).toBeLessThan(500);
      const leases = [LEASE_MS, LEASE_MS, LEASE_MS];
      await until(async () => (await services.leases()).join() === leases.join(), 'all are leased again');
      for (const service of services.all) {
        const count = service.logged('the connection that receives changes is lost');
        expect(count).toBeGreaterThan(2);
        await until(
          () => service.logged('changes are received again') === count,
          'changes are received again',
        );
        expect(service.logged(notHeard)).toBe(0);
      }
    } finally {
      await services.close();
    }
  });

  it('nor stops caching because a connection is lost before a notification arrived on it', async () => {
    const proxy = new DeafProxy(database.url);
    const services = await startServices(database.url, 0);
    const starting = services.start({ env: { DATABASE_URL: await proxy.listen() } });
    try {
      await until(() => proxy.removed > 0, 'the process waits for its first notification');
      proxy.isDeaf = false;
      expect(await loseListeners(services)).toBe(1);
      const service = await starting;
      await until(() => service.logged('changes are received again') === 1, 'changes are received');
      expect(await services.leases()).toEqual([LEASE_MS]);
      expect(service.logged(notHeard)).toBe(0);
    } finally {
      await services.close();
      proxy.close();
    }
  });

  it('nor waits for a registration whose response was lost', async () => {
    const proxy = new DeafProxy(database.url);
    proxy.isDeaf = false;
    proxy.loseResponseTo = 'insert into registered_processes';
    const services = await startServices(database.url, 1, { env: { DATABASE_URL: await proxy.listen() } });
    try {
      const [service] = services.all;
      expect(proxy.loseResponseTo).toBeUndefined();
      await until(() => service!.logged('changes are received again') === 1, 'changes are received');
      expect(await services.leases()).toEqual([LEASE_MS]);
    } finally {
      await services.close();
      proxy.close();
    }
  });

  it('when a pooler lets no notification pass: the log says so, and nothing is cached', async () => {
    const proxy = new DeafProxy(database.url);
    const url = await proxy.listen();
    const services = await startServices(database.url, 2, { env: { DATABASE_URL: url } });
    try {
      // This one has a connection of its own for notifications.
      await services.start({ env: { DATABASE_DIRECT_URL: database.url } });
      expect(services.all.map((service) => service.logged(notHeard))).toEqual([1, 1, 0]);
      expect(proxy.removed).toBeGreaterThan(1);
      expect(await services.leases()).toEqual([0, 0, LEASE_MS]);
      await change(services, 40, {
        name: 'notifications of changes do not arrive',
        reached: () => proxy.removed,
      });
    } finally {
      await services.close();
      proxy.close();
    }
  });

  it('with CACHE_LEASE_SECONDS=0: nothing is cached, and no change waits', async () => {
    const services = await startServices(database.url, 2, { env: { CACHE_LEASE_SECONDS: '0' } });
    try {
      expect(await services.leases()).toEqual([0, 0]);
      const { median } = await change(services, 40);
      expect(median).toBeLessThan(20);
      const listeners = `select 1 from pg_stat_activity where application_name = 'tenkey-changes' and datname = current_database()`;
      expect(await services.query(listeners)).toEqual([]);
    } finally {
      await services.close();
    }
  });

  it('within one lease, when it is made in SQL by hand', async () => {
    const services = await startServices(database.url, 2);
    try {
      const [service] = services.all;
      const { id } = (await service!.change('POST', '/tenants', { name: 'changed-by-hand' })).body;
      await service!.change('PUT', `/tenants/${id}/credentials/openai`, { api_key: 'sk-by-the-api' });
      const { key } = (await service!.change('POST', `/tenants/${id}/keys`, { name: 'a test' })).body;
      const took: number[] = [];
      for (const [statement, code] of [
        [`update tenants set state = 'suspended' where id = '${id}'`, 'tenant_suspended'],
        [`update tenants set state = 'active' where id = '${id}'`, undefined],
        ['truncate tenant_credentials cascade', 'credential_not_configured'],
        [`update tenant_keys set expires_at = now() where tenant_id = '${id}'`, 'unauthenticated'],
        [`update tenant_keys set expires_at = null where tenant_id = '${id}'`, 'credential_not_configured'],
        ['truncate tenant_keys cascade', 'unauthenticated'],
      ] as const) {
        for (const each of services.all) await services.call(each, id, key);
        await services.query(statement);
        const started = performance.now();
        for (const each of services.all) {
          await until(async () => (await services.call(each, id, key)).code === code, statement);
        }
        took.push(Math.round(performance.now() - started));
      }
      process.stdout.write(`changes in SQL were in force after ${took.join(', ')} ms\n`);
      expect(Math.max(...took)).toBeLessThan(LEASE_MS);
    } finally {
      await services.close();
    }
  });
});
