import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Gate } from '../support/gate';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';
import { FaultRow } from './fault-rows';
import { type ServiceProcess, type Services, startServices } from './service-processes';

const LEASE_MS = 3000;
const HOUR_MS = 3_600_000;
/** What a busy machine adds. */
const SLACK_MS = 700;

describe('a process whose wall clock is changed', () => {
  let database: TestDatabase;
  let gate: Gate;
  let services: Services;
  let changed: ServiceProcess;
  let other: ServiceProcess;
  let tenant: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    gate = new Gate(database.url);
    const env = { CACHE_LEASE_SECONDS: String(LEASE_MS / 1000), DATABASE_TIMEOUT_MS: '500' };
    services = await startServices(database.url, 1, { env });
    changed = await services.start({
      env: { DATABASE_URL: await gate.listen() },
      preload: join(__dirname, 'wall-clock.cjs'),
    });
    other = services.all[0]!;
    tenant = (await other.change('POST', '/tenants', { name: 'a-tenant' })).body.id;
    await put('sk-first');
  });
  afterAll(async () => {
    await services.close();
    gate.close();
    await database.drop();
  });

  const put = (api_key: string) => other.change('PUT', `/tenants/${tenant}/credentials/openai`, { api_key });
  const call = async () => {
    const { usedKey, code } = await services.call(changed, tenant);
    return usedKey ?? code;
  };
  const isLeased = async () => (await services.leases()).join() === `${LEASE_MS},${LEASE_MS}`;
  async function shiftWallClock(ms: number): Promise<void> {
    const before = Date.now();
    const answered = once(changed.child, 'message');
    changed.child.send({ shiftWallClockMs: ms });
    const [{ wallClock }] = await answered;
    shift += ms;
    expect(Math.abs(wallClock - before - shift)).toBeLessThan(5000);
  }
  let shift = 0;
  async function openGate(): Promise<void> {
    gate.open();
    await until(async () => (await isLeased()) && (await call()) === 'sk-first', 'the process recovers');
    const lost = changed.logged('the connection that receives changes is lost');
    await until(() => changed.logged('changes are received again') === lost, 'changes are received again');
  }

  it('uses nothing cached after a jump forward, since it may have been suspended', async () => {
    expect(await call()).toBe('sk-first');
    gate.shut();
    expect(await call()).toBe('sk-first');
    await shiftWallClock(HOUR_MS);
    expect(await call()).toBe('credential_store_unavailable');
    await openGate();
  });

  it('extends no lease by a jump back', async () => {
    expect(await call()).toBe('sk-first');
    gate.shut();
    const shutAt = performance.now();
    await shiftWallClock(-2 * HOUR_MS);
    expect(await call()).toBe('sk-first');
    let lastUse = 0;
    await until(async () => {
      const started = performance.now();
      const isUsed = (await call()) === 'sk-first';
      if (isUsed) lastUse = started - shutAt;
      return !isUsed;
    }, 'the lease expires');
    process.stdout.write(`after a jump back, the last call from the cache was at ${lastUse.toFixed(0)} ms\n`);
    expect(lastUse).toBeLessThan(LEASE_MS + SLACK_MS);
    await wait(LEASE_MS / 2);
    expect(await call()).toBe('credential_store_unavailable');
    await openGate();
  });

  it('confirms changes and uses what is new, whatever its wall clock says', async () => {
    const row = new FaultRow('the wall clock of a process is changed: changes in another, and its calls');
    for (const [index, shiftMs] of [HOUR_MS, -3 * HOUR_MS, LEASE_MS, -LEASE_MS / 2].entries()) {
      await call();
      await shiftWallClock(shiftMs);
      row.reached += 1;
      await row.timed(put(`sk-number-${index}`));
      if ((await row.timed(call())) !== `sk-number-${index}`) row.wrong += 1;
    }
    row.report();
    expect(row.wrong).toBe(0);
    await put('sk-first');
  });

  it('accepts a tenant key until it expires by the time of the database', async () => {
    const expires = (ms: number) => ({ name: 'a test', expires_at: new Date(Date.now() + ms).toISOString() });
    const path = `/tenants/${tenant}/keys`;
    const { key: lasting } = (await other.change('POST', path, expires(60_000))).body;
    const { key: short } = (await other.change('POST', path, expires(1500))).body;
    await shiftWallClock(-HOUR_MS);
    await until(
      async () => (await services.call(changed, tenant, short)).code === 'unauthenticated',
      'the key expires',
    );
    await shiftWallClock(3 * HOUR_MS);
    expect((await services.call(changed, tenant, lasting)).status).toBe(200);
  });
});
