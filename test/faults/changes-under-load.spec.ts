import { setTimeout as wait } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { distributionOf, seeded } from './numbers';
import { type Services, startServices } from './service-processes';
import { TenantHistory } from './tenant-history';

const TENANTS = 3;
const CHANGES = 2000;
/** Five times the usual median, for a machine that does other things as well. */
const MEDIAN_LIMIT_MS = 50;

describe('three processes on one database, under load', () => {
  let database: TestDatabase;
  let services: Services;
  beforeAll(async () => {
    database = await createTestDatabase();
    services = await startServices(database.url, 3);
  });
  afterAll(async () => {
    await services.close();
    await database.drop();
  });

  it('no call that starts after a change was answered uses what was before', async () => {
    expect(await services.leases()).toEqual([5000, 5000, 5000]);
    const random = seeded(1);
    const histories = Array.from({ length: TENANTS }, () => new TenantHistory(services, random));
    let remaining = CHANGES;
    let isChanging = true;
    const changing = histories.map(async (history) => {
      while (remaining-- > 0) await history.step();
    });
    const calling = services.all.map(async (service) => {
      while (isChanging) {
        for (const history of histories) await history.call(service);
        await wait(random() * 50);
      }
    });
    const started = performance.now();
    await Promise.all(changing).finally(() => (isChanging = false));
    await Promise.all(calling);
    const seconds = (performance.now() - started) / 1000;

    const confirmations = histories.flatMap((history) => history.confirmations);
    const calls = histories.reduce((sum, history) => sum + history.calls, 0);
    const waited = distributionOf(confirmations.map(({ waitedMs }) => waitedMs));
    const kinds = new Map<string, number>();
    for (const { kind } of confirmations) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    process.stdout.write(
      `${confirmations.length} changes and ${calls} calls in ${seconds.toFixed(1)} s; confirmed in ms: ${JSON.stringify(waited)}\n` +
        [...kinds].map(([kind, count]) => `  ${count} × ${kind}\n`).join(''),
    );

    expect(histories.flatMap((history) => history.violations)).toEqual([]);
    expect(confirmations).toHaveLength(CHANGES);
    expect(confirmations.filter(({ processes }) => processes !== 3)).toEqual([]);
    expect([...kinds.keys()].sort()).toEqual([
      'DELETE',
      'PUT',
      'PUT where nothing was',
      'creation of a tenant',
      'creation of a tenant key',
      'deletion of a tenant',
      'promotion',
      'reactivation',
      'revocation of a tenant key',
      'rollback',
      'suspension',
    ]);
    // More than the calls that check the changes.
    expect(calls).toBeGreaterThan(CHANGES * 4);
    expect(waited.median).toBeLessThan(MEDIAN_LIMIT_MS);
  });
});
