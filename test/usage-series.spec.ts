import { randomUUID } from 'node:crypto';
import { durationBounds } from '../libs/usage/records/durations';
import { UsageRetentionService } from '../libs/usage/records/usage-retention.service';
import { insertRecords } from '../libs/usage/records/usage-tables';
import { seeded } from './faults/numbers';
import { describeWithApp, startTestApp } from './support/app';
import { issueSysadminKey } from './support/keys';
import { OpenApi } from './support/openapi';
import { recordOf, usageRecords } from './support/usage';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const seriesPath = '/api/v1/sysadmin/usage/series';

/** The start of the hour that was `hours` ago. */
const hourAgo = (hours: number) => new Date((Math.floor(Date.now() / HOUR_MS) - hours) * HOUR_MS);

describeWithApp('the series of usage', (tenkey) => {
  const ask = async (query: string, key?: string) => {
    const request =
      key === undefined
        ? tenkey.sysadmin('get', `/usage/series${query}`)
        : tenkey.http().get(`${seriesPath}${query}`).set('X-API-Key', key);
    const { status, body } = await request;
    expect([query, status]).toEqual([query, 200]);
    return body;
  };
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const insert = (records: Parameters<typeof insertRecords>[1]) =>
    insertRecords(tenkey.database.manager, records);
  /** Records of calls that started in the hour that was `hours` ago. */
  const calls = (
    tenant: string,
    hours: number,
    count: number,
    changes: Parameters<typeof recordOf>[1] = {},
  ) =>
    Array.from({ length: count }, () =>
      recordOf(tenant, { at: new Date(hourAgo(hours).getTime() + 1000), ...changes }),
    );

  it('have the calls of the last 24 hours by provider, with zeros where there were none', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-the-key-of-series-s3r1' });
    await tenkey.chat(tenant).expect(200);
    tenkey.provider.next({ status: 500 });
    await tenkey.chat(tenant).expect(502);
    await usageRecords(tenkey, 2, `&tenant_id=${tenant}`);
    await insert(calls(tenant, 3, 2, { provider: 'anthropic', model: 'claude', totalMs: 800 }));
    const body = await ask(`?tenant_id=${tenant}`);
    expect(body).toMatchObject({ interval: 'hour', rest_count: 0, lost_calls: 0 });
    expect(body.times).toHaveLength(24);
    expect([body.times[0], body.since, body.times[23]]).toEqual([
      hourAgo(23).toISOString(),
      hourAgo(23).toISOString(),
      hourAgo(0).toISOString(),
    ]);
    expect(body.until).toBe(hourAgo(-1).toISOString());
    expect(body.series.map(({ provider, is_rest }: any) => [provider, is_rest])).toEqual([
      ['anthropic', false],
      ['openai', false],
    ]);
    const [anthropic, openai] = body.series;
    const zeros = Array.from({ length: 24 }, () => 0);
    const nulls = zeros.map(() => null);
    expect(anthropic).toEqual({
      provider: 'anthropic',
      is_rest: false,
      calls: zeros.with(20, 2),
      failed: zeros,
      unfinished: zeros,
      input_tokens: zeros.with(20, 6),
      output_tokens: zeros.with(20, 4),
      mean_ms: nulls.with(20, 800 as never),
      // Between 500 and 1000.
      p50_ms: nulls.with(20, 750 as never),
      p95_ms: nulls.with(20, 975 as never),
    });
    expect([sum(openai.calls), sum(openai.failed), sum(openai.input_tokens)]).toEqual([2, 1, 3]);
    expect(openai.mean_ms.filter((value: unknown) => value !== null)).toHaveLength(1);
  });

  it('have those with the most calls, and the sum of the rest in one more', async () => {
    const tenants = await Promise.all(Array.from({ length: 5 }, (_, at) => tenkey.createTenant(`top-${at}`)));
    const model = `model-${randomUUID()}`;
    await insert(
      tenants.flatMap((tenant, at) => [
        ...calls(tenant, 1, at + 1, { model, totalMs: 100 * (at + 1) }),
        ...calls(tenant, 2, 1, { model, outcome: 'failed', totalMs: 5 }),
      ]),
    );
    const body = await ask(`?by=tenant&top=3&model=${model}`);
    expect(body.series.map((each: any) => [each.tenant_name, each.is_rest, sum(each.calls)])).toEqual([
      ['top-4', false, 6],
      ['top-3', false, 5],
      ['top-2', false, 4],
      [null, true, 5],
    ]);
    expect(body.rest_count).toBe(2);
    const rest = body.series[3];
    expect(rest).toMatchObject({ tenant_id: null, is_rest: true });
    expect([rest.calls[22], rest.calls[21], rest.failed[21], rest.mean_ms[21]]).toEqual([3, 2, 2, null]);
    // One call took 100 ms, two 200 ms.
    expect([rest.mean_ms[22], rest.p50_ms[22]]).toEqual([167, 138]);
    const whole = await ask(`?by=tenant&top=5&model=${model}`);
    expect([whole.series.length, whole.rest_count]).toEqual([5, 0]);
    expect(whole.series.every((each: any) => !each.is_rest)).toBe(true);
    const none = await ask(`?by=none&model=${model}`);
    expect(none.series).toHaveLength(1);
    expect(Object.keys(none.series[0])[0]).toBe('is_rest');
    expect(sum(none.series[0].calls)).toBe(20);
    const byModel = await ask(`?by=model&tenant_id=${tenants[0]}&provider=openai`);
    expect(byModel.series).toMatchObject([{ model, is_rest: false }]);
    expect((await ask(`?provider=mistral&model=${model}`)).series).toEqual([]);
  });

  it('have one series of all calls also when there are none', async () => {
    const body = await ask(`?by=none&tenant_id=${randomUUID()}`);
    expect(body.series).toHaveLength(1);
    expect(body.series[0]).toMatchObject({ is_rest: false, calls: Array.from({ length: 24 }, () => 0) });
  });

  it('keep the order of those with equally many calls', async () => {
    const model = `model-${randomUUID()}`;
    const tenant = randomUUID();
    await insert(
      ['openai', 'anthropic', 'mistral'].flatMap((provider) => calls(tenant, 1, 2, { provider, model })),
    );
    const orders = await Promise.all(
      [1, 2, 3].map(async () => (await ask(`?model=${model}`)).series.map((each: any) => each.provider)),
    );
    for (const order of orders) expect(order).toEqual(['anthropic', 'mistral', 'openai']);
  });

  it('have percentiles in the same bucket as the exact ones', async () => {
    const tenant = randomUUID();
    const random = seeded(7);
    const durations = Array.from({ length: 3 }, () =>
      // From a few milliseconds to minutes, evenly over the magnitudes.
      Array.from({ length: 200 }, () => Math.round(10 ** (1 + random() * 4.4))),
    );
    await insert(
      durations.flatMap((hour, hours) =>
        hour.flatMap((totalMs) => calls(tenant, hours + 1, 1, { totalMs, model: `m${totalMs % 3}` })),
      ),
    );
    const { series } = await ask(`?by=none&tenant_id=${tenant}`);
    for (const [hours, all] of durations.entries()) {
      const sorted = [...all].sort((a, b) => a - b);
      for (const [name, percent] of [
        ['p50_ms', 50],
        ['p95_ms', 95],
      ] as const) {
        const exact = sorted[(sorted.length * percent) / 100 - 1]!;
        const bucket = durationBounds.findIndex((bound) => exact <= bound);
        const estimate = series[0][name][22 - hours];
        expect(estimate).toBeGreaterThanOrEqual(durationBounds[bucket - 1] ?? 0);
        expect(estimate).toBeLessThanOrEqual(durationBounds[bucket] ?? 300_000);
      }
      expect(series[0].mean_ms[22 - hours]).toBe(Math.round(sum(all) / all.length));
    }
  });

  it('have days, as far back as there are calls, without durations', async () => {
    const tenant = randomUUID();
    await insert(
      [
        ['2026-03-28T23:59:59Z', 1],
        ['2026-03-29T00:00:00Z', 2],
        ['2026-03-29T23:59:59Z', 3],
        ['2026-03-30T00:00:00Z', 4],
      ].flatMap(([at, count]) => calls(tenant, 0, Number(count), { at: new Date(at!) })),
    );
    const body = await ask(`?interval=day&tenant_id=${tenant}&since=2026-03-28&until=2026-03-31&by=model`);
    expect(body).toMatchObject({
      since: '2026-03-28T00:00:00.000Z',
      until: '2026-03-31T00:00:00.000Z',
      interval: 'day',
      times: ['2026-03-28T00:00:00.000Z', '2026-03-29T00:00:00.000Z', '2026-03-30T00:00:00.000Z'],
      series: [
        { model: 'gpt-4o', calls: [1, 5, 4], p50_ms: [null, null, null], mean_ms: [null, null, null] },
      ],
    });
    const old = await ask(`?interval=day&tenant_id=${tenant}&since=2026-03-29&until=2026-03-30`);
    expect(old.series).toMatchObject([{ provider: 'openai', calls: [5] }]);
  });

  it('agree with the report of the same day', async () => {
    const tenant = randomUUID();
    const today = new Date().toISOString().slice(0, 10);
    const start = Date.parse(today);
    await insert(
      Array.from({ length: 30 }, (_, at) =>
        recordOf(tenant, {
          at: new Date(start + (at / 30) * (Date.now() - start)),
          provider: at % 2 === 0 ? 'openai' : 'mistral',
          outcome: at % 5 === 0 ? 'failed' : 'completed',
        }),
      ),
    );
    const until = new Date(start + DAY_MS).toISOString();
    const { items } = (
      await tenkey.sysadmin(
        'get',
        `/usage?tenant_id=${tenant}&group_by=provider&since=${today}&until=${today}`,
      )
    ).body;
    for (const interval of ['hour', 'day']) {
      const { series } = await ask(
        `?tenant_id=${tenant}&interval=${interval}&since=${today}&until=${encodeURIComponent(until)}`,
      );
      const names = ['calls', 'failed', 'unfinished', 'input_tokens', 'output_tokens'] as const;
      const summed = series.map((each: any) =>
        Object.fromEntries([['provider', each.provider], ...names.map((name) => [name, sum(each[name])])]),
      );
      expect(summed.sort((a: any, b: any) => (a.provider < b.provider ? -1 : 1))).toEqual(
        items.map((item: any) =>
          Object.fromEntries(['provider', ...names].map((name) => [name, item[name]])),
        ),
      );
    }
  });

  it('show a sysadmin key for some tenants only those', async () => {
    const [own, other] = [await tenkey.createTenant(), await tenkey.createTenant()];
    const model = `model-${randomUUID()}`;
    await insert([...calls(own, 1, 1, { model }), ...calls(other, 1, 5, { model })]);
    await tenkey.database.query(
      'insert into usage_lost (day, tenant_id, calls) values (current_date, $1, 2), (current_date, $2, 40)',
      [own, other],
    );
    const { key } = await issueSysadminKey(tenkey, { scopes: ['usage:read'], tenant_ids: [own] });
    for (const by of ['provider', 'tenant', 'model', 'none']) {
      for (const interval of ['hour', 'day']) {
        const body = await ask(`?by=${by}&interval=${interval}&model=${model}&top=1`, key);
        expect(body.series.map((each: any) => sum(each.calls))).toEqual([1]);
        expect([body.rest_count, body.lost_calls]).toEqual([0, 2]);
        expect(JSON.stringify(body)).not.toContain(other);
      }
    }
    expect((await ask(`?tenant_id=${other}`, key)).series).toEqual([]);
    await tenkey.database.query('delete from usage_lost');
  });

  it('say how many calls of their days could not be recorded', async () => {
    const tenant = randomUUID();
    await tenkey.database.query(
      `insert into usage_lost (day, tenant_id, calls)
       select ((now() at time zone 'UTC')::date - n)::date, $1, 10 ^ n from generate_series(0, 3) as n`,
      [tenant],
    );
    const day = (ago: number) => new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10);
    const lost = async (query: string) => (await ask(`?tenant_id=${tenant}${query}`)).lost_calls;
    expect(await lost(`&since=${day(2)}&until=${day(1)}`)).toBe(100);
    expect(await lost(`&since=${day(2)}&until=${day(1)}T00:00:01Z`)).toBe(110);
    expect(await lost(`&interval=day&since=${day(3)}`)).toBe(1111);
  });

  it('outlive their tenant, which then has no name', async () => {
    const tenant = await tenkey.createTenant('a-tenant-that-goes');
    await insert(calls(tenant, 1, 1));
    const shown = async () => (await ask(`?by=tenant&tenant_id=${tenant}`)).series[0];
    expect(await shown()).toMatchObject({ tenant_id: tenant, tenant_name: 'a-tenant-that-goes' });
    await tenkey.sysadmin('delete', `/tenants/${tenant}?erase=true`).expect(204);
    expect(await shown()).toMatchObject({ tenant_id: tenant, tenant_name: null, is_rest: false });
  });

  it('are as the OpenAPI document describes them', async () => {
    const api = await OpenApi.of(tenkey);
    const { operation } = api.route(`GET ${seriesPath}`);
    const { schema } = operation.responses['200'].content['application/json'];
    for (const query of ['?by=tenant&top=1', '?by=model', '?by=none&interval=day']) {
      expect(api.faultsOf(await ask(query), schema)).toEqual([]);
    }
  });

  it.each([
    ['?interval=minute', 'interval'],
    ['?by=colour', 'by'],
    ['?by=provider,model', 'by'],
    ['?top=0', 'top'],
    ['?top=21', 'top'],
    ['?since=yesterday', 'since'],
    ['?since=2026-02-30', 'since'],
    ['?since=2026-02-01', 'since'],
    ['?until=2026-01-01T10:00:00', 'until'],
    ['?interval=day&since=2026-02-02&until=2026-02-02', 'since'],
    ['?interval=day&since=2025-01-01&until=2026-06-01', 'since'],
    ['?tenant_id=a', 'tenant_id'],
    ['?provider=%00', 'provider'],
    [`?model=${'x'.repeat(201)}`, 'model'],
    ['?model=a&model=b', 'model'],
  ])('are refused for %s with the field and without the value', async (query, field) => {
    const answer = await tenkey.sysadmin('get', `/usage/series${query}`);
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed']);
    expect(answer.body.errors.map((error: any) => error.path)).toContain(field);
    expect(answer.text).not.toMatch(/colour|yesterday|minute|xxxx/);
  });
});

