import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { startTestApp, type TestApp } from '../support/app';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { FaultRow } from './fault-rows';
import { type ServiceProcess, type Services, startServices } from './service-processes';

/** 50 rounds take ten minutes: TENKEY_ROUNDS=50. */
const ROUNDS = Number(process.env.TENKEY_ROUNDS ?? 3);
const PAUSE_MS = 8000;
/** A place, a connection, the locks of a tenant and of the audit, five seconds each, and a lease. */
const LONGEST_MS = 26_000;

describe('a change is answered in time', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  it('while idle connections are ended every second, and one process after the other is stopped', async () => {
    const services: Services = await startServices(database.url, 3);
    const tenants = await Promise.all(
      services.all.map(async (service): Promise<string> => {
        const { body } = await service.change('POST', '/tenants', { name: `tenant-${randomUUID()}` });
        return body.id;
      }),
    );
    const row = new FaultRow('idle connections end each second and processes are stopped: changes');
    let isOver = false;
    let ended = 0;
    const slowest: number[] = services.all.map(() => 0);
    const answered = services.all.map(() => 0);
    const change = async (index: number, tenant: string) => {
      const service = services.all[index]!;
      const started = performance.now();
      const put = service.sysadmin('PUT', `/tenants/${tenant}/credentials/openai`, {
        api_key: `sk-${randomUUID()}`,
      });
      const late = wait(LONGEST_MS + PAUSE_MS, undefined, { ref: false }).then(() => {
        throw new Error(`process ${index} did not answer a change within ${LONGEST_MS + PAUSE_MS} ms`);
      });
      const { status } = await row.timed(Promise.race([put, late]));
      if (status !== 200 && status !== 503) row.wrong += 1;
      if (status === 200) answered[index]! += 1;
      slowest[index] = Math.max(slowest[index]!, performance.now() - started);
    };
    const ending = async () => {
      while (!isOver) {
        const rows = await services.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and state = 'idle' and pid <> pg_backend_pid()`,
        );
        ended += rows.length;
        await wait(1000);
      }
    };
    const changing = [0, 1, 2].flatMap((index) =>
      tenants.map(async (tenant) => {
        while (!isOver) {
          await change(index, tenant);
          await wait(20);
        }
      }),
    );
    const stopping = async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const stopped: ServiceProcess = services.all[round % 3]!;
        const before = [...answered];
        await stopped.pause();
        await wait(PAUSE_MS);
        stopped.resume();
        await wait(3000);
        // The others have made changes meanwhile, or could, as soon as nobody held a lock any more.
        expect(answered.map((count, index) => count > before[index]!)).toEqual([true, true, true]);
      }
      isOver = true;
    };
    try {
      await Promise.all([stopping(), ending(), ...changing]);
    } finally {
      isOver = true;
      for (const service of services.all) service.resume();
    }
    process.stdout.write(
      `${answered.join(', ')} changes in ${ROUNDS} rounds, ${ended} connections ended, slowest answers ${slowest.map(Math.round).join(', ')} ms\n`,
    );
    row.reached = ended + ROUNDS;
    row.report();
    expect(row.wrong).toBe(0);
    expect(services.all.map(({ child }) => [child.exitCode, child.signalCode])).toEqual(
      services.all.map(() => [null, null]),
    );
    expect(ended).toBeGreaterThan(ROUNDS * 10);
    for (const longest of slowest) expect(longest).toBeLessThan(LONGEST_MS);
    await services.close();
  });

  it('when a process renews its lease and never confirms a change', async () => {
    const tenkey: TestApp = await startTestApp({ CACHE_LEASE_SECONDS: '1' }, { databaseUrl: database.url });
    const tenant = await tenkey.createTenant();
    const id = randomUUID();
    await tenkey.database.query(
      'insert into registered_processes (id, lease_ms, renewals, confirmed, encryption_keys, seal_form) select $1, 1000, 0, 0, encryption_keys, seal_form from registered_processes',
      [id],
    );
    const renewing = setInterval(() => {
      void tenkey.database.query('update registered_processes set renewals = renewals + 1 where id = $1', [
        id,
      ]);
    }, 200);
    const started = performance.now();
    const { status } = await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-never-confirmed' });
    const tookMs = performance.now() - started;
    clearInterval(renewing);
    expect(status).toBe(200);
    // Three leases until the registration is removed, and one until what the process has cached expires.
    expect(tookMs).toBeGreaterThan(4 * 1000);
    expect(tookMs).toBeLessThan(4 * 1100 + 1500);
    expect(await tenkey.database.query('select 1 from registered_processes where id = $1', [id])).toEqual([]);
    await tenkey.close();
  });
});
