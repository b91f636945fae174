import { type Pool } from 'pg';
import { DataSource } from 'typeorm';
import { Gate } from '../../../test/support/gate';
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
