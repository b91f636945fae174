import { DataSource, type QueryRunner } from 'typeorm';
import { createEmptyDatabase, createTestDatabase, execute, urlFor } from '../../test/support/postgres';
import { dataSourceOptions } from './data-source';
import { migrations } from './migrations';
import { connectAndMigrate } from './migrate';
import { isDatabaseUnavailable } from './database-errors';

const log = (): void => undefined;
const dataSourceOf = (url: string): DataSource => new DataSource(dataSourceOptions({ url, entities: [] }));

async function tablesOf(dataSource: DataSource): Promise<string[]> {
  const rows: { name: string }[] = await dataSource.query(
    "select table_name as name from information_schema.tables where table_schema = 'public' order by 1",
  );
  return rows.map(({ name }) => name);
}

it('replicas that start together with an empty database migrate it once', async () => {
  const database = await createEmptyDatabase();
  const replicas = [dataSourceOf(database.url), dataSourceOf(database.url)] as const;
  await Promise.all(replicas.map((replica) => connectAndMigrate(replica, { waitSeconds: 5, log })));
  expect(await tablesOf(replicas[0])).toEqual([
    'audit_events',
    'audit_head',
    'change_head',
    'credential_health',
    'credential_slots',
    'encryption_canary',
    'encryption_rotation',
    'former_encryption_keys',
    'migrations',
    'registered_processes',
    'stored_objects',
    'sysadmin_keys',
    'tenant_credentials',
    'tenant_keys',
    'tenants',
    'usage_daily',
    'usage_lost',
    'usage_lost_batches',
    'usage_records',
    'verification_run',
  ]);
  expect(await replicas[1].query('select name from migrations')).toHaveLength(migrations.length);
  await Promise.all(replicas.map((replica) => replica.destroy()));
  await database.drop();
});

it('a migration may take longer than any statement of the service', async () => {
  class SlowMigration1790000000000 {
    readonly name = 'SlowMigration1790000000000';
    async up(runner: QueryRunner): Promise<void> {
      await runner.query('select pg_sleep(1.2)');
    }
    async down(): Promise<void> {}
  }
  const database = await createTestDatabase();
  const usual = dataSourceOptions({ url: database.url, entities: [] });
  const dataSource = new DataSource({
    ...usual,
    migrations: [...(usual.migrations as []), SlowMigration1790000000000],
    extra: { ...(usual.extra as object), statement_timeout: 300 },
  });
  await connectAndMigrate(dataSource, { waitSeconds: 5, log });
  expect(await dataSource.query('select name from migrations')).toContainEqual({
    name: 'SlowMigration1790000000000',
  });
  await expect(dataSource.query('select pg_sleep(1.2)')).rejects.toThrow('statement timeout');
  await dataSource.destroy();
  await database.drop();
});

it('a failed migration leaves nothing behind, and the next start can try again', async () => {
  class BrokenMigration1790000000001 {
    readonly name = 'BrokenMigration1790000000001';
    static isFixed = false;
    async up(runner: QueryRunner): Promise<void> {
      await runner.query('create table half_done (id integer)');
      if (!BrokenMigration1790000000001.isFixed) await runner.query('select nonsense');
    }
    async down(): Promise<void> {}
  }
  const database = await createTestDatabase();
  const migrate = () => {
    const usual = dataSourceOptions({ url: database.url, entities: [] });
    const migrations = [...(usual.migrations as []), BrokenMigration1790000000001];
    const dataSource = new DataSource({ ...usual, migrations });
    return connectAndMigrate(dataSource, { waitSeconds: 5, log }).then(() => dataSource);
  };
  await expect(migrate()).rejects.toThrow('nonsense');
  BrokenMigration1790000000001.isFixed = true;
  const dataSource = await migrate();
  expect(await tablesOf(dataSource)).toContain('half_done');
  await dataSource.destroy();
  await database.drop();
});

it('a start waits for a database that is created later, and logs that it waits', async () => {
  const other = await createEmptyDatabase();
  const name = `tenkey_late_${process.pid}`;
  const messages: string[] = [];
  const dataSource = dataSourceOf(urlFor(other.url, name));
  const started = connectAndMigrate(dataSource, {
    waitSeconds: 10,
    log: (message) => messages.push(message),
  });
  await new Promise((done) => setTimeout(done, 700));
  await execute(other.url, `create database ${name}`);
  await started;
  expect(messages[0]).toMatch(new RegExp(`^Waiting for database "${name}"`));
  expect(await tablesOf(dataSource)).toContain('tenants');
  await dataSource.destroy();
  await execute(other.url, `drop database ${name} with (force)`);
  await other.drop();
});

it('the migrations can be undone', async () => {
  const database = await createTestDatabase();
  const dataSource = await dataSourceOf(database.url).initialize();
  for (const _ of migrations) await dataSource.undoLastMigration();
  expect(await tablesOf(dataSource)).toEqual(['migrations']);
  await dataSource.runMigrations();
  expect(await tablesOf(dataSource)).toContain('tenants');
  await dataSource.destroy();
  await database.drop();
});

it('a start without a reachable database fails in time, and names the host and the database but never the password', async () => {
  const messages: string[] = [];
  const start = Date.now();
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
  expect(Date.now() - start).toBeLessThan(4000);
  expect(messages).toHaveLength(1);
  expect(`${messages.join()}${error?.stack}`).not.toContain('hunter2');
});

it('a database that is dropped while it is used counts as unavailable, an invalid statement does not', async () => {
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
