import { createTestDatabase } from '../../test/support/postgres';
import { until } from '../../test/support/until';
import { dataSourceOptions } from './data-source';
import { ServiceDataSource } from './service-data-source';
import { isDatabaseUnavailable } from './database-errors';

describe('transactions of the service', () => {
  let database: { url: string; drop(): Promise<void> };
  let dataSource: ServiceDataSource;
  beforeAll(async () => {
    database = await createTestDatabase();
    const options = dataSourceOptions({ url: database.url, entities: [], poolSize: 4 });
    dataSource = new ServiceDataSource(options, 1500);
    await dataSource.initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  /** Opens two transactions that stay open until the returned function is called. */
  async function held(): Promise<() => Promise<unknown>> {
    const both = [1, 2].map(async () => {
      let begin!: () => void;
      let release!: () => void;
      const started = new Promise<void>((resolve) => (begin = resolve));
      const released = new Promise<void>((resolve) => (release = resolve));
      const done = dataSource.transaction(async (transaction) => {
        await transaction.query('select 1');
        begin();
        await released;
      });
      await started;
      return { done, release };
    });
    const open = await Promise.all(both);
    return () => {
      for (const { release } of open) release();
      return Promise.all(open.map(({ done }) => done));
    };
  }

  it('leave half of the connections to calls, and wait a limited time for each other', async () => {
    const release = await held();
    const third = await dataSource
      .transaction('REPEATABLE READ', () => Promise.resolve('started'))
      .catch((error: unknown) => error);
    expect(isDatabaseUnavailable(third)).toBe(true);
    expect(await dataSource.query('select 1 as one')).toEqual([{ one: 1 }]);
    const waiting = dataSource.transaction((transaction) => transaction.query('select 2 as two'));
    await release();
    expect(await waiting).toEqual([{ two: 2 }]);
  });

  it('all begin when there are many, even when some fail, and none keeps its place', async () => {
    const runs = Array.from({ length: 40 }, (_, index) =>
      dataSource.transaction(async (transaction) => {
        await transaction.query('select 1');
        if (index % 3 === 0) throw new Error('intended');
      }),
    );
    const ends = await Promise.allSettled(runs);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(26);
    const release = await held();
    await release();
  });

  it('fail as when the database is unavailable if the connection is lost between two statements', async () => {
    const failed = await dataSource
      .transaction(async (transaction) => {
        const [{ pid }] = await transaction.query<[{ pid: number }]>('select pg_backend_pid() as pid');
        await dataSource.query('select pg_terminate_backend($1)', [pid]);
        await until(() => transaction.queryRunner!.isReleased, 'the loss is noticed');
        await transaction.query('select 1');
      })
      .catch((error: unknown) => error);
    expect((failed as Error).message).toContain('query runner was already released');
    expect(isDatabaseUnavailable(failed)).toBe(true);
  });
});
