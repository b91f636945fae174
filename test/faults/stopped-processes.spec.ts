import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';
import { FaultRow } from './fault-rows';
import { type ServiceProcess, type Services, startServices } from './service-processes';

const LEASE_MS = 2000;
/** A lease and the tenth by which clocks may differ. */
const SILENCE_MS = LEASE_MS * 1.1;
/** What a busy machine adds. */
const SLACK_MS = 700;
const QUICK_MS = 500;

describe('a process that does not run', () => {
  let database: TestDatabase;
  let services: Services;
  let here: ServiceProcess;
  let other: ServiceProcess;
  beforeAll(async () => {
    database = await createTestDatabase();
    services = await startServices(database.url, 2, {
      env: { CACHE_LEASE_SECONDS: String(LEASE_MS / 1000) },
    });
    [here, other] = services.all as [ServiceProcess, ServiceProcess];
  });
  afterAll(async () => {
    await services.close();
    await database.drop();
  });

  async function newTenant(): Promise<string> {
    const { id } = (await here.change('POST', '/tenants', { name: `tenant-${randomUUID()}` })).body;
    await put(id, 'sk-before');
    return id;
  }
  const put = (tenant: string, api_key: string) =>
    here.change('PUT', `/tenants/${tenant}/credentials/openai`, { api_key });
  async function timed<T>(work: Promise<T>): Promise<{ tookMs: number; value: T }> {
    const started = performance.now();
    const value = await work;
    return { tookMs: performance.now() - started, value };
  }
  const areLeased = async (count: number) =>
    (await services.leases()).join() === Array.from({ length: count }, () => LEASE_MS).join();

  it('delays a change until its lease has expired, and uses the new state at its very first call', async () => {
    const hanging = await services.start();
    const [credential, suspended, revoked, deleted, added] = [
      await newTenant(),
      await newTenant(),
      await newTenant(),
      await newTenant(),
      await newTenant(),
    ];
    const { id, key } = (await here.change('POST', `/tenants/${revoked}/keys`, { name: 'a test' })).body;
    await here.change('DELETE', `/tenants/${added}/credentials/openai`);
    expect((await services.call(hanging, added)).code).toBe('credential_not_configured');
    for (const tenant of [credential, suspended, deleted]) {
      expect((await services.call(hanging, tenant)).usedKey).toBe('sk-before');
    }
    expect((await services.call(hanging, revoked, key)).usedKey).toBe('sk-before');

    await hanging.pause();
    const changes = await Promise.all(
      [
        put(credential, 'sk-after'),
        put(added, 'sk-added'),
        here.change('PATCH', `/tenants/${suspended}`, { state: 'suspended' }),
        other.change('DELETE', `/tenants/${revoked}/keys/${id}`),
        other.change('DELETE', `/tenants/${deleted}`),
      ].map(timed),
    );
    const took = changes.map(({ tookMs }) => Math.round(tookMs));
    // These calls start after the answers. The process finds them, the notifications and the expired timers at once.
    const calls = Promise.all([
      services.call(hanging, credential),
      services.call(hanging, added),
      services.call(hanging, suspended),
      services.call(hanging, revoked, key),
      services.call(hanging, deleted),
    ]);
    expect(await hanging.state()).toBe('T');
    hanging.resume();
    const outcomes = (await calls).map(({ usedKey, code }) => usedKey ?? code);
    const row = new FaultRow('a process is stopped (SIGSTOP): changes in others, and its calls afterwards');
    const expected = ['sk-after', 'sk-added', 'tenant_suspended', 'unauthenticated', 'tenant_not_found'];
    row.reached = changes.length;
    row.wrong = outcomes.filter((outcome, index) => outcome !== expected[index]).length;
    for (const { tookMs } of changes) row.took(tookMs);
    row.report();
    process.stdout.write(`changes during a stop took ${took.join(', ')} ms\n`);
    expect(outcomes).toEqual(expected);
    for (const tookMs of took) {
      // The process may have renewed shortly before, and its silence counts from the first look at the registry.
      expect(tookMs).toBeGreaterThan(SILENCE_MS - LEASE_MS / 4);
      expect(tookMs).toBeLessThan(SILENCE_MS + SLACK_MS);
    }
    await until(() => areLeased(3), 'the process has registered again');
    await hanging.end();
  });

  it('uses nothing that was before a change, however long it was stopped', async () => {
    const hanging = await services.start();
    const tenant = await newTenant();
    const stops = [0.1, 0.6, 0.95, 1.2].map((share) => share * LEASE_MS);
    const row = new FaultRow('a process is stopped (SIGSTOP) for up to 1.2 leases: a change');
    for (const stopMs of stops) {
      expect((await services.call(hanging, tenant)).status).toBe(200);
      await hanging.pause();
      const resuming = new Promise<void>((done) => setTimeout(() => done(hanging.resume()), stopMs));
      const apiKey = `sk-${randomUUID()}`;
      await row.timed(put(tenant, apiKey));
      row.reached += 1;
      if ((await services.call(hanging, tenant)).usedKey !== apiKey) row.wrong += 1;
      await resuming;
    }
    row.report();
    expect(row.wrong).toBe(0);
    await hanging.end();
  });

  it('delays one change by its lease when it is killed, and the next one not at all', async () => {
    const killed = await services.start();
    const tenant = await newTenant();
    expect((await services.call(killed, tenant)).usedKey).toBe('sk-before');
    await killed.kill();
    expect(await areLeased(3)).toBe(true);
    const first = await timed(put(tenant, 'sk-first'));
    expect(await areLeased(2)).toBe(true);
    const second = await timed(put(tenant, 'sk-second'));
    const row = new FaultRow('an idle process is killed: the next changes in others');
    row.reached = [killed.child.signalCode].filter((signal) => signal === 'SIGKILL').length;
    for (const { tookMs } of [first, second]) row.took(tookMs);
    for (const service of [here, other])
      if ((await services.call(service, tenant)).usedKey !== 'sk-second') row.lost += 1;
    row.report();
    expect(row.lost).toBe(0);
    process.stdout.write(
      `after a kill, one change took ${first.tookMs.toFixed(0)} ms and the next one ${second.tookMs.toFixed(0)} ms\n`,
    );
    expect(first.tookMs).toBeLessThan(SILENCE_MS + SLACK_MS);
    expect(second.tookMs).toBeLessThan(QUICK_MS);
    expect(second.value.headers['x-tenkey-in-force']).toMatch(/^processes=2; /);
  });

  it('delays also the answer to a repeated change that finds nothing left to do', async () => {
    const killed = await services.start();
    const hanging = await services.start();
    const tenant = await newTenant();
    expect((await services.call(hanging, tenant)).usedKey).toBe('sk-before');
    await hanging.pause();
    const paused = performance.now();
    const unanswered = killed.sysadmin('DELETE', `/tenants/${tenant}`).catch(() => undefined);
    await until(
      async () => (await services.query('select 1 from tenants where id = $1', [tenant])).length === 0,
      'the tenant is deleted',
    );
    await killed.kill();
    expect(await unanswered).toBeUndefined();
    const repeated = await here.sysadmin('DELETE', `/tenants/${tenant}`);
    const answered = performance.now() - paused;
    const call = services.call(hanging, tenant);
    hanging.resume();
    expect(repeated.body.code).toBe('tenant_not_found');
    expect((await call).code).toBe('tenant_not_found');
    // The process may have renewed a quarter of its lease before it was stopped.
    expect(answered).toBeGreaterThan(LEASE_MS * 0.75);
    await hanging.end();
  });

  it('removes its registration when it stops, so that no change waits for it', async () => {
    const stopping = await services.start();
    const tenant = await newTenant();
    expect(await areLeased(3)).toBe(true);
    stopping.child.kill('SIGTERM');
    expect(await stopping.ended).toBe(0);
    expect(await areLeased(2)).toBe(true);
    const { tookMs, value } = await timed(put(tenant, 'sk-after'));
    process.stdout.write(`after a stop, a change took ${tookMs.toFixed(0)} ms\n`);
    expect(value.headers['x-tenkey-in-force']).toMatch(/^processes=2; /);
    expect(tookMs).toBeLessThan(QUICK_MS);
  });

  it('that verifies credentials is replaced by another one, which verifies what was not done', async () => {
    const tenants: string[] = [];
    for (let count = 0; count < 15; count += 1) tenants.push(await newTenant());
    const killed = await services.start();
    const shown = async () => (await here.sysadmin('GET', '/credentials/verify')).body.verification;
    // Longer than the batch is worked on: the process is killed in the middle.
    for (let count = 0; count < 10; count += 1) services.provider.next({ delayMs: 9000 });
    const { body } = await killed.change('POST', '/credentials/verify');
    expect(body.total).toBeGreaterThanOrEqual(tenants.length);
    await until(() => services.provider.calls.open === 10, 'the first batch is with the provider');
    await killed.kill();
    const killedAt = performance.now();
    expect(await shown()).toMatchObject({ state: 'running', verified: 0 });
    expect((await here.sysadmin('POST', '/credentials/verify')).body.code).toBe('verification_conflict');
    await until(async () => (await shown()).state === 'finished', 'another process continues', 90_000);
    const { verified } = await shown();
    const row = new FaultRow('a process is killed while it verifies credentials');
    row.reached = [killed.child.signalCode].filter((signal) => signal === 'SIGKILL').length;
    row.lost = body.total - verified;
    row.took(performance.now() - killedAt);
    row.report();
    expect(await shown()).toMatchObject({ verified: body.total, not_accepted: 0 });
  });
});
