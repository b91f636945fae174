import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '#database';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres';
import { recordOf } from '../../../test/support/usage';
import { until } from '../../../test/support/until';
import { UsageRecord } from '../usage-record.entity';
import { durationBounds, durationColumns } from './durations';
import { usageFindings } from './usage-findings';
import { deleteHours, insertRecords } from './usage-tables';

const HOUR_MS = 60 * 60 * 1000;

describe('the sums of hours', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await new DataSource(
      dataSourceOptions({ url: database.url, entities: [UsageRecord] }),
    ).initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const hoursOf = (tenantId: string) =>
    dataSource.query<Record<string, any>[]>(
      `select *, to_char(hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI') as utc from usage_hourly
       where tenant_id = $1 order by hour, provider, model`,
      [tenantId],
    );

  it('count a batch once that is written again because its commit was not confirmed', async () => {
    const tenant = randomUUID();
    const batch = [
      recordOf(tenant, { totalMs: 700 }),
      recordOf(tenant, { totalMs: 70, inputTokens: null, outputTokens: null }),
      recordOf(tenant, { totalMs: 20, outcome: 'failed', inputTokens: null, outputTokens: null }),
      recordOf(tenant, { totalMs: 90_000, outcome: 'client_left' }),
      recordOf(tenant, { totalMs: 90_000, outcome: 'broken_off' }),
    ].map((record) => ({ ...record, at: new Date('2026-05-04T10:20:00Z') }));
    await insertRecords(dataSource.manager, batch.slice(0, 2));
    await insertRecords(dataSource.manager, batch);
    await insertRecords(dataSource.manager, batch);
    const rows = await hoursOf(tenant);
    expect(rows).toHaveLength(1);
    const durations = Object.fromEntries(durationColumns.map((column) => [column, 0]));
    expect(rows[0]).toMatchObject({
      ...durations,
      utc: '2026-05-04T10:00',
      provider: 'openai',
      model: 'gpt-4o',
      calls: 5,
      failed: 1,
      unfinished: 2,
      input_tokens: '9',
      output_tokens: '6',
      // Of the two that were completed.
      total_ms: '770',
      to_100_ms: 1,
      to_1000_ms: 1,
    });
    const [daily] = await dataSource.query<object[]>(
      'select calls::int, failed::int, unfinished::int from usage_daily where tenant_id = $1',
      [tenant],
    );
    expect(daily).toEqual({ calls: 5, failed: 1, unfinished: 2 });
  });

  it('count a duration in the bucket whose upper bound it does not exceed', async () => {
    const tenant = randomUUID();
    const durations = [0, ...durationBounds.flatMap((bound) => [bound, bound + 1])];
    await insertRecords(
      dataSource.manager,
      durations.map((totalMs) => recordOf(tenant, { totalMs, at: new Date('2026-05-04T10:20:00Z') })),
    );
    const [row] = await hoursOf(tenant);
    expect(durationColumns.map((column) => row![column] as number)).toEqual([
      ...durationBounds.map(() => 2),
      1,
    ]);
    expect(Number(row!.total_ms)).toBe(durations.reduce((sum, ms) => sum + ms, 0));
  });

  it('begin with the hour in UTC, whatever the time zone of the connection', async () => {
    const tenant = randomUUID();
    // The clocks of Stockholm go back between them, and those of Kolkata are half an hour off.
    const times = ['2026-10-25T00:59:59.999Z', '2026-10-25T01:00:00.000Z', '2026-10-25T01:59:59.999Z'];
    for (const zone of ['Europe/Stockholm', 'Asia/Kolkata', 'America/St_Johns']) {
      await dataSource.transaction(async (transaction) => {
        await transaction.query(`set local timezone = '${zone}'`);
        await insertRecords(
          transaction,
          times.map((at) => recordOf(tenant, { at: new Date(at) })),
        );
      });
    }
    expect((await hoursOf(tenant)).map(({ utc, calls }) => [utc, calls])).toEqual([
      ['2026-10-25T00:00', 3],
      ['2026-10-25T01:00', 6],
    ]);
  });

  it('are those of the records, whatever they are and however they are divided into batches', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    const record = fc.record({
      tenant: fc.constantFrom(one, other),
      model: fc.constantFrom('gpt-4o', 'gpt-4o-mini', 'ä=b'),
      outcome: fc.constantFrom('completed', 'completed', 'failed', 'broken_off', 'client_left'),
      totalMs: fc.nat(400_000),
      inputTokens: fc.option(fc.nat(1_000_000)),
      minutes: fc.nat(60 * 24 * 3),
    });
    const begin = Date.parse('2026-06-01T00:00:00Z');
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 40 }), async (fields) => {
        const records = fields.map(({ tenant, minutes, ...rest }) =>
          recordOf(tenant, { ...rest, at: new Date(begin + minutes * 60_000) }),
        );
        const half = Math.ceil(records.length / 2);
        // The second batch repeats a part of the first.
        await insertRecords(dataSource.manager, records.slice(0, half));
        await insertRecords(dataSource.manager, records.slice(Math.floor(half / 2)));
      }),
      { numRuns: 25 },
    );
    const expected = await dataSource.query(
      `select date_trunc('hour', at, 'UTC') as hour, tenant_id, provider, model, count(*)::int as calls,
         count(*) filter (where outcome = 'failed')::int as failed,
         count(*) filter (where outcome in ('broken_off', 'client_left'))::int as unfinished,
         coalesce(sum(input_tokens), 0)::text as input_tokens, coalesce(sum(output_tokens), 0)::text as output_tokens,
         coalesce(sum(total_ms) filter (where outcome = 'completed'), 0)::text as total_ms,
         count(*) filter (where outcome = 'completed')::int as completed
       from usage_records where tenant_id = any($1) group by 1, 2, 3, 4 order by 1, 2, 3, 4`,
      [[one, other]],
    );
    const counted = await dataSource.query(
      `select hour, tenant_id, provider, model, calls, failed, unfinished, input_tokens, output_tokens, total_ms,
         ${durationColumns.join(' + ')} as completed
       from usage_hourly where tenant_id = any($1) order by 1, 2, 3, 4`,
      [[one, other]],
    );
    expect(counted).toEqual(expected);
    expect(counted.length).toBeGreaterThan(20);
    const { findings } = await dataSource.transaction((transaction) => usageFindings(transaction, 0));
    expect(findings).toEqual([]);
  });

  it('are added by many processes at the same time without a deadlock', async () => {
    const tenants = Array.from({ length: 12 }, () => randomUUID());
    const at = new Date('2026-07-01T10:00:00Z');
    const rounds = 12;
    const processes = 6;
    await Promise.all(
      Array.from({ length: processes }, async (_, process) => {
        for (let round = 0; round < rounds; round += 1) {
          const records = tenants.flatMap((tenant) =>
            ['b', 'a', 'c'].map((model) => recordOf(tenant, { model, at })),
          );
          const inAnyOrder = fc.shuffledSubarray(records, { minLength: records.length });
          const [batch] = fc.sample(inAnyOrder, { numRuns: 1, seed: process * rounds + round });
          await insertRecords(dataSource.manager, batch!);
        }
      }),
    );
    const [sums] = await dataSource.query<object[]>(
      'select count(*)::int as rows, sum(calls)::int as calls from usage_hourly where hour = $1',
      [at],
    );
    expect(sums).toEqual({ rows: 36, calls: 36 * rounds * processes });
  });

  it('lock their rows before those of the days, so that two processes never wait for each other', async () => {
    const tenant = randomUUID();
    const at = new Date('2026-07-02T10:00:00Z');
    const add = () => insertRecords(dataSource.manager, [recordOf(tenant, { at })]);
    await add();
    const holder = dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query('select 1 from usage_hourly where tenant_id = $1 for update', [tenant]);
    const waiting = add();
    await until(async () => {
      const locks = await dataSource.query<object[]>(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return locks.length > 0;
    }, 'the second writer waits for the row of the hour');
    const free = await holder.query('select 1 from usage_daily where tenant_id = $1 for update nowait', [
      tenant,
    ]);
    expect(free).toHaveLength(1);
    await holder.commitTransaction();
    await holder.release();
    await waiting;
    expect((await hoursOf(tenant))[0]!.calls).toBe(2);
  });

  it('are deleted from the oldest on, a chunk at a time, and not while they are being written', async () => {
    const tenant = randomUUID();
    const oldest = Date.parse('2026-01-10T00:00:00Z');
    await insertRecords(
      dataSource.manager,
      [0, 1, 2, 3].map((hours) => recordOf(tenant, { at: new Date(oldest + hours * HOUR_MS) })),
    );
    const left = async () => (await hoursOf(tenant)).map(({ utc }) => String(utc).slice(11, 13));
    const before = new Date(oldest + 3 * HOUR_MS);
    expect(await deleteHours(dataSource.manager, before, 1)).toBe(1);
    expect(await left()).toEqual(['01', '02', '03']);
    await dataSource.transaction(async (transaction) => {
      await transaction.query(`select 1 from usage_hourly where tenant_id = $1 and hour = $2 for update`, [
        tenant,
        new Date(oldest + HOUR_MS),
      ]);
      expect(await deleteHours(dataSource.manager, before, 10)).toBe(1);
    });
    expect(await left()).toEqual(['01', '03']);
    expect(await deleteHours(dataSource.manager, before, 10)).toBe(1);
    expect(await left()).toEqual(['03']);
  });
});
