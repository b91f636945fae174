import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '#database';
import { ModelWindow } from '../../../test/support/model-window';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres';
import { commonWindows, sweepWindows, type WindowReply, type WindowRequest } from './common-windows';
import { issueKey } from '../issued-key';

describe('the common window of a limit', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let tenantId: string;
  const newKey = async () => {
    const { id, hash } = issueKey('tk');
    await dataSource.query(
      `insert into tenant_keys (id, tenant_id, name, key_hash, key_hint, created_at) values ($1, $2, 'a', $3, '...', now())`,
      [id, tenantId, hash],
    );
    return { tenantId, tenantKeyId: id };
  };
  const requestOf = (fields: Partial<WindowRequest>): WindowRequest => ({
    tenantId,
    tenantKeyId: 'none',
    unit: 'requests',
    limit: 100,
    least: 0,
    most: 0,
    corrections: [],
    ...fields,
  });
  const ask = async (requests: readonly WindowRequest[]) =>
    (await commonWindows(dataSource)(requests)) as (WindowReply | undefined)[];
  const count = async () =>
    (await dataSource.query<{ count: number }[]>('select count(*)::int as count from limit_windows'))[0]!
      .count;
  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await new DataSource(dataSourceOptions({ url: database.url, entities: [] })).initialize();
    tenantId = randomUUID();
    await dataSource.query('insert into tenants (id, name) values ($1, $2)', [tenantId, tenantId]);
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it('grants and corrects as the model does, whatever is asked when', async () => {
    const step = fc.record({
      seconds: fc.oneof(fc.constant(0), fc.nat(5), fc.nat(90)),
      least: fc.nat(40),
      more: fc.nat(40),
      corrections: fc.array(fc.tuple(fc.nat(70), fc.integer({ min: -30, max: 30 })), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const key = await newKey();
        const model = new ModelWindow();
        // The window is moved back in time, and the model goes on by as much.
        let moved = 0;
        for (const { seconds, least, more, corrections } of steps) {
          moved += seconds;
          await dataSource.query('update limit_windows set second = second - $1 where tenant_key_id = $2', [
            seconds,
            key.tenantKeyId,
          ]);
          const [{ clock }] = await dataSource.query<[{ clock: number }]>(
            'select floor(extract(epoch from clock_timestamp()))::float8 as clock',
          );
          const bySecond = new Map(corrections.map(([age, amount]) => [clock - age, amount]));
          const asked = requestOf({ ...key, least, most: least + more, corrections: [...bySecond] });
          const [reply] = await ask([asked]);
          const { available, granted, second, amounts } = reply!;
          const expected = model.ask(second + moved, {
            ...asked,
            corrections: [...bySecond].map(([at, amount]) => [at + moved, amount]),
          });
          expect({ available, granted, second: second + moved, amounts }).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is kept apart by unit, and for each key of a batch', async () => {
    const [one, other] = [await newKey(), await newKey()];
    const asked = [one, other].flatMap((key) =>
      (['requests', 'tokens'] as const).map((unit) => requestOf({ ...key, unit, least: 1, most: 70 })),
    );
    expect((await ask(asked)).map((reply) => reply?.granted)).toEqual([70, 70, 70, 70]);
    expect((await ask(asked)).map((reply) => reply?.granted)).toEqual([30, 30, 30, 30]);
  });

  it('never grants more than the limit to processes that ask at the same time', async () => {
    const key = await newKey();
    const replies = await Promise.all(
      Array.from({ length: 40 }, () => ask([requestOf({ ...key, least: 1, most: 7 })])),
    );
    expect(replies.reduce((sum, [reply]) => sum + reply!.granted, 0)).toBe(100);
  });

  it('is left alone while another transaction holds it, and the other keys of the batch wait for it once', async () => {
    const keys = [];
    for (let each = 0; each < 30; each += 1) keys.push(await newKey());
    keys.sort((a, b) => (a.tenantKeyId < b.tenantKeyId ? -1 : 1));
    const asked = keys.map((key) => requestOf({ ...key, least: 1, most: 10 }));
    await ask(asked);
    const held = keys.filter((_, place) => place % 2 === 0).map(({ tenantKeyId }) => tenantKeyId);
    const holder = dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query('select 1 from limit_windows where tenant_key_id = any($1) for update', [held]);
    const begun = performance.now();
    const replies = await commonWindows(dataSource)(asked);
    expect(performance.now() - begun).toBeLessThan(2000);
    await holder.rollbackTransaction();
    await holder.release();
    expect(replies.map((reply) => (reply === 'locked' ? reply : reply?.granted))).toEqual(
      keys.map((_, place) => (place % 2 === 0 ? 'locked' : 10)),
    );
    const after = await ask(keys.map((key) => requestOf({ ...key, most: 1 })));
    expect(after.map((reply) => reply!.available)).toEqual(
      keys.map((_, place) => (place % 2 === 0 ? 90 : 80)),
    );
  });

  it('is not made for a key that does not exist or belongs to another tenant, and is deleted with its key', async () => {
    const key = await newKey();
    const before = await count();
    const foreign = requestOf({ ...key, tenantId: randomUUID(), least: 1, most: 1 });
    expect(await ask([requestOf({ least: 1, most: 1 }), foreign])).toEqual([undefined, undefined]);
    expect(await count()).toBe(before);
    await ask([requestOf({ ...key, least: 1, most: 1 })]);
    expect(await count()).toBe(before + 1);
    await dataSource.query('delete from tenant_keys where id = $1', [key.tenantKeyId]);
    expect(await count()).toBe(before);
  });

  it('moves again at once when the clock of the database was set back by far, and keeps what it counts when by little', async () => {
    const key = await newKey();
    const asking = [requestOf({ ...key, least: 1, most: 60 })];
    await ask(asking);
    const setBack = (seconds: number) =>
      dataSource.query('update limit_windows set second = second + $1 where tenant_key_id = $2', [
        seconds,
        key.tenantKeyId,
      ]);
    await setBack(30);
    expect((await ask(asking))[0]!.granted).toBe(40);
    await setBack(3600);
    expect((await ask(asking))[0]!.granted).toBe(60);
  });

  it('is swept when nobody has used it for minutes', async () => {
    const [used, unused] = [await newKey(), await newKey()];
    await ask([used, unused].map((key) => requestOf({ ...key, least: 1, most: 1 })));
    await dataSource.query('update limit_windows set second = second - 400 where tenant_key_id = $1', [
      unused.tenantKeyId,
    ]);
    const before = await count();
    await sweepWindows(dataSource);
    expect(await count()).toBeLessThan(before);
    const [reply] = await ask([requestOf({ ...used, least: 1, most: 100 })]);
    expect(reply!.granted).toBe(99);
  });
});
