import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { FernetService, generateKey, Secret } from '#crypto';
import { dataSourceOptions, ReadOnlyDataSource } from '#database';
import { type Result } from '../apps/cli/doctor/check';
import { examine } from '../apps/cli/doctor/doctor';
import { Settings } from '../apps/cli/settings';
import { schema } from '../libs/database/migrations/schema';
import { encryptionKey, platformKey, startTestApp, superKey, type TestApp } from './support/app';
import { runCli } from './support/cli';
import { createTestDatabase, type TestDatabase } from './support/postgres';
import { usageRecords } from './support/usage';

const keys = [
  'sk-the-live-key-aaaa',
  'sk-the-staged-key-bbbb',
  'sk-the-first-key-cccc',
  'key-of-mistral-dddd',
];
const otherKey = generateKey();
const idOf = (key: string) => new FernetService({ current: new Secret(key), previous: [] }).ownKeyId!;
const [keyId, otherKeyId] = [idOf(encryptionKey), idOf(otherKey)];

/** One fault, how it is planted and undone, and how the doctor must report it. */
interface Plant {
  readonly title: string;
  readonly sql?: readonly string[];
  readonly undo?: readonly string[];
  readonly env?: Record<string, string | undefined> | (() => Record<string, string | undefined>);
  /** Files in the folder of the service, with their modes. */
  readonly files?: Record<string, { text: string; mode: number }>;
  readonly clockMs?: number;
  readonly check: string;
  readonly status: Result['status'];
  readonly text: string | RegExp;
  /** A part of the fix, where it is a statement. */
  readonly fix?: string;
}

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
    expect(report.checks.map(({ name }) => name)).toEqual([
      ...[
        'settings',
        'secret files',
        'model catalogue',
        'database',
        'connection',
        'clock',
        'disk',
        'migrations',
      ],
      ...[
        'schema',
        'connections',
        'encryption keys',
        'seals',
        'slots',
        'endpoints',
        'providers',
        'audit',
        'tenants',
      ],
      ...['usage', 'processes'],
    ]);
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
      dataSource.transaction((transaction) => transaction.query(write)),
      dataSource.transaction('SERIALIZABLE', (transaction) => transaction.query(write)),
    ]) {
      await expect(attempt).rejects.toMatchObject({ driverError: { code: '25006' } });
    }
    await dataSource.destroy();
  });

  const ofTrigger = (name: string) => `${schema[name]}`;
  const copyOf = (table: string) => `create table saved as table ${table}`;
  const restored = (table: string) => [
    `delete from ${table}`,
    `insert into ${table} table saved`,
    'drop table saved',
  ];
  const changed = (table: string, change: string) => ({
    sql: [copyOf(table), change],
    undo: restored(table),
  });
  const former = (sealed: string, retired: boolean) =>
    `insert into former_encryption_keys values ('${otherKeyId}', '${sealed}', '${keyId}', now(), ${retired ? 'now()' : 'null'})`;
  const registered = (columns: string, values: string) =>
    `insert into registered_processes (id, lease_ms, renewals, confirmed, ${columns}) values ('${randomUUID()}', 100, 0, 0, ${values})`;
  const unregistered = ['delete from registered_processes where lease_ms = 100'];

  const plants: readonly Plant[] = [
    {
      title: 'an invalid setting',
      env: { PORT: 'seventy', LOG_LEVEL: 'loud' },
      check: 'settings',
      status: 'fault',
      text: 'PORT must be a whole number',
    },
    {
      title: 'a global key that strict mode does not read',
      env: { OPENAI_API_KEY: 'sk-a-global-key-of-the-operator' },
      check: 'settings',
      status: 'warning',
      text: 'not read in strict mode: OPENAI_API_KEY',
    },
    {
      title: 'an .env that every user can read',
      files: { '.env': { text: 'LOG_LEVEL=info\n', mode: 0o644 } },
      check: 'secret files',
      status: 'fault',
      text: '.env can be read by every user',
    },
    {
      title: 'a secret file that its group can read',
      files: { key: { text: encryptionKey, mode: 0o640 } },
      env: () => ({ ENCRYPTION_KEY: undefined, ENCRYPTION_KEY_FILE: join(folder, 'key') }),
      check: 'secret files',
      status: 'warning',
      text: 'the file that ENCRYPTION_KEY_FILE names can be read by its group',
    },
    {
      title: 'a model catalogue that is no YAML',
      files: { 'models.yml': { text: 'completion_models: [', mode: 0o600 } },
      env: () => ({ AI_MODELS_FILE: join(folder, 'models.yml') }),
      check: 'model catalogue',
      status: 'fault',
      text: 'a start fails',
    },
    {
      title: 'a database that does not respond',
      env: { DATABASE_URL: 'postgresql://tenkey:pass@127.0.0.1:1/tenkey' },
      check: 'database',
      status: 'fault',
      text: 'the database is unavailable: ECONNREFUSED',
    },
    {
      title: 'a database that is set to read-only',
      env: () => ({ DATABASE_URL: `${database.url}?options=-c%20default_transaction_read_only%3Don` }),
      check: 'database',
      status: 'fault',
      text: 'set to read-only',
    },
    {
      title: 'a database in which no trigger fires',
      env: () => ({ DATABASE_URL: `${database.url}?options=-c%20session_replication_role%3Dreplica` }),
      check: 'database',
      status: 'fault',
      text: 'no trigger and no foreign key works',
    },
    {
      title: 'clocks that differ',
      clockMs: 10_000,
      check: 'clock',
      status: 'fault',
      text: /ms behind this machine's, which is more than a tenth of CACHE_LEASE_SECONDS/,
    },
    {
      title: 'too few connections',
      sql: [`do $$ begin execute format('alter database %I connection limit 5', current_database()); end $$`],
      undo: [
        `do $$ begin execute format('alter database %I connection limit -1', current_database()); end $$`,
      ],
      check: 'connections',
      status: 'fault',
      text: /of 5 are open; a process may open 12, more than there are/,
    },
    {
      title: 'a deleted row of the migrations',
      ...changed('migrations', `delete from migrations where name = 'CountCacheWrites1765200000000'`),
      check: 'migrations',
      status: 'fault',
      text: 'later migrations are done: CountCacheWrites1765200000000',
      fix: `values (1765200000000, 'CountCacheWrites1765200000000')`,
    },
    {
      title: 'a migration of a later version',
      sql: [`insert into migrations (timestamp, name) values (1999999999999, 'Later1999999999999')`],
      undo: [`delete from migrations where name = 'Later1999999999999'`],
      check: 'migrations',
      status: 'fault',
      text: 'does not know Later1999999999999',
    },
    {
      title: 'a missing migration',
      ...changed('migrations', 'delete from migrations where id = (select max(id) from migrations)'),
      check: 'migrations',
      status: 'fault',
      text: '1 migration is missing',
      fix: 'npx tenkey migrate',
    },
    {
      title: 'a dropped trigger of the audit',
      sql: ['drop trigger audit_events_are_append_only on audit_events'],
      undo: [ofTrigger('trigger audit_events_are_append_only on audit_events')],
      check: 'schema',
      status: 'fault',
      text: 'trigger audit_events_are_append_only on audit_events is missing, so audit events may have been changed',
      fix: 'CREATE TRIGGER audit_events_are_append_only',
    },
    {
      title: 'a disabled trigger of the cache',
      sql: ['alter table tenant_credentials disable trigger tenant_credentials_updated'],
      undo: ['alter table tenant_credentials enable trigger tenant_credentials_updated'],
      check: 'schema',
      status: 'fault',
      text: 'tenant_credentials_updated on tenant_credentials is disabled, so processes may go on',
      fix: 'enable trigger tenant_credentials_updated',
    },
    {
      title: 'a function with another body',
      sql: [
        `create or replace function announce_change() returns trigger language plpgsql as 'begin return null; end'`,
      ],
      undo: [`${schema['function announce_change']}`],
      check: 'schema',
      status: 'fault',
      text: 'function announce_change is not as the migrations made it',
    },
    {
      title: 'a dropped foreign key',
      sql: ['alter table credential_slots drop constraint credential_slots_tenant_id_fkey'],
      undo: [`${schema['constraint credential_slots_tenant_id_fkey on credential_slots']}`],
      check: 'schema',
      status: 'fault',
      text: 'credential_slots_tenant_id_fkey on credential_slots is missing, so rows can be stored that belong to no tenant',
    },
    {
      title: 'foreign keys that are switched off',
      sql: ['alter table tenant_credentials disable trigger all'],
      undo: ['alter table tenant_credentials enable trigger all'],
      check: 'schema',
      status: 'fault',
      text: 'the foreign keys of tenant_credentials are not enforced',
    },
    {
      title: 'a dropped unique constraint',
      sql: ['alter table tenants drop constraint tenants_name_key'],
      undo: [`${schema['constraint tenants_name_key on tenants']}`],
      check: 'schema',
      status: 'fault',
      text: 'tenants_name_key on tenants is missing',
    },
    {
      title: 'a trigger of somebody else',
      sql: [
        'create trigger spy after insert on tenant_credentials for each row execute function refuse_change_of_audit_events()',
      ],
      undo: ['drop trigger spy on tenant_credentials'],
      check: 'schema',
      status: 'warning',
      text: "trigger spy on tenant_credentials is not one of Tenkey's",
    },
    {
      title: 'a wrong encryption key',
      env: { ENCRYPTION_KEY: otherKey },
      check: 'encryption keys',
      status: 'fault',
      text: `the encryption key that seals (fingerprint ${keyId}) is not loaded`,
    },
    {
      title: 'rows under a key that is not loaded',
      ...changed(
        'tenant_credentials',
        `update tenant_credentials set key_id = '${otherKeyId}' where provider = 'vllm'`,
      ),
      check: 'encryption keys',
      status: 'fault',
      text: `fingerprint ${otherKeyId} is not loaded, and rows are sealed under it: 1 live`,
    },
    {
      title: 'a changed canary',
      ...changed('encryption_canary', `update encryption_canary set sealed = 'enc:fernet:v1:gAAA'`),
      check: 'encryption keys',
      status: 'fault',
      text: 'the canary cannot be opened',
    },
    {
      title: 'an ENCRYPTION_KEY that does not seal',
      env: { ENCRYPTION_KEY: otherKey, ENCRYPTION_KEY_PREVIOUS: encryptionKey },
      check: 'encryption keys',
      status: 'warning',
      text: `ENCRYPTION_KEY (fingerprint ${otherKeyId}) does not seal yet`,
    },
    {
      title: 'a retired key that is loaded',
      sql: [former('', true)],
      undo: ['delete from former_encryption_keys'],
      env: { ENCRYPTION_KEY_PREVIOUS: otherKey },
      check: 'encryption keys',
      status: 'warning',
      text: `the retired encryption key ${otherKeyId} is still loaded`,
    },
    {
      title: 'signing keys that cannot be opened',
      sql: [former('enc:fernet:v1:gAAA', false)],
      undo: ['delete from former_encryption_keys'],
      check: 'encryption keys',
      status: 'fault',
      text: `the signing keys of the former encryption key ${otherKeyId} cannot be opened`,
    },
    {
      title: 'a rotation that is paused',
      sql: [
        `insert into encryption_rotation values (1, 'paused', '${keyId}', 9, 4, 0, '[]', '{"table":0}', '{}', now(), now())`,
      ],
      undo: ['delete from encryption_rotation'],
      check: 'encryption keys',
      status: 'warning',
      text: 'a rotation is paused: 4 of 9 rows are sealed again',
    },
    {
      title: 'a live key in clear text',
      ...changed(
        'tenant_credentials',
        `update tenant_credentials set sealed_api_key = 'sk-x' where provider = 'openai'`,
      ),
      check: 'seals',
      status: 'fault',
      text: /tenant sundsvall \(.{36}\), openai, live: stored in clear text/,
    },
    {
      title: 'a staged key under an unknown encryption key',
      ...changed(
        'credential_slots',
        `update credential_slots set key_id = '${otherKeyId}' where slot = 'staged'`,
      ),
      check: 'seals',
      status: 'fault',
      text: /tenant sundsvall \(.{36}\), openai, staged: sealed under an encryption key that is not loaded/,
    },
    {
      title: 'an endpoint that was changed in SQL',
      ...changed(
        'tenant_credentials',
        `update tenant_credentials set settings = '{"endpoint":"https://elsewhere.example"}' where provider = 'vllm'`,
      ),
      check: 'seals',
      status: 'fault',
      text: /tenant harnosand \(.{36}\), vllm, live: does not fit its seal/,
    },
    {
      title: 'a tenant that was created again under the same id',
      ...changed('tenants', `update tenants set incarnation = gen_random_uuid() where name = 'sundsvall'`),
      // The rows of other tables that refer to tenants must survive.
      undo: [
        'update tenants t set incarnation = s.incarnation from saved s where s.id = t.id',
        'drop table saved',
      ],
      check: 'seals',
      status: 'fault',
      text: /openai, previous: does not fit its seal/,
    },
    {
      title: 'a row of no tenant',
      sql: [
        'set session_replication_role = replica',
        `insert into credential_slots select gen_random_uuid(), provider, slot, sealed_api_key, key_hint, settings, key_id, 999, seal, configured_at from credential_slots where slot = 'staged'`,
        'set session_replication_role = origin',
      ],
      undo: [`delete from credential_slots where tenant_id not in (select id from tenants)`],
      check: 'seals',
      status: 'fault',
      text: /tenant id .{36}, openai, staged: belongs to no tenant/,
    },
    {
      title: 'a staged credential that was copied to live',
      ...changed(
        'tenant_credentials',
        `update tenant_credentials c set (sealed_api_key, key_hint, settings, key_id, version, seal, configured_at) =
           (select sealed_api_key, key_hint, settings, key_id, version, seal, configured_at from credential_slots where slot = 'staged')
         where provider = 'openai'`,
      ),
      check: 'slots',
      status: 'fault',
      text: /is stored twice, so one row is a copy: tenant .{36}, openai, live; tenant .{36}, openai, staged/,
    },
    {
      title: 'a previous credential past its time',
      ...changed(
        'credential_slots',
        `update credential_slots set replaced_at = now() - interval '30 days' where slot = 'previous'`,
      ),
      check: 'slots',
      status: 'warning',
      text: /openai, previous: kept longer than CREDENTIAL_ROLLBACK_HOURS/,
    },
    {
      title: 'versions that were set back',
      sql: [
        `create table saved as select last_value from credential_versions`,
        `select setval('credential_versions', 1)`,
      ],
      undo: [`select setval('credential_versions', (select last_value from saved))`, 'drop table saved'],
      check: 'slots',
      status: 'fault',
      text: 'the next credential would get version 2',
      fix: `setval('credential_versions'`,
    },
    {
      title: 'an endpoint that the policy refuses now',
      env: { EGRESS_ALLOW: undefined },
      check: 'endpoints',
      status: 'warning',
      text: /vllm, live: its endpoint is a loopback address/,
    },
    {
      title: 'a credential of a provider that nothing declares',
      ...changed(
        'tenant_credentials',
        `update tenant_credentials set provider = 'gone' where provider = 'mistral'`,
      ),
      check: 'providers',
      status: 'warning',
      text: '1 credential is for gone',
    },
    {
      title: 'an audit event that was edited',
      sql: [
        'alter table audit_events disable trigger all',
        copyOf('audit_events'),
        `update audit_events set actor = 'nobody' where seq = 3`,
      ],
      undo: [...restored('audit_events'), 'alter table audit_events enable trigger all'],
      check: 'audit',
      status: 'fault',
      text: 'event 3: was changed or moved',
    },
    {
      title: 'newest audit events that were removed',
      sql: [
        'alter table audit_events disable trigger all',
        copyOf('audit_events'),
        `delete from audit_events where seq >= (select seq - 1 from audit_head)`,
      ],
      undo: [...restored('audit_events'), 'alter table audit_events enable trigger all'],
      check: 'audit',
      status: 'fault',
      text: 'events after the last one are missing',
    },
    {
      title: 'the state of a tenant that was changed in SQL',
      sql: [`update tenants set state = 'suspended' where name = 'harnosand'`],
      undo: [`update tenants set state = 'active' where name = 'harnosand'`],
      check: 'tenants',
      status: 'fault',
      text: /tenant harnosand \(.{36}\) is suspended, but audit event \d+ made it active/,
    },
    {
      title: 'a tenant that was created in SQL',
      sql: [`insert into tenants (id, name) values (gen_random_uuid(), E'by\\u001b[2Jhand')`],
      undo: [`delete from tenants where name like 'by%hand'`],
      check: 'tenants',
      status: 'warning',
      text: /was not created by Tenkey/,
    },
    {
      title: 'a tenant that was deleted in SQL',
      sql: [
        'set session_replication_role = replica',
        copyOf('tenants'),
        `delete from tenants where name = 'harnosand'`,
      ],
      undo: [
        `insert into tenants select * from saved where name = 'harnosand'`,
        'drop table saved',
        'set session_replication_role = origin',
      ],
      check: 'tenants',
      status: 'fault',
      text: /tenant .{36} is missing: the last audit event of it is \d+, and none deleted it/,
    },
    {
      title: 'a sum of usage that was changed',
      ...changed('usage_daily', 'update usage_daily set output_tokens = output_tokens + 1'),
      check: 'usage',
      status: 'fault',
      text: /1 sum of 1 tenant in usage_daily differs from its records \(3 calls counted, 3 recorded\)/,
    },
    {
      title: 'a usage record that was deleted',
      sql: [
        copyOf('usage_records'),
        `set tenkey.usage_retention = 'on'`,
        'delete from usage_records where request_id = (select max(request_id::text)::uuid from usage_records)',
      ],
      undo: [
        `delete from usage_records`,
        'insert into usage_records table saved',
        'drop table saved',
        'reset tenkey.usage_retention',
      ],
      check: 'usage',
      status: 'fault',
      text: /3 calls counted, 2 recorded/,
    },
    {
      title: 'all records of a day that were deleted',
      sql: [
        `create temp table a_day as table usage_daily`,
        `update a_day set day = day - 2`,
        'insert into usage_daily table a_day',
        'drop table a_day',
      ],
      undo: ['delete from usage_daily where day < (select max(day) from usage_daily)'],
      check: 'usage',
      status: 'warning',
      text: /usage_daily counts 3 calls, of which no record is left/,
    },
    {
      title: 'a process that was killed',
      sql: [registered('encryption_keys, seal_form', `'{${keyId}}', 2`)],
      undo: unregistered,
      check: 'processes',
      status: 'warning',
      text: 'does not renew its registration',
    },
    {
      title: 'a process of an earlier version',
      sql: [registered('encryption_keys', `'{${keyId}}'`)],
      undo: unregistered,
      check: 'processes',
      status: 'warning',
      text: '1 of 1 registered processes runs an earlier version',
    },
    {
      title: 'a process without the encryption key',
      sql: [registered('encryption_keys, seal_form', `'{}', 2`)],
      undo: unregistered,
      check: 'processes',
      status: 'fault',
      text: '1 of 1 registered processes lacks the encryption key that seals',
    },
    {
      title: 'the missing number of the last change',
      ...changed('change_head', 'delete from change_head'),
      check: 'processes',
      status: 'fault',
      text: 'the row of change_head is missing',
      fix: 'insert into change_head',
    },
  ];

  const run = async (statements: readonly string[] = []) => {
    for (const statement of statements) await connection.query(statement);
  };

  // Not before: the first test needs a service that runs. A running one would do no harm to the others, but is waited for.
  it('finds no fault after the service has stopped', async () => {
    await tenkey.close();
    expect(faultsIn(await doctor())).toEqual([]);
  });

  it.each(plants)(
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
      let results: Result[];
      try {
        results = await doctor(typeof env === 'function' ? env() : env);
      } finally {
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
