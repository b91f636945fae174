import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { FernetService, generateKey, Secret } from '#crypto';
import { dataSourceOptions } from '#database';
import { TenantCredential } from '#credentials';
import { entities } from '../../entities';
import { migrations } from '../../libs/database/migrations';
import { sealOf } from '../../libs/credentials/rows/seal';
import { encryptionKey, startTestApp } from '../support/app';
import { runCli } from '../support/cli';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/postgres';

const keys = [
  'sk-of-the-backup-aaaa',
  'sk-staged-in-the-backup-bbbb',
  'sk-before-it-cccc',
  'key-of-mistral-dddd',
];
const password = 'a-password-of-the-copy';
const otherKey = generateKey();

describe('npx tenkey restore verify', () => {
  let copy: TestDatabase;
  let connection: DataSource;
  let folder: string;
  let tenant: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tenkey-restore-'));
    copy = await createTestDatabase();
    const tenkey = await startTestApp({}, { databaseUrl: copy.url });
    tenant = await tenkey.createTenant('sundsvall');
    const path = `/tenants/${tenant}/credentials/openai`;
    await tenkey.setCredential(tenant, 'openai', { api_key: keys[2] });
    await tenkey.sysadmin('put', `${path}?stage=true`).send({ api_key: keys[0] }).expect(200);
    await tenkey.sysadmin('post', `${path}/promote`).expect(200);
    await tenkey.sysadmin('put', `${path}?stage=true`).send({ api_key: keys[1] }).expect(200);
    await tenkey.setCredential(tenant, 'mistral', { api_key: keys[3] });
    await tenkey.close();
    connection = await new DataSource(dataSourceOptions({ url: copy.url, entities })).initialize();
  }, 60_000);
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await connection.destroy();
    await copy.drop();
  });

  const printed: string[] = [];
  afterEach(() => {
    const secrets = [...keys, encryptionKey, otherKey, password];
    expect(printed.filter((text) => secrets.some((secret) => text.includes(secret)))).toEqual([]);
  });
  /** Without any setting but the encryption keys. */
  const run = async (words: readonly string[], env: Record<string, string | undefined> = {}) => {
    const none = { INTRIC_SUPER_API_KEY: undefined, PLATFORM_API_KEY: undefined };
    const result = await runCli({ ...none, ...env }, 'restore', 'verify', ...words);
    printed.push(result.stdout, result.stderr);
    return result;
  };
  const fileWith = (address: string) => {
    const file = join(folder, 'address');
    writeFileSync(file, `${address}\n`, { mode: 0o600 });
    return ['--database-url-file', file];
  };
  const withPassword = (url: string) => Object.assign(new URL(url), { password }).href;
  const verify = (env: Record<string, string | undefined> = {}, ...words: string[]) =>
    run([...fileWith(withPassword(copy.url)), ...words], env);
  const everything = async (): Promise<unknown> => {
    const tables = await connection.query<{ name: string }[]>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`,
    );
    return Promise.all(
      tables.map(({ name }) => connection.query(`select t::text as row from ${name} t order by 1`)),
    );
  };
  /** Changes the copy for one run. */
  const changed = async (table: string, change: () => Promise<unknown>, env: Record<string, string> = {}) => {
    await connection.query(`create table saved as table ${table}`);
    try {
      await change();
      return await verify(env);
    } finally {
      await connection.query(`delete from ${table}`);
      await connection.query(`insert into ${table} table saved`);
      await connection.query('drop table saved');
    }
  };

  it('opens every credential of a sound copy, says what is in it, and changes nothing', async () => {
    const before = await everything();
    const { code, stdout, stderr } = await verify();
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('each opens: 2 live, 1 staged and 1 previous');
    expect(stdout).toMatch(/rows: .*credential_slots 2, .*tenant_credentials 2, .*tenants 1/);
    expect(stdout).toMatch(/newest change: \d{4}-\d\d-\d\dT[\d:]{8}Z, credential\.set \(audit event 6\)/);
    expect(stdout).toMatch(/0 faults, 0 warnings\n$/);
    expect(await everything()).toEqual(before);
  }, 60_000);

  it('accepts the key as an earlier one, from a file, and a head that is in the copy', async () => {
    const key = join(folder, 'key');
    writeFileSync(key, encryptionKey, { mode: 0o600 });
    const [{ seq, hash }] = await connection.query<[{ seq: string; hash: string }]>(
      'select seq, hash from audit_events where seq = 3',
    );
    const env = { ENCRYPTION_KEY: otherKey, ENCRYPTION_KEY_PREVIOUS_FILE: key };
    const { code, stdout } = await verify(env, '--head', `${seq}:${hash}`);
    expect([code, stdout]).toEqual([0, expect.stringContaining('and has the given head')]);
    const missing = await verify({}, '--head', '3:another-hash', '--json');
    const { checks } = JSON.parse(missing.stdout) as { checks: object[] };
    expect(missing.code).toBe(1);
    expect(checks).toContainEqual(
      expect.objectContaining({
        name: 'audit',
        status: 'fault',
        text: 'event 3: the given head is not in the chain',
      }),
    );
  });

  it('names what a wrong key does not open', async () => {
    const { code, stdout } = await verify({ ENCRYPTION_KEY: otherKey });
    expect(code).toBe(1);
    for (const which of ['openai, live', 'mistral, live', 'openai, staged', 'openai, previous']) {
      expect(stdout).toContain(`tenant sundsvall (${tenant}), ${which}: sealed under an encryption key`);
    }
    expect(stdout).toMatch(/audit: 6 events from 1 to 6: cannot be checked/);
    const none = await verify({ ENCRYPTION_KEY: undefined });
    expect([none.code, none.stdout]).toEqual([1, expect.stringContaining('ENCRYPTION_KEY is not set')]);
  });

  it('really opens: a row that fits its seal and whose text no key opens is a fault', async () => {
    const fernet = new FernetService({ current: new Secret(encryptionKey), previous: [] });
    const foreign = new FernetService({ current: new Secret(otherKey), previous: [] });
    const { code, stdout } = await changed('tenant_credentials', async () => {
      const row = await connection
        .createQueryBuilder(TenantCredential, 'c')
        .addSelect('c.sealedApiKey')
        .where(`c.tenant_id = :tenant and c.provider = 'mistral'`, { tenant })
        .getOneOrFail();
      row.sealedApiKey = foreign.encrypt(new Secret('sk-sealed-elsewhere')).sealed;
      const [{ incarnation }] = await connection.query<[{ incarnation: string }]>(
        'select incarnation from tenants',
      );
      row.seal = sealOf(fernet, row, { slot: 'live', incarnation }, { sealForm: 2 });
      await connection.query(
        `update tenant_credentials set sealed_api_key = $1, seal = $2 where provider = 'mistral'`,
        [row.sealedApiKey, row.seal],
      );
    });
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/mistral, live: cannot be opened with its encryption key/),
    ]);
    expect(stdout).toContain('1 fault,');
  });

  it('names former signing keys that do not open, and a trigger that was not restored', async () => {
    const former = `insert into former_encryption_keys values ('0123456789ab', 'enc:fernet:v1:gAAA', '0123456789ab', now())`;
    const signing = await changed('former_encryption_keys', () => connection.query(former));
    expect([signing.code, signing.stdout]).toEqual([
      1,
      expect.stringContaining('the signing keys of the former encryption key 0123456789ab cannot be opened'),
    ]);
    await connection.query('alter table usage_records disable trigger usage_records_are_immutable');
    const trigger = await verify();
    await connection.query('alter table usage_records enable trigger usage_records_are_immutable');
    expect([trigger.code, trigger.stdout]).toEqual([1, expect.stringContaining('is disabled')]);
  });

  it('refuses an empty database, and one of another version', async () => {
    const [empty, migrated] = [await createEmptyDatabase(), await createTestDatabase()];
    const ofEmpty = await run(fileWith(empty.url));
    const ofMigrated = await run(fileWith(migrated.url));
    await Promise.all([empty.drop(), migrated.drop()]);
    expect([ofEmpty.code, ofEmpty.stdout]).toEqual([1, expect.stringContaining('the database is empty')]);
    expect([ofMigrated.code, ofMigrated.stdout]).toEqual([
      1,
      expect.stringContaining('there is neither a tenant nor an audit event'),
    ]);
    const newest = 'where id = (select max(id) from migrations)';
    const older = await changed('migrations', () => connection.query(`delete from migrations ${newest}`));
    expect([older.code, older.stdout]).toEqual([
      1,
      expect.stringMatching(/Tenkey \d+\.\d+\.\d+, which this is, migrates it/),
    ]);
    const later = await changed('migrations', () =>
      connection.query(
        `insert into migrations (timestamp, name) values (1999999999999, 'Later1999999999999')`,
      ),
    );
    expect([later.code, later.stdout]).toEqual([
      1,
      expect.stringContaining('Run the version that migrated it'),
    ]);
    expect(later.stdout).toContain('not run  rows, newest change, schema');
  });

  it('refuses wrong usage without repeating the address', async () => {
    const raw = `postgresql://tenkey:${password}/x@127.0.0.1/tenkey`;
    for (const [words, code, text] of [
      [[], 2, 'exactly one of --database-url-file'],
      [['--database-url', copy.url, '--data-dir', folder], 2, 'exactly one of --database-url-file'],
      [['--data-dir', folder], 1, 'there is no embedded database'],
      [['--database-url', withPassword(copy.url)], 2, 'belongs in a file'],
      [fileWith(raw), 2, 'Percent-encode'],
      [['--database-url-file', join(folder, 'no-such-file')], 3, 'a file that can be read (ENOENT)'],
      [['--database-url', copy.url, '--head', 'x'], 2, '--head must have the form'],
    ] as const) {
      const result = await run(words);
      expect([text, result.code, result.stderr]).toEqual([text, code, expect.stringContaining(text)]);
    }
    const away = await run(fileWith(`postgresql://tenkey:${password}@127.0.0.1:1/tenkey`));
    expect([away.code, away.stdout]).toEqual([1, expect.stringContaining('unavailable: ECONNREFUSED')]);
  });

  // The last one, because it writes to the copy.
  it('says so rightly: with the database and ENCRYPTION_KEY alone, another installation uses every key again', async () => {
    const restored = await startTestApp({}, { databaseUrl: copy.url });
    try {
      const used = async () => {
        expect((await restored.chat(tenant)).status).toBe(200);
        return restored.provider.requests.at(-1)?.key;
      };
      const path = `/tenants/${tenant}/credentials/openai`;
      expect(await used()).toBe(keys[0]);
      await restored.sysadmin('post', `${path}/rollback`).expect(200);
      expect(await used()).toBe(keys[2]);
      await restored.sysadmin('post', `${path}/promote`).expect(200);
      expect(await used()).toBe(keys[1]);
    } finally {
      await restored.close();
    }
  });
});

describe('npx tenkey migrate', () => {
  it('lists and runs what is missing, once', async () => {
    const database = await createEmptyDatabase();
    const migrate = (...words: string[]) => runCli({ DATABASE_URL: database.url }, 'migrate', ...words);
    const dry = await migrate('--dry-run');
    expect([dry.code, dry.stdout.match(/is pending/g)?.length]).toEqual([0, migrations.length]);
    const done = await migrate('--json');
    expect(JSON.parse(done.stdout)).toMatchObject({ pending: [], done: expect.any(Array) });
    expect((JSON.parse(done.stdout) as { done: string[] }).done).toHaveLength(migrations.length);
    expect((await migrate()).stdout).toBe('There is nothing to migrate.\n');
    const connection = await new DataSource(
      dataSourceOptions({ url: database.url, entities: [] }),
    ).initialize();
    await connection.query(`delete from migrations where name like 'AddTokenLimits%'`);
    const refused = await migrate();
    await connection.destroy();
    await database.drop();
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('Restore the rows: insert into migrations'),
    ]);
  });
});