it('the sums of hours are kept for 14 days, also when records are kept for ever, and those of days stay', async () => {
  const tenkey = await startTestApp({ USAGE_RETENTION_DAYS: '0' });
  const tenant = randomUUID();
  const oldest = new Date(hourAgo(0).getTime() - 14 * DAY_MS);
  try {
    await insertRecords(
      tenkey.database.manager,
      [-1, 0, 24].map((hours) => recordOf(tenant, { at: new Date(oldest.getTime() + hours * HOUR_MS) })),
    );
    // More than one chunk.
    await tenkey.database.query(
      `insert into usage_hourly select hour - interval '1 day', tenant_id, provider, model || n, 1, 0, 0, 0, 0, 1,
         1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 from usage_hourly, generate_series(1, 12000) as n where hour < $1`,
      [oldest],
    );
    // No record was deleted.
    expect(await tenkey.nest.get(UsageRetentionService, { strict: false }).sweep()).toBe(0);
    const hours = await tenkey.database.query<{ hour: Date }[]>('select hour from usage_hourly order by 1');
    expect(hours.map(({ hour }) => hour.toISOString())).toEqual([
      oldest.toISOString(),
      new Date(oldest.getTime() + DAY_MS).toISOString(),
    ]);
    const [kept] = await tenkey.database.query<object[]>(
      'select (select count(*)::int from usage_records) as records, (select sum(calls)::int from usage_daily) as calls',
    );
    expect(kept).toEqual({ records: 3, calls: 3 });
    const since = encodeURIComponent(new Date(Date.now() - 14 * DAY_MS).toISOString());
    const { body } = await tenkey.sysadmin('get', `/usage/series?since=${since}`);
    expect([body.times.length, body.series[0].calls[0]]).toEqual([337, 1]);
  } finally {
    await tenkey.close();
  }
});
