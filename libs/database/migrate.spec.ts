import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Client } from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import { version } from '#package.json';
import {
  createEmptyDatabase,
  createTestDatabase,
  execute,
  type TestDatabase,
  urlFor,
} from '../../test/support/postgres';
import { until } from '../../test/support/until';
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
    'audit_values',
    'change_head',
    'credential_health',
    'credential_slots',
    'encryption_canary',
    'encryption_rotation',
    'former_encryption_keys',
    'limit_windows',
    'migrations',
    'registered_processes',
    'stored_objects',
    'sysadmin_keys',
    'sysadmin_sessions',
    'tenant_credentials',
    'tenant_keys',
    'tenants',
    'usage_daily',
    'usage_hourly',
    'usage_lost',
    'usage_lost_batches',
    'usage_records',
    'verification_run',
  ]);
  expect(await replicas[1].query('select name from migrations')).toHaveLength(migrations.length);
  await Promise.all(replicas.map((replica) => replica.destroy()));
  await database.drop();
});

it('a migration may take longer than any statement, also when the database has timeouts of its own', async () => {
  class SlowMigration1790000000000 {
    readonly name = 'SlowMigration1790000000000';
    async up(runner: QueryRunner): Promise<void> {
      await runner.query('lock table held');
      await runner.query('select pg_sleep(0.4)');
      await new Promise((done) => setTimeout(done, 400));
    }
    async down(): Promise<void> {}
  }
  const database = await createTestDatabase();
  const name = new URL(database.url).pathname.slice(1);
  await execute(
    database.url,
    'create table held (id integer)',
    ...['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'].map(
      (timeout) => `alter database ${name} set ${timeout} = '300ms'`,
    ),
  );
  const usual = dataSourceOptions({ url: database.url, entities: [] });
  const dataSource = new DataSource({
    ...usual,
    migrations: [...(usual.migrations as []), SlowMigration1790000000000],
  });
  const holder = new Client({ connectionString: database.url });
  await holder.connect();
  await holder.query('begin; set local idle_in_transaction_session_timeout = 0; lock table held');
  setTimeout(() => void holder.query('commit').then(() => holder.end()), 500);
  await connectAndMigrate(dataSource, { waitSeconds: 5, log });
  expect(await dataSource.query('select name from migrations')).toContainEqual({
    name: 'SlowMigration1790000000000',
  });
  await expect(dataSource.query('select pg_sleep(0.4)')).rejects.toThrow('statement timeout');
  await dataSource.destroy();
  await database.drop();
});

describe('the lock of migrations', () => {
  const lock = 7_364_002;
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createEmptyDatabase();
  });
  afterEach(() => database.drop());

  it('is waited for with a line that says who holds it, and a start gives up in time with the fix', async () => {
    const holder = new Client({ connectionString: database.url, application_name: 'an-earlier-start' });
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('select pg_advisory_lock($1)', [lock]);
    const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
    const messages: string[] = [];
    const dataSource = dataSourceOf(database.url);
    const start = () => connectAndMigrate(dataSource, { waitSeconds: 6, log: (text) => messages.push(text) });
    const began = Date.now();
    const error = await start().catch((reason: unknown) => reason as Error);
    expect(Date.now() - began).toBeGreaterThan(5900);
    expect(Date.now() - began).toBeLessThan(9000);
    const who = new RegExp(`process ${rows[0]!.pid}, application an-earlier-start, idle for \\d+ s`);
    expect(messages).toEqual([expect.stringMatching(who), expect.stringMatching(who)]);
    expect((error as Error).message).toMatch(
      new RegExp(`^Gave up after 6 s: .*${who.source}.*select pg_terminate_backend\\(${rows[0]!.pid}\\)`),
    );
    await execute(database.url, `select pg_terminate_backend(${rows[0]!.pid})`);
    await expect(start()).resolves.toHaveLength(migrations.length);
    await dataSource.destroy();
  });

  it('ends with the client that held it, in the middle of a migration', async () => {
    class HangingMigration1790000000002 {
      readonly name = 'HangingMigration1790000000002';
      static isHanging = true;
      async up(runner: QueryRunner): Promise<void> {
        await runner.query('create table half_done (id integer)');
        if (HangingMigration1790000000002.isHanging) await new Promise(() => undefined);
      }
      async down(): Promise<void> {}
    }
    const start = () => {
      const usual = dataSourceOptions({ url: database.url, entities: [] });
      const all = [...(usual.migrations as []), HangingMigration1790000000002];
      const dataSource = new DataSource({ ...usual, migrations: all });
      return connectAndMigrate(dataSource, { waitSeconds: 10, log }).then(() => dataSource);
    };
    const observer = await dataSourceOf(database.url).initialize();
    void start().catch(() => undefined);
    const holder = `select a.pid from pg_locks l join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'advisory' and a.state = 'idle in transaction'`;
    await until(async () => (await observer.query<object[]>(holder)).length === 1, 'the migration hangs');
    HangingMigration1790000000002.isHanging = false;
    const second = start();
    await observer.query(`select pg_terminate_backend(pid) from (${holder}) h`);
    const dataSource = await second;
    expect(await tablesOf(dataSource)).toContain('half_done');
    await Promise.all([dataSource.destroy(), observer.destroy()]);
  });
});

