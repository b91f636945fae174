import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { FernetService, generateKey, Secret } from '#crypto';
import { runCli, startCliProcess } from '../support/cli';
import { eneoKeys } from '../support/eneo-rows';
import {
  createEmptyDatabase,
  createTestDatabase,
  execute,
  type TestDatabase,
  urlFor,
} from '../support/postgres';
import { FaultRow } from './fault-rows';

const { current, oneCharacter } = eneoKeys;

/** More than a page of tenants with three keys each: two in clear text, and one sealed under a key that is not the current one. */
const COUNT = 120;
const tenants = `
  create table tenants (id uuid primary key, name varchar, state varchar, api_credentials jsonb);
  insert into tenants select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'town-' || n, 'active', jsonb_build_object(
    'openai', 'sk-plain-openai-' || n, 'mistral', 'plain-mistral-' || n,
    'vllm', jsonb_build_object('api_key', 'enc:fernet:v1:${oneCharacter.token}', 'endpoint', 'http://vllm:8000'))
  from generate_series(1, ${COUNT}) n`;
const second = '00000000-0000-4000-8000-000000000002';

describe('npx tenkey import eneo', () => {
  let database: TestDatabase;
  let source: TestDatabase;
  let connection: Client;
  let folder: string;

  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const usual = () => ({
    DATABASE_URL: database.url,
    ENCRYPTION_KEY: current.key,
    ENCRYPTION_KEY_PREVIOUS: oneCharacter.key,
  });
  const run = (env: Record<string, string | undefined>, ...words: string[]) =>
    runCli({ ...usual(), ...env }, 'import', 'eneo', ...words);
  /** Number of credentials -> how many tenants have that many. */
  const counts = async () => {
    const { rows } = await connection.query<{ credentials: number; tenants: number }>(
      `select credentials::int, count(*)::int as tenants from (
         select count(c.tenant_id) as credentials
         from tenants t left join tenant_credentials c on c.tenant_id = t.id group by t.id) n
       group by 1`,
    );
    return Object.fromEntries(rows.map((row) => [row.credentials, row.tenants]));
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tenkey-import-'));
    database = await createTestDatabase();
    source = await createEmptyDatabase();
    await execute(source.url, tenants);
    connection = new Client({ connectionString: database.url });
    await connection.connect();
  });
  afterAll(async () => {
    await connection.end();
    await database.drop();
    await source.drop();
    rmSync(folder, { recursive: true });
  });

  it('refuses what cannot be read, in one sentence and without a password', async () => {
    const other = await createEmptyDatabase();
    const withPassword = 'postgres://eneo:pass-word-1234@127.0.0.1';
    const unreachable = 'the Eneo database cannot be read: nothing accepts connections at its address';
    for (const [env, words, code, text] of [
      [{}, [], 2, 'give either --from or --from-file'],
      [{}, ['--from', 'x', '--from-file', 'y'], 2, 'give either --from or --from-file'],
      [{}, ['--from', 'mysql://eneo:pass-word-1234@db/eneo'], 2, 'must begin with postgres://'],
      [{}, ['--from', 'postgres://eneo:pass-word-1234/#@db:x/eneo'], 1, 'special characters of the password'],
      [{}, ['--from', `${withPassword}:1/eneo`], 3, unreachable],
      [{}, ['--from', 'postgres://pass-word-1234.invalid/eneo'], 3, 'its host name cannot be resolved'],
      [{}, ['--from', urlFor(source.url, 'pass-word-1234')], 3, 'the server has no database of this name'],
      [{}, ['--from', database.url], 1, 'this is not an Eneo database'],
      [{}, ['--from', other.url], 1, 'this is not an Eneo database'],
      [{}, ['--from-file', join(folder, 'pass-word-1234')], 3, '--from-file must be the path of a file'],
      [{}, ['--from-file', file('url', `${withPassword}:1/eneo\n`)], 3, unreachable],
      [
        {},
        ['--from', source.url, '--old-encryption-key-file', file('key', 'pass-word-1234')],
        1,
        'a Fernet key of 44 characters',
      ],
      [{ ENCRYPTION_KEY: undefined }, ['--from', source.url], 3, 'ENCRYPTION_KEY'],
      [
        { ENCRYPTION_KEY: undefined, TENANT_CREDENTIALS_ENABLED: 'false' },
        ['--from', source.url],
        1,
        'keys cannot be sealed without it',
      ],
      [
        { DATABASE_URL: 'postgres://tenkey@127.0.0.1:1/tenkey' },
        ['--from', source.url],
        3,
        'error: the database is unavailable',
      ],
    ] as const) {
      const { code: given, stdout, stderr } = await run(env, ...words);
      expect([words, given, stderr]).toEqual([words, code, expect.stringContaining(text)]);
      expect(stdout + stderr).not.toContain('pass-word');
    }
    await other.drop();
    expect(await counts()).toEqual({});
  });

  it('seals a key again that a running process could not open, or whose encryption key is retired', async () => {
    const again = new RegExp(
      `town-${COUNT} +vllm +set +\\.\\.\\. +sealed again under the key that seals now\n`,
    );
    const keyIds = [current, oneCharacter].map(({ key }) => keyIdOf(key));
    await connection.query(
      `insert into registered_processes (id, lease_ms, renewals, confirmed, encryption_keys, seal_form)
       values (gen_random_uuid(), 5000, 0, 0, $1, 2)`,
      [keyIds.slice(0, 1)],
    );
    expect((await run({}, '--from', source.url)).stdout).toMatch(again);
    await connection.query('update registered_processes set encryption_keys = $1', [keyIds]);
    expect((await run({}, '--from', source.url)).stdout).not.toMatch(again);
    await connection.query('delete from registered_processes');
    await connection.query(
      `insert into former_encryption_keys (id, sealed_signing_keys, key_id, replaced_at, retired_at) values ($1, '', $2, now(), now())`,
      [keyIds[1], keyIds[0]],
    );
    expect((await run({}, '--from', source.url)).stdout).toMatch(again);
    await connection.query('delete from former_encryption_keys');
  });

  it('stores nothing of a tenant when one of its credentials cannot be stored', async () => {
    await connection.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'plain-refused'; end $$;
      create trigger refuse before insert on tenant_credentials for each row
        when (new.provider = 'vllm' and new.tenant_id = '${second}') execute function refuse()`);
    // The commands work on the database in either mode.
    const single = { TENANT_CREDENTIALS_ENABLED: 'false' };
    const { code, stdout } = await run(single, '--from', source.url, '--yes');
    await connection.query('drop trigger refuse on tenant_credentials; drop function refuse');
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/^town-2 +skip +\S+2; failed: SQLSTATE P0001$/m),
    ]);
    expect(stdout).toContain(`${COUNT} tenants: ${COUNT - 1} created, 1 skipped.\n`);
    expect(await counts()).toEqual({ 3: COUNT - 1 });
    const { rows } = await connection.query('select 1 from audit_events where tenant_id = $1', [second]);
    expect(rows).toEqual([]);
    const { stdout: rest } = await run({}, '--from-file', file('url', source.url), '--yes');
    expect(rest).toContain(
      `${COUNT} tenants: 1 created.\nCredentials: 3 set, ${3 * (COUNT - 1)} unchanged.\n`,
    );
  });

  it('leaves whole tenants when it is killed, and continues when it is repeated', async () => {
    await connection.query('delete from tenants');
    const row = new FaultRow('an import from Eneo is killed, and repeated');
    const command = startCliProcess(usual(), 'import', 'eneo', '--from', source.url, '--yes');
    while ((await counts())[3] === undefined && command.exitCode === null) await wait(5);
    command.kill('SIGKILL');
    await once(command, 'exit');
    const { 3: whole = 0, ...partial } = await counts();
    row.reached = whole > 0 && whole < COUNT ? 1 : 0;
    row.wrong = Object.values(partial).length;
    const { stdout } = await row.timed(run({}, '--from', source.url, '--yes'));
    row.lost = COUNT - ((await counts())[3] ?? 0);
    row.report();
    expect([row.reached, row.lost, partial]).toEqual([1, 0, {}]);
    expect(stdout).toContain(`${3 * whole} unchanged.\n`);
  });

  it('refuses to seal under another key than that of the database', async () => {
    const wrong = { ENCRYPTION_KEY: generateKey(), ENCRYPTION_KEY_PREVIOUS: undefined };
    for (const words of [[], ['--yes']]) {
      const { code, stderr } = await run(wrong, '--from', source.url, ...words);
      expect([code, stderr]).toEqual([1, expect.stringContaining('ENCRYPTION_KEY may be the wrong one')]);
    }
    expect(await counts()).toEqual({ 3: COUNT });
  });
});

function keyIdOf(key: string): string {
  return new FernetService({ current: new Secret(key), previous: [] }).ownKeyId!;
}
