import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions, ReadOnlyDataSource } from '#database';
import { type Result } from '../../apps/cli/doctor/check';
import { examine } from '../../apps/cli/doctor/doctor';
import { Settings } from '../../apps/cli/settings';
import { encryptionKey, platformKey, startTestApp, superKey, type TestApp } from '../support/app';
import { runCli } from '../support/cli';
import { faultsOfInstallation } from '../support/planted-faults/installation';
import { otherKey, RENEWING_MS } from '../support/planted-faults/plant';
import { faultsOfRows } from '../support/planted-faults/rows';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { usageRecords } from '../support/usage';

const keys = [
  'sk-the-live-key-aaaa',
  'sk-the-staged-key-bbbb',
  'sk-the-first-key-cccc',
  'key-of-mistral-dddd',
];

describe('npx tenkey doctor', () => {
  let tenkey: TestApp;
  let database: TestDatabase;
  let connection: DataSource;
  let folder: string;
  let allowed: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tenkey-doctor-'));
    database = await createTestDatabase();
    // One connection, because some statements of the plants are settings of a session.
    const options = dataSourceOptions({ url: database.url, entities: [], poolSize: 1 });
    connection = await new DataSource(options).initialize();
    tenkey = await startTestApp({}, { databaseUrl: database.url });
    allowed = `127.0.0.1:${new URL(tenkey.provider.url).port}`;
    const sundsvall = await tenkey.createTenant('sundsvall');
    const harnosand = await tenkey.createTenant('harnosand');
    await tenkey.sysadmin('patch', `/tenants/${harnosand}`).send({ state: 'suspended' }).expect(200);
    await tenkey.sysadmin('patch', `/tenants/${harnosand}`).send({ state: 'active' }).expect(200);
    const path = `/tenants/${sundsvall}/credentials/openai`;
    await tenkey.setCredential(sundsvall, 'openai', { api_key: keys[2] });
    await tenkey.sysadmin('put', `${path}?stage=true`).send({ api_key: keys[0] }).expect(200);
    await tenkey.sysadmin('post', `${path}/promote`).expect(200);
    await tenkey.sysadmin('put', `${path}?stage=true`).send({ api_key: keys[1] }).expect(200);
    await tenkey.setCredential(harnosand, 'mistral', { api_key: keys[3] });
    const endpoint = `${tenkey.provider.url}/v1`;
    await tenkey.setCredential(harnosand, 'vllm', { api_key: 'EMPTY', endpoint });
    for (let calls = 0; calls < 3; calls += 1) expect((await tenkey.chat(sundsvall)).status).toBe(200);
    await usageRecords(tenkey, 3);
  }, 60_000);
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await connection.destroy();
    await database.drop();
  });

  const printed: string[] = [];
  afterEach(() => {
    const secrets = [...keys, encryptionKey, otherKey, superKey, platformKey];
    expect(printed.filter((text) => secrets.some((secret) => text.includes(secret)))).toEqual([]);
  });

  const environment = () => ({
    DATABASE_URL: database.url,
    INTRIC_SUPER_API_KEY: superKey,
    PLATFORM_API_KEY: platformKey,
    ENCRYPTION_KEY: encryptionKey,
    EGRESS_ALLOW: allowed,
  });
  const doctor = async (env: Record<string, string | undefined> = {}) => {
    const results = await examine(new Settings({ ...environment(), ...env }, folder));
    printed.push(JSON.stringify(results));
    return results;
  };
  /** Every row of every table, but for the registrations, which processes renew all the time, and the count of changes. */
  const everything = async (): Promise<Record<string, string[]>> => {
    const tables = await connection.query<{ name: string }[]>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
         and relname not in ('registered_processes', 'change_head')`,
    );
    const rows = tables.map(async ({ name }) => {
      const found = await connection.query<{ row: string }[]>(
        `select t::text as row from ${name} t order by 1`,
      );
      return [name, found.map(({ row }) => row)] as const;
    });
    return Object.fromEntries(await Promise.all(rows));
  };
  const faultsIn = (results: readonly Result[]) => results.filter(({ status }) => status === 'fault');

  it('finds no fault in a healthy installation, and changes nothing', async () => {
    const before = await everything();
    const { code, stdout } = await runCli(environment(), 'doctor', '--json');
    const report = JSON.parse(stdout) as { faults: number; checks: Result[] };
    expect([code, report.faults, faultsIn(report.checks)]).toEqual([0, 0, []]);
    expect(report.checks.map(({ name }) => name).join(', ')).toBe(
      'settings, secret files, model catalogue, database, connection, clock, disk, migrations, schema, connections, encryption keys, seals, slots, endpoints, providers, audit, tenants, usage, processes',
    );
    const textOf = (check: string) => report.checks.find(({ name }) => name === check)?.text;
    expect(textOf('seals')).toContain('3 live, 1 staged and 1 previous');
    expect(textOf('usage')).toContain('1 day fit their records (3 are kept)');
    expect(await everything()).toEqual(before);
    printed.push(stdout);
  }, 60_000);

  it('can change nothing, because its transactions are read-only', async () => {
    const options = dataSourceOptions({ url: database.url, entities: [] });
    const dataSource = await new ReadOnlyDataSource(options).initialize();
    const write = `update tenants set name = 'changed'`;
    for (const attempt of [
      () => dataSource.transaction((transaction) => transaction.query(write)),
      () => dataSource.transaction('SERIALIZABLE', (transaction) => transaction.query(write)),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ driverError: { code: '25006' } });
    }
    await dataSource.destroy();
  });

  const run = async (statements: readonly string[] = []) => {
    for (const statement of statements) await connection.query(statement);
  };

  // Not before: the first test needs a service that runs. A running one would do no harm to the others, but is waited for.
  it('finds no fault after the service has stopped', async () => {
    await tenkey.close();
    expect(faultsIn(await doctor())).toEqual([]);
  });

  it.each([...faultsOfInstallation, ...faultsOfRows])(
    'finds $title',
    async ({ sql, undo, env, files = {}, clockMs, check, status, text, fix }) => {
      const before = await everything();
      for (const [name, { text: content, mode }] of Object.entries(files)) {
        writeFileSync(join(folder, name), content);
        chmodSync(join(folder, name), mode);
      }
      await run(sql);
      const now = Date.now;
      if (clockMs !== undefined) jest.spyOn(Date, 'now').mockImplementation(() => now() + clockMs);
      const renewal = `update registered_processes set renewals = renewals + 1 where lease_ms = ${RENEWING_MS}`;
      const renewing = setInterval(() => void connection.query(renewal), 20);
      let results: Result[];
      try {
        results = await doctor(typeof env === 'function' ? env({ folder, databaseUrl: database.url }) : env);
      } finally {
        clearInterval(renewing);
        jest.restoreAllMocks();
        await run(undo);
        for (const name of Object.keys(files)) rmSync(join(folder, name));
      }
      const matching = typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text);
      expect(results).toContainEqual({
        name: check,
        status,
        text: matching,
        fix: fix === undefined ? expect.any(String) : expect.stringContaining(fix),
      });
      expect(await everything()).toEqual(before);
    },
  );
});
