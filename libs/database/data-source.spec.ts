import { DataSource } from 'typeorm';
import { Gate } from '../../test/support/gate';
import { createTestDatabase } from '../../test/support/postgres';
import { dataSourceOptions } from './data-source';
import { isDatabaseUnavailable } from './database-errors';

describe('the connections of the service', () => {
  let database: { url: string; drop(): Promise<void> };
  let gate: Gate;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createTestDatabase();
    gate = new Gate(database.url);
    const options = dataSourceOptions({ url: await gate.listen(), entities: [], responseTimeoutMs: 1000 });
    dataSource = await new DataSource(options).initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    gate.close();
    await database.drop();
  });

  const faultOf = (run: Promise<unknown>) =>
    run.then(
      () => undefined,
      (error: unknown) => error,
    );

  it('are closed when the network fails, even in a transaction, and replaced', async () => {
    await Promise.all(Array.from({ length: 10 }, () => dataSource.query('select pg_sleep(0.05)')));
    gate.freeze();
    const faults = await Promise.all([
      faultOf(dataSource.query('select 1')),
      faultOf(dataSource.transaction((transaction) => transaction.query('select 1'))),
    ]);
    expect(faults.map(isDatabaseUnavailable)).toEqual([true, true]);
    // Each idle connection fails as well, once.
    for (let left = 8; left > 0; left -= 4)
      await Promise.all([1, 2, 3, 4].map(() => faultOf(dataSource.query('select 1'))));
    expect(await dataSource.query('select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('close no statement that the server responds to, however many there are', async () => {
    const began = Date.now();
    while (Date.now() - began < 1500) await dataSource.query('select 1');
    expect(await dataSource.query("select 'on' as still")).toEqual([{ still: 'on' }]);
  });

  it('wait a limited time for a lock, and then report the database as unavailable', async () => {
    const holder = dataSource.createQueryRunner();
    await holder.connect();
    await holder.query('create table held (id int)');
    await holder.startTransaction();
    try {
      await holder.query('lock table held');
      const fault = await faultOf(
        dataSource.transaction(async (transaction) => {
          await transaction.query("set local lock_timeout = '100ms'");
          await transaction.query('select * from held');
        }),
      );
      expect(isDatabaseUnavailable(fault)).toBe(true);
    } finally {
      await holder.rollbackTransaction();
      await holder.query('drop table held');
      await holder.release();
    }
    const settings = (manager: Pick<DataSource, 'query'>) =>
      manager.query(
        `select current_setting('transaction_isolation') as isolation, json_object_agg(name, setting::int) as timeouts
         from pg_settings
         where name in ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout')`,
      );
    expect(await dataSource.transaction('REPEATABLE READ', settings)).toEqual([
      {
        isolation: 'repeatable read',
        timeouts: {
          idle_in_transaction_session_timeout: 15_000,
          lock_timeout: 5000,
          statement_timeout: 15_000,
        },
      },
    ]);
    // A pooler gives the connection to others, so nothing may be left on it.
    expect(await settings(dataSource)).toEqual([
      {
        isolation: 'read committed',
        timeouts: { idle_in_transaction_session_timeout: 0, lock_timeout: 0, statement_timeout: 0 },
      },
    ]);
  });
});
