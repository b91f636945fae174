import { DataSource } from 'typeorm';
import { createEmptyDatabase, createTestDatabase } from '../../test/support/postgres';
import { dataSourceOptions } from './data-source';
import { connectAndMigrate } from './migrate';
import { isDatabaseUnavailable } from './unavailable';

const log = (): void => undefined;
const dataSourceOf = (url: string): DataSource => new DataSource(dataSourceOptions({ url, entities: [] }));

async function tablesOf(dataSource: DataSource): Promise<string[]> {
  const rows: { name: string }[] = await dataSource.query(
    "select table_name as name from information_schema.tables where table_schema = 'public' order by 1",
  );
  return rows.map(({ name }) => name);
}

it('replicas that start together on an empty database migrate it once', async () => {
  const database = await createEmptyDatabase();
  const replicas = [dataSourceOf(database.url), dataSourceOf(database.url)] as const;
  await Promise.all(replicas.map((replica) => connectAndMigrate(replica, { waitSeconds: 5, log })));
  expect(await tablesOf(replicas[0])).toEqual([
    'encryption_canary',
    'migrations',
    'tenant_credentials',
    'tenants',
  ]);
  expect(await replicas[1].query('select name from migrations')).toHaveLength(1);
  await Promise.all(replicas.map((replica) => replica.destroy()));
  await database.drop();
});

it('the migrations can be taken back', async () => {
  const database = await createTestDatabase();
  const dataSource = await dataSourceOf(database.url).initialize();
  await dataSource.undoLastMigration();
  expect(await tablesOf(dataSource)).toEqual(['migrations']);
  await dataSource.runMigrations();
  expect(await tablesOf(dataSource)).toContain('tenants');
  await dataSource.destroy();
  await database.drop();
});

it('an unreachable database fails in time, naming host and database but never the password', async () => {
  const messages: string[] = [];
  const began = Date.now();
  const failure = connectAndMigrate(dataSourceOf('postgresql://me:hunter2-secret@127.0.0.1:1/vault'), {
    waitSeconds: 1,
    log: (message) => messages.push(message),
  });
  const error = await failure.then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  expect(error?.message).toMatch(
    /database "vault" at 127\.0\.0\.1:1 after 1 s: .*ECONNREFUSED.*DATABASE_URL/,
  );
  expect(Date.now() - began).toBeLessThan(4000);
  expect(messages).toHaveLength(1);
  expect(`${messages.join()}${error?.stack}`).not.toContain('hunter2');
});

it('a database that is dropped under its connections counts as unavailable, a bad statement does not', async () => {
  const database = await createTestDatabase();
  const dataSource = await dataSourceOf(database.url).initialize();
  const bad = await dataSource.query('select nonsense').catch((error: unknown) => error);
  expect(isDatabaseUnavailable(bad)).toBe(false);
  const sleeping = dataSource.query('select pg_sleep(5)').catch((error: unknown) => error);
  await new Promise((done) => setTimeout(done, 200));
  await database.drop();
  expect(isDatabaseUnavailable(await sleeping)).toBe(true);
  await dataSource.destroy();

  const refused = await dataSourceOf('postgresql://a@127.0.0.1:1/b')
    .initialize()
    .catch((error: unknown) => error);
  expect(isDatabaseUnavailable(refused)).toBe(true);
  const noSocket = await dataSourceOf('postgresql://a@%2Fnonexistent/b')
    .initialize()
    .catch((error: unknown) => error);
  expect(isDatabaseUnavailable(noSocket)).toBe(true);
  expect(isDatabaseUnavailable(new Error('timeout exceeded when trying to connect'))).toBe(true);
  expect(isDatabaseUnavailable(undefined)).toBe(false);
});
