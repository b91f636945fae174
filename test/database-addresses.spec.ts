import { DataSource } from 'typeorm';
import { clientOptionsOf, connectAndMigrate, dataSourceOptions } from '#database';
import { startTestApp } from './support/app';
import { Gate } from './support/gate';
import { createTestDatabase } from './support/postgres';
import { until } from './support/until';

it('the addresses of DATABASE_URL and DATABASE_DIRECT_URL are known to the address policy, also after a failover', async () => {
  const database = await createTestDatabase();
  const [pool, direct] = [new Gate(database.url), new Gate(database.url)];
  const databaseUrl = await pool.listen('127.0.0.2');
  const tenkey = await startTestApp(
    { DATABASE_DIRECT_URL: await direct.listen('127.0.0.3') },
    { databaseUrl },
  );
  const { addresses } = clientOptionsOf(tenkey.database.options);
  expect([...addresses!].sort()).toEqual(['127.0.0.2', '127.0.0.3']);
  // The connection that receives changes is opened again, perhaps at another address.
  addresses!.clear();
  direct.shut();
  direct.open();
  await until(() => addresses!.has('127.0.0.3'), 'the connection');
  await tenkey.close();
  pool.close();
  direct.close();
  await database.drop();
});

it('the address of DATABASE_DIRECT_URL is known when it is used for migrations only', async () => {
  const database = await createTestDatabase();
  const gate = new Gate(database.url);
  const addresses = new Set<string>();
  const dataSource = new DataSource(dataSourceOptions({ url: database.url, entities: [], addresses }));
  const directUrl = await gate.listen('127.0.0.3');
  await connectAndMigrate(dataSource, { directUrl, waitSeconds: 5, log: () => undefined });
  expect([...addresses]).toContain('127.0.0.3');
  await dataSource.destroy();
  gate.close();
  await database.drop();
});

it.each([
  [{}, 'Check the host and port in DATABASE_URL, and that PostgreSQL is running.'],
  [
    { DATABASE_URL: undefined, DATABASE_HOST: '127.0.0.1' },
    'Check DATABASE_HOST and DATABASE_PORT, and that PostgreSQL is running.',
  ],
])(
  '/ready names the settings that have the address of a database that cannot be reached: %j',
  async (env, advice) => {
    const database = await createTestDatabase();
    const gate = new Gate(database.url);
    const tenkey = await startTestApp(env, { databaseUrl: await gate.listen('127.0.0.4') });
    gate.shut();
    const { status, body } = await tenkey.http().get('/ready');
    expect([status, body.reason]).toEqual([503, `The database cannot be reached. ${advice}`]);
    await tenkey.close();
    gate.close();
    await database.drop();
  },
);