it('a start refuses the schema of a later version, and one whose rows were deleted, in a sentence and without a change', async () => {
  const database = await createTestDatabase();
  const start = () => connectAndMigrate(dataSourceOf(database.url), { waitSeconds: 5, log });
  await execute(
    database.url,
    'alter table migrations add column if not exists version text',
    "insert into migrations (timestamp, name, version) values (1999000000000, 'OfTomorrow1999000000000', '9.8.7')",
  );
  await expect(start()).rejects.toThrow(
    new RegExp(
      `^Cannot use the schema: a later version has migrated this database \\(Tenkey 9.8.7\\): this version, Tenkey ${version}, does not know OfTomorrow1999000000000. Run the version that migrated it`,
    ),
  );
  await execute(
    database.url,
    "delete from migrations where name = 'OfTomorrow1999000000000'",
    "delete from migrations where name like 'CreateUsageRecords%'",
  );
  await expect(start()).rejects.toThrow(
    /^Cannot use the schema: rows are missing in the table of migrations.*CreateUsageRecords1764600000000.*insert into migrations/,
  );
  const dataSource = await dataSourceOf(database.url).initialize();
  expect(await dataSource.query("select name from migrations where name like 'CreateUsageRecords%'")).toEqual(
    [],
  );
  await dataSource.destroy();
  await database.drop();
});

describe('a migration that the database refuses ends in one sentence with the fix', () => {
  let database: TestDatabase;
  afterEach(() => database.drop());

  /** @param change the address */
  async function refusal(change = (url: string): string => url): Promise<string> {
    const dataSource = dataSourceOf(change(database.url));
    const start = connectAndMigrate(dataSource, { waitSeconds: 5, log });
    const { name, message } = await start.then(
      () => new Error('it was migrated'),
      (error: unknown) => error as Error,
    );
    expect([name, message.split('\n').length]).toEqual(['DatabaseStartError', 1]);
    return message;
  }
  const nameOf = () => new URL(database.url).pathname.slice(1);

  it.each([
    ['all rows', 'delete from migrations', 'every table exists'],
    ['the table', 'drop table migrations', 'every table exists'],
    [
      'the newest rows',
      'delete from migrations where id > (select max(id) - 2 from migrations)',
      'Cannot migrate database .* already exists',
    ],
  ])(
    'when %s of the migrations were deleted: the statement in it restores them',
    async (_, statement, why) => {
      database = await createTestDatabase();
      await execute(database.url, statement);
      const text = await refusal();
      expect(text).toMatch(new RegExp(`${why}.*Restore the rows: `));
      await execute(database.url, text.split('Restore the rows: ')[1]!);
      const dataSource = dataSourceOf(database.url);
      expect(await connectAndMigrate(dataSource, { waitSeconds: 5, log })).toEqual([]);
      await dataSource.destroy();
    },
  );

  it('when another application has a table of the same name', async () => {
    database = await createEmptyDatabase();
    await execute(database.url, 'create table tenants (id integer)');
    expect(await refusal()).toMatch(
      /^Cannot use the schema: the database was never migrated, but already has the table tenants\. If another application uses this database, give Tenkey a database of its own\./,
    );
    await execute(database.url, 'drop table tenants', 'create sequence credential_versions');
    expect(await refusal()).toMatch(/"credential_versions" already exists.*a database of its own/);
  });

  it('when the user may not create in the schema', async () => {
    database = await createEmptyDatabase();
    const role = `tenkey_guest_${process.pid}`;
    await execute(database.url, `create role ${role} login`, 'revoke create on schema public from public');
    const asRole = (url: string) => url.replace(`//${new URL(url).username}`, `//${role}`);
    const text = await refusal(asRole);
    expect(text).toMatch(
      new RegExp(
        `^Cannot migrate database ${nameOf()}: PostgreSQL refused migration \\w+: permission denied for schema public\\. User ${role} lacks a right`,
      ),
    );
    const [, byOwner = '', byGrant = ''] = /run one of: (alter .*;) or: (grant .*;)$/.exec(text) ?? [];
    await execute(database.url, byGrant);
    const dataSource = dataSourceOf(asRole(database.url));
    await connectAndMigrate(dataSource, { waitSeconds: 5, log });
    await dataSource.destroy();
    await execute(
      database.url,
      byOwner,
      `reassign owned by ${role} to current_user`,
      `drop owned by ${role}`,
    );
    await execute(database.url, `drop role ${role}`);
  });

  it('when search_path names no schema, and when the database is read-only', async () => {
    database = await createEmptyDatabase();
    const withPath = (url: string) => `${url}${url.includes('?') ? '&' : '?'}options=-csearch_path%3Dfoo`;
    expect(await refusal(withPath)).toMatch(
      /no schema has been selected.*No schema of search_path \(foo\) exists\. Create one/,
    );
    await execute(database.url, `alter database ${nameOf()} set default_transaction_read_only = on`);
    expect(await refusal()).toMatch(/read-only transaction.*Connect Tenkey to the primary server/);
  });
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

it('a start at a port that accepts and never answers says soon that it waits, and for which database', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const began = Date.now();
  const messages: [string, number][] = [];
  const url = `postgresql://someone@127.0.0.1:${port}?sslmode=disable`;
  const start = connectAndMigrate(dataSourceOf(url), {
    source: 'DATABASE_HOST',
    waitSeconds: 2,
    log: (message) => messages.push([message, Date.now() - began]),
  });
  await expect(start).rejects.toThrow(/that DATABASE_HOST and DATABASE_PORT are right/);
  const [message, afterMs] = messages[0]!;
  // The name that node-postgres takes for a database is that of the user.
  expect(message).toMatch(
    new RegExp(`^Waiting for database "someone" at 127.0.0.1:${port}: it has not responded yet; at most`),
  );
  expect(afterMs).toBeLessThan(1900);
  for (const socket of sockets) socket.destroy();
  server.close();
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
