import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { ChangesService } from '#cache';
import { loadConfig } from '#config';
import { EgressService } from '#egress';
import { UsageLogService, UsageMetricsService } from '#usage';
import { encryptionKey, platformKey, startTestApp, superKey, type TestApp } from '../support/app';
import { type Gate } from '../support/gate';
import { startGatedApp } from '../support/gated-app';
import { type TestDatabase } from '../support/postgres';
import { recordOf, usageRecords } from '../support/usage';
import { until } from '../support/until';
import { FaultRow } from './fault-rows';

const key = 'sk-the-key-of-calls-that-count-w4k8';

const withShutdown = (seconds: number) =>
  loadConfig({
    INTRIC_SUPER_API_KEY: superKey,
    PLATFORM_API_KEY: platformKey,
    ENCRYPTION_KEY: encryptionKey,
    SHUTDOWN_SECONDS: String(seconds),
  });

/** The egress of a process without calls. */
const noCalls = () =>
  new EgressService({
    allow: [],
    ownPort: () => undefined,
    processSecrets: [],
    timeoutsOf: () => ({ connectMs: 1, firstByteMs: 1, idleMs: 1 }),
    retries: 0,
    retryRateLimitedMs: 0,
    circuitFailures: 0,
  });

describe('usage', () => {
  let database: TestDatabase;
  let gate: Gate;
  let close: () => Promise<void>;
  let tenkey: TestApp;
  let tenant: string;
  beforeAll(async () => {
    ({ tenkey, gate, database, close } = await startGatedApp());
  });
  beforeEach(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: key });
  });
  afterAll(() => close());

  const total = async () => (await tenkey.sysadmin('get', `/tenants/${tenant}/usage`)).body;
  const today = () => new Date().toISOString().slice(0, 10);
  const lostIn = async (metrics: UsageMetricsService) =>
    Number(/^tenkey_usage_records_lost_total (\d+)$/m.exec(await metrics.registry.metrics())?.[1]);
  const log = (app = tenkey) => app.nest.get(UsageLogService);

  it('of a call that finishes while the database is unavailable is written once, when it is available again', async () => {
    tenkey.provider.next({ chunkDelayMs: 150 });
    const row = new FaultRow('the database is unavailable when a call ends: its usage record');
    const running = row.timed(tenkey.chat(tenant, { stream: true }));
    while (tenkey.provider.requests.length === 0) await wait(5);
    gate.shut();
    expect((await running).status).toBe(200);
    // Longer than the interval between two writes.
    await wait(2500);
    expect(
      tenkey.logLines.filter((line) => line.includes('usage records cannot be written yet')),
    ).toHaveLength(1);
    gate.open();
    await usageRecords(tenkey, 1, `&tenant_id=${tenant}`);
    const { total: sums, lost_calls } = await total();
    row.reached = tenkey.logLines.filter((line) => line.includes('cannot be written yet')).length;
    row.lost = 1 - Math.min(1, sums.calls);
    row.wrong = lost_calls + Math.max(0, sums.calls - 1);
    row.report();
    expect(await total()).toMatchObject({ total: { calls: 1 }, lost_calls: 0 });
  });

  it('that does not fit into memory is counted by tenant, and the count is shown', async () => {
    gate.shut();
    for (let index = 0; index < 50_007; index += 1) log().add(recordOf(tenant));
    await wait(1500);
    gate.open();
    const deadline = Date.now() + 60_000;
    while ((await total()).lost_calls === 0 && Date.now() < deadline) await wait(200);
    expect(await total()).toMatchObject({ total: { calls: 50_000 }, lost_calls: 7 });
    expect(tenkey.logLines.filter((line) => line.includes('7 usage records are lost'))).toHaveLength(1);
    const other = await tenkey.createTenant();
    expect((await tenkey.sysadmin('get', `/tenants/${other}/usage`)).body.lost_calls).toBe(0);
  }, 90_000);

  it('that the database refuses is lost without losing others, counted, and reported in the log immediately', async () => {
    const told = () => tenkey.logLines.filter((line) => line.includes('1 usage records are lost')).length;
    const before = told();
    for (let index = 0; index < 20; index += 1) {
      log().add(recordOf(tenant, index === 7 ? { host: 'no text of PostgreSQL: \u0000' } : {}));
    }
    await until(async () => (await total()).lost_calls > 0, 'the count of what is lost');
    expect(await total()).toMatchObject({ total: { calls: 19 }, lost_calls: 1 });
    await until(() => told() > before, 'the line of the log');
  });

  it('that the database refuses is counted once, even when the records sent with it have to wait', async () => {
    await tenkey.database.query(`
      create function refuse_or_wait() returns trigger language plpgsql as $$ begin
        if new.host = 'refused' then raise sqlstate '22023'; end if;
        if new.host = 'waits' then raise sqlstate '55P03'; end if;
        return new;
      end $$`);
    await tenkey.database.query(
      'create trigger refuse_or_wait before insert on usage_records for each row execute function refuse_or_wait()',
    );
    log().add(recordOf(tenant, { host: 'refused' }));
    log().add(recordOf(tenant, { host: 'waits' }));
    log().add(recordOf(tenant));
    await wait(3500);
    await tenkey.database.query('drop function refuse_or_wait cascade');
    await usageRecords(tenkey, 2, `&tenant_id=${tenant}`);
    await until(async () => (await total()).lost_calls > 0, 'the count of what is lost');
    expect(await total()).toMatchObject({ total: { calls: 2 }, lost_calls: 1 });
  }, 20_000);

  it('that is written twice because the result of a commit was lost counts once', async () => {
    const record = recordOf(tenant);
    log().add(record);
    await usageRecords(tenkey, 1, `&tenant_id=${tenant}`);
    log().add(record);
    log().add(recordOf(tenant));
    await usageRecords(tenkey, 2, `&tenant_id=${tenant}`);
    expect((await total()).total.calls).toBe(2);
  });

  it('that is lost counts once, even when the result of committing its count was lost', async () => {
    await tenkey.database.query(`
      create function commit_late() returns trigger language plpgsql as $$ begin
        perform pg_sleep(0.5);
        return null;
      end $$`);
    await tenkey.database.query(
      'create trigger commit_late after insert on usage_lost execute function commit_late()',
    );
    const server = new Client({ connectionString: database.url });
    await server.connect();
    const one = async (query: string) => (await server.query(query)).rows[0];
    log().add(recordOf(tenant, { host: 'no text of PostgreSQL: \u0000' }));
    await until(
      async () =>
        (
          await one(`select count(*)::int as n from pg_stat_activity
           where datname = current_database() and wait_event = 'PgSleep'`)
        ).n === 1,
      'the write of the count',
    );
    gate.shut();
    await until(
      async () =>
        (await one(`select sum(calls) as n from usage_lost where tenant_id = '${tenant}'`)).n === '1',
      'its commit',
    );
    gate.open();
    await server.query('drop function commit_late cascade');
    await server.end();
    log().add(recordOf(tenant, { host: 'no text of PostgreSQL: \u0000' }));
    await until(async () => (await total()).lost_calls > 1, 'the second count');
    expect((await total()).lost_calls).toBe(2);
  });

  it('is written or counted at shutdown, even when a write fails that runs when it starts', async () => {
    await tenkey.database.query('create sequence writes');
    await tenkey.database.query(`
      create function refuse_some() returns trigger language plpgsql as $$ declare n bigint := nextval('writes'); begin
        -- The second lasts until after the time at which a failed one is tried again.
        perform pg_sleep((array[1.2, 1.3, 0.5, 0.5])[n]);
        if n in (1, 4) then raise sqlstate '55P03'; end if;
        return null;
      end $$`);
    await tenkey.database.query(
      'create trigger refuse_some before insert on usage_records execute function refuse_some()',
    );
    const metrics = new UsageMetricsService();
    const stopping = new UsageLogService(
      tenkey.database,
      metrics,
      noCalls(),
      withShutdown(5),
      tenkey.nest.get(ChangesService),
    );
    for (let index = 0; index < 2000; index += 1) stopping.add(recordOf(tenant));
    // One write is running, and the next one is due.
    await wait(1100);
    await stopping.onApplicationShutdown();
    await tenkey.database.query('drop function refuse_some cascade');
    expect((await total()).total.calls).toBe(1000);
    expect(await lostIn(metrics)).toBe(1000);
    expect(tenkey.logLines.join('')).toContain(`${today()} ${tenant} 1000"`);
    // A record that is added after shutdown.
    stopping.add(recordOf(tenant));
    expect(await lostIn(metrics)).toBe(1001);
    expect(tenkey.logLines.join('')).toContain(
      `that no report counts, by day and tenant: ${today()} ${tenant} 1"`,
    );
  });

  it.each([
    ['is written after all', (holder: Client) => holder.query('select pg_advisory_unlock(1)'), 500, 500],
    [
      'is not written',
      (holder: Client) =>
        holder.query(
          `select pg_cancel_backend(pid) from pg_stat_activity
           where datname = current_database() and wait_event_type = 'Lock'`,
        ),
      0,
      1000,
    ],
    ['is written when its connection has ended', () => (gate.shut(), gate.open()), 500, 500],
  ])(
    'does not delay shutdown for long, and is counted, when what was sent %s',
    async (_, act, written, lost) => {
      const holder = new Client({ connectionString: database.url });
      await holder.connect();
      await holder.query('select pg_advisory_lock(1)');
      await holder.query(`
        create function wait_in_the_middle() returns trigger language plpgsql as $$ begin
          perform pg_advisory_xact_lock(1);
          return null;
        end $$;
        create trigger wait_in_the_middle before insert on usage_records execute function wait_in_the_middle()`);
      const metrics = new UsageMetricsService();
      const stopping = new UsageLogService(
        tenkey.database,
        metrics,
        noCalls(),
        withShutdown(0),
        tenkey.nest.get(ChangesService),
      );
      for (let index = 0; index < 1000; index += 1) stopping.add(recordOf(tenant));
      const began = Date.now();
      await stopping.onApplicationShutdown();
      expect(Date.now() - began).toBeLessThan(3000);
      // Records in a running statement may still be written.
      expect(await lostIn(metrics)).toBe(500);
      const named = (text: string) => `${text}, by day and tenant: ${today()} ${tenant} 500"`;
      expect(tenkey.logLines.join('')).toContain(named('that no report counts'));
      expect(tenkey.logLines.join('')).toContain(named('that the database did not confirm'));
      await act(holder);
      await until(async () => (await lostIn(metrics)) === lost, 'the count of what is lost');
      await holder.query('select pg_advisory_unlock(1)');
      await until(async () => (await total()).total.calls === written, 'the last write');
      await holder.query('drop function wait_in_the_middle cascade');
      await holder.end();
      expect(await lostIn(metrics)).toBe(lost);
    },
  );

  it('of several simultaneous processes adds up', async () => {
    const others = await Promise.all([1, 2].map(() => startTestApp({}, { databaseUrl: database.url })));
    for (let round = 0; round < 20; round += 1) {
      for (const app of [tenkey, ...others]) {
        for (let index = 0; index < 30; index += 1) {
          log(app).add(recordOf(tenant, { model: `model-${(index * 7 + round) % 11}` }));
        }
      }
      await wait(20);
    }
    // A stop writes the pending records.
    await Promise.all(others.map((app) => app.close()));
    await until(async () => (await total()).total.calls >= 1800, 'the last of the records');
    expect(await total()).toMatchObject({ total: { calls: 1800, input_tokens: 5400 }, lost_calls: 0 });
  }, 30_000);

  it('is kept as long as the setting says, and the sums of its day stay', async () => {
    const old = new Date(Date.now() - 10.5 * 24 * 60 * 60 * 1000);
    log().add(recordOf(tenant, { at: old }));
    log().add(recordOf(tenant));
    await usageRecords(tenkey, 2, `&tenant_id=${tenant}`);
    const keeping = async (days: string) =>
      (await startTestApp({ USAGE_RETENTION_DAYS: days }, { databaseUrl: database.url })).close();
    for (const [days, left] of [
      ['0', 2],
      ['11', 2],
      ['10', 1],
    ] as const) {
      await keeping(days);
      expect([days, (await usageRecords(tenkey, left, `&tenant_id=${tenant}`)).length]).toEqual([days, left]);
    }
    expect((await total()).total.calls).toBe(2);
  }, 30_000);
});
