import { type Pool } from 'pg';
import { DataSource } from 'typeorm';
import { Gate } from '../../../test/support/gate';
import { until } from '../../../test/support/until';
import { createTestDatabase } from '../../../test/support/postgres';
import { dataSourceOptions } from '../data-source';
import { isDatabaseUnavailable } from '../database-errors';
import { connectionOptions } from './connection-options';
import { DatabaseClient } from './database-client';

test('a broken connection does not keep the process alive, even when it is still used', async () => {
  const database = await createTestDatabase();
  const gate = new Gate(database.url);
  const addresses = new Set<string>();
  const client = new DatabaseClient({
    addresses,
    ...connectionOptions(await gate.listen()),
    responseTimeoutMs: 60_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('select 1');
  // Where the database is, for the address policy.
  expect([...addresses]).toEqual(['127.0.0.1']);
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  gate.shut();
  await expect(client.query('select 1')).rejects.toThrow();
  // A transaction sends its rollback in this way.
  await expect(client.query('rollback')).rejects.toThrow();
  expect(timers()).toBe(before);
  gate.close();
  await database.drop();
});

describe('a statement that is given up', () => {
  it.each(['directly', 'through a proxy'])(
    'does not go on in the server, which is reached %s',
    async (way) => {
      const database = await createTestDatabase();
      const gate = new Gate(database.url);
      const url = way === 'directly' ? database.url : await gate.listen();
      const [service, other] = await Promise.all([
        new DataSource(dataSourceOptions({ url, entities: [], responseTimeoutMs: 300 })).initialize(),
        new DataSource(dataSourceOptions({ url: database.url, entities: [] })).initialize(),
      ]);
      const waiting = async () =>
        (
          await other.query<unknown[]>(
            "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
          )
        ).length;
      await other.transaction(async (holder) => {
        await holder.query('lock table tenants');
        const given = service.query('select * from tenants').catch((error: unknown) => error);
        await until(async () => (await waiting()) === 1, 'the statement waits');
        expect(isDatabaseUnavailable(await given)).toBe(true);
        await until(async () => (await waiting()) === 0, 'the server has ended it', 3000);
      });
      expect(await service.query('select 1 as one')).toEqual([{ one: 1 }]);
      await Promise.all([service.destroy(), other.destroy()]);
      gate.close();
      await database.drop();
    },
  );
});

test('a connection that the server ends in the moment in which it is handed out does not crash the process, and the next one works', async () => {
  const database = await createTestDatabase();
  const options = dataSourceOptions({ url: database.url, entities: [], poolSize: 1 });
  const dataSource = await new DataSource(options).initialize();
  const { master } = dataSource.driver as unknown as { master: Pool };
  const other = await new DataSource(options).initialize();
  const [{ pid }] = await dataSource.query<[{ pid: number }]>('select pg_backend_pid() as pid');
  const taken = await master.connect();
  const lost = new Promise((done) => taken.once('end', done));
  await other.query('select pg_terminate_backend($1)', [pid]);
  await lost;
  const fault = await taken.query('select 1').catch((error: unknown) => error);
  expect(isDatabaseUnavailable(fault)).toBe(true);
  taken.release();
  expect(await dataSource.query('select 1 as one')).toEqual([{ one: 1 }]);
  await Promise.all([dataSource.destroy(), other.destroy()]);
  await database.drop();
});
