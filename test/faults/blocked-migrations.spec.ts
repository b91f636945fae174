import { Client } from 'pg';
import { type QueryRunner } from 'typeorm';
import { Gate } from '../support/gate';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';
import { dataSourceOptions } from '../../libs/database/data-source';
import { runMigrations } from '../../libs/database/run-migrations';

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Runs these statements as the next migration. */
function migrate(url: string, statements: readonly string[], waitSeconds: number, responseTimeoutMs = 400) {
  class NextMigration1790000000003 {
    readonly name = 'NextMigration1790000000003';
    async up(runner: QueryRunner): Promise<void> {
      for (const statement of statements) await runner.query(statement);
    }
    async down(): Promise<void> {}
  }
  const usual = dataSourceOptions({ url, entities: [], responseTimeoutMs });
  const migrations = [...(usual.migrations as []), NextMigration1790000000003];
  const messages: string[] = [];
  const log = (message: string) => void messages.push(message);
  return { messages, done: runMigrations({ ...usual, migrations }, { url, waitSeconds, log }) };
}

describe('a migration', () => {
  let database: TestDatabase;
  let gate: Gate;
  beforeEach(async () => {
    database = await createTestDatabase();
    gate = new Gate(database.url);
  });
  afterEach(async () => {
    gate.close();
    await database.drop();
  });

  async function connected(): Promise<Client> {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    return client;
  }

  it('is given up with the reason when the database does not respond any more', async () => {
    const observer = await connected();
    const { done } = migrate(await gate.listen(), ['select pg_sleep(60)'], 1);
    const failed = done.catch((error: unknown) => error);
    const sleeping = "select pid from pg_stat_activity where query = 'select pg_sleep(60)'";
    await until(async () => (await observer.query(sleeping)).rows.length === 1, 'the migration runs');
    gate.silence();
    expect(((await failed) as Error).message).toMatch(
      /^The database became unavailable while it was migrated: it does not respond.*Start again when it responds/,
    );
    await observer.query(`select pg_terminate_backend(pid) from (${sleeping}) s`);
    await observer.end();
  });

  it('is given up when the database does not know it any more', async () => {
    const observer = await connected();
    const { done } = migrate(await gate.listen(), ['select pg_sleep(60)'], 60);
    const failed = done.catch((error: unknown) => error);
    const sleeping = "select pid from pg_stat_activity where query = 'select pg_sleep(60)'";
    await until(async () => (await observer.query(sleeping)).rows.length === 1, 'the migration runs');
    gate.freeze();
    await observer.query(`select pg_terminate_backend(pid) from (${sleeping}) s`);
    expect(((await failed) as Error).message).toContain('has ended the migration');
    await observer.end();
  });

  it('takes as long as it takes while the database responds', async () => {
    const { done } = migrate(await gate.listen(), ['select pg_sleep(3)'], 1);
    expect(await done).toEqual(['NextMigration1790000000003']);
  });

  it('that must wait for a long transaction lets others use the table meanwhile', async () => {
    const [holder, reader] = [await connected(), await connected()];
    await holder.query('begin; lock table tenants in access share mode');
    const { messages, done } = migrate(database.url, ['lock table tenants'], 60);
    const end = performance.now() + 8000;
    let longestMs = 0;
    while (performance.now() < end) {
      const began = performance.now();
      await reader.query('select count(*) from tenants');
      longestMs = Math.max(longestMs, performance.now() - began);
      await sleep(50);
    }
    // It did wait for the migration.
    expect(longestMs).toBeGreaterThan(1000);
    expect(longestMs).toBeLessThan(5000);
    await holder.query('commit');
    expect(await done).toEqual(['NextMigration1790000000003']);
    expect(messages[0]).toMatch(
      /^Waiting for a transaction that holds a lock; the oldest open one is PostgreSQL process \d+, application without a name, idle in transaction for \d+ s; at most \d+ s more/,
    );
    await Promise.all([holder.end(), reader.end()]);
  });

  it('that must wait for too long gives up, and says for whom', async () => {
    const holder = await connected();
    await holder.query('begin; lock table tenants in access share mode');
    const { done } = migrate(database.url, ['lock table tenants'], 1);
    const error = await done.catch((reason: unknown) => reason as Error);
    expect((error as Error).message).toMatch(
      /^Gave up after 1 s: a transaction holds a lock that the next migration needs\. The oldest open one is PostgreSQL process \d+.*Start again when the transaction, such as a backup, has ended/,
    );
    await holder.end();
  });
});
