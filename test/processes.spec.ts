import { Client } from 'pg';
import { generateKey } from '#crypto';
import { encryptionKey, startTestApp, superKey, type TestApp } from './support/app';
import { issueSysadminKey } from './support/keys';
import { OpenApi } from './support/openapi';
import { createTestDatabase, type TestDatabase } from './support/postgres';
import { until } from './support/until';

const processesPath = '/api/v1/sysadmin/processes';

interface Shown {
  readonly id: string;
  readonly is_this: boolean;
  readonly renewals: number;
  readonly renewed_at: string | null;
  readonly [field: string]: unknown;
}

describe('the list of processes', () => {
  let database: TestDatabase;
  let first: TestApp;
  let second: TestApp;
  beforeAll(async () => {
    database = await createTestDatabase();
    first = await startTestApp({ CACHE_LEASE_SECONDS: '2' }, { databaseUrl: database.url });
    // It has the key that seals, and another one.
    second = await startTestApp(
      { CACHE_LEASE_SECONDS: '0', ENCRYPTION_KEY: generateKey(), ENCRYPTION_KEY_PREVIOUS: encryptionKey },
      { databaseUrl: database.url },
    );
  });
  afterAll(async () => {
    await second.close();
    await first.close();
    await database.drop();
  });

  const list = async (process: TestApp): Promise<Shown[]> => {
    const { status, body } = await process.sysadmin('get', '/processes');
    expect([status, body.count]).toEqual([200, body.items?.length]);
    return body.items as Shown[];
  };
  /** A process in another state, as its row shows it. */
  const planted = async (columns: string, values: string) => {
    const [row] = await first.database.query<{ id: string }[]>(
      `insert into registered_processes (id, renewals, confirmed, encryption_keys, ${columns})
       select gen_random_uuid(), 7, number, '{}', ${values} from change_head returning id`,
    );
    return row!.id;
  };

  it('has each process, with its lease and its keys, and says which one responds', async () => {
    const [ofFirst, ofSecond] = [await list(first), await list(second)];
    expect(ofFirst.map(({ is_this }) => is_this)).toEqual([true, false]);
    expect(ofSecond.map(({ is_this }) => is_this)).toEqual([false, true]);
    expect(ofFirst.map(({ id }) => id)).toEqual(ofSecond.map(({ id }) => id));
    const { body: encryption } = await first.sysadmin('get', '/encryption');
    const sealing = encryption.keys.find((key: { seals: boolean }) => key.seals).key_id;
    expect(ofFirst[0]).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      is_this: true,
      registered_at: expect.any(String),
      renewed_at: expect.any(String),
      lease_seconds: 2,
      renewals: expect.any(Number),
      changes_behind: 0,
      is_silent: false,
      encryption_key_ids: [sealing],
      has_sealing_key: true,
      seal_form: 2,
    });
    expect(ofFirst[1]).toMatchObject({
      lease_seconds: 0,
      changes_behind: null,
      is_silent: false,
      encryption_key_ids: [expect.any(String), sealing],
      has_sealing_key: true,
    });
  });

  it('shows renewals', async () => {
    const [before] = await list(first);
    await until(async () => {
      const [now] = await list(first);
      return now!.renewals > before!.renewals && now!.renewed_at! > before!.renewed_at!;
    }, 'a renewal');
  });

  it('says at once that a process is silent which cannot renew, and how many changes it has not confirmed', async () => {
    const own = (await list(first)).find(({ is_this }) => is_this)!;
    const holder = new Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('begin');
    await holder.query('select 1 from registered_processes where id = $1 for update', [own.id]);
    try {
      await second.database.query(`insert into tenants (id, name) values (gen_random_uuid(), 'made-in-sql')`);
      const shown = async () => (await list(second)).find(({ id }) => id === own.id)!;
      const start = Date.now();
      expect(await shown()).toMatchObject({ changes_behind: 1, is_silent: false });
      expect(Date.now() - start).toBeLessThan(1000);
      await until(async () => (await shown()).is_silent === true, 'the process is silent');
      expect(Date.now() - Date.parse(own.renewed_at!)).toBeGreaterThan(2200);
    } finally {
      await holder.query('rollback');
      await holder.end();
    }
    await until(async () => {
      const processes = await list(first);
      return (
        processes.length === 2 &&
        processes.some(
          ({ is_this, is_silent, changes_behind: behind }) => is_this && !is_silent && behind === 0,
        )
      );
    }, 'it is registered and no longer silent');
  });

  it('does not judge a process of an earlier version, and shows one that lacks the key that seals', async () => {
    const earlier = await planted('lease_ms, seal_form', '5000, 1');
    const killed = await planted(
      'lease_ms, seal_form, renewed_at',
      `60000, 2, now() - interval '70 seconds'`,
    );
    const without = await planted('lease_ms, seal_form, renewed_at', `0, 2, now() - interval '5 seconds'`);
    const processes = await list(first);
    const of = (wanted: string) => processes.find(({ id }) => id === wanted);
    expect(of(earlier)).toMatchObject({
      renewed_at: null,
      is_silent: null,
      renewals: 7,
      has_sealing_key: false,
      seal_form: 1,
    });
    expect(of(killed)).toMatchObject({ is_silent: true, lease_seconds: 60, changes_behind: 0 });
    expect(of(without)).toMatchObject({ is_silent: false, lease_seconds: 0, changes_behind: null });
    await first.database.query('delete from registered_processes where id = any($1)', [
      [earlier, killed, without],
    ]);
  });

  it('is as the OpenAPI document describes it, and has no process that was stopped', async () => {
    const third = await startTestApp({}, { databaseUrl: database.url });
    expect(await list(first)).toHaveLength(3);
    await third.close();
    const answer = await first.sysadmin('get', '/processes');
    expect(answer.body.count).toBe(2);
    const api = await OpenApi.of(first);
    expect(api.faultsOfAnswer(`GET ${processesPath}`, answer)).toEqual([]);
    expect(api.route(`GET ${processesPath}`).operation.operationId).toBe('listProcesses');
  });

  it('is for keys of all tenants, and has nothing of a key but its fingerprint', async () => {
    const tenant = await first.createTenant();
    const status = async (fields: Parameters<typeof issueSysadminKey>[1]) => {
      const { key } = await issueSysadminKey(first, fields);
      return (await first.http().get(processesPath).set('X-API-Key', key)).status;
    };
    expect(await status({ scopes: ['readiness:read'] })).toBe(200);
    expect(await status({ scopes: ['usage:read'] })).toBe(403);
    expect(await status({ scopes: ['readiness:read'], tenant_ids: [tenant] })).toBe(403);
    const { text } = await first.http().get(processesPath).set('X-API-Key', superKey);
    expect(text).not.toContain(encryptionKey);
  });
});

it('the list of processes says nothing about a key that seals when there is none', async () => {
  const tenkey = await startTestApp({ TENANT_CREDENTIALS_ENABLED: 'false', ENCRYPTION_KEY: undefined });
  try {
    const { body } = await tenkey.sysadmin('get', '/processes');
    expect(body.items).toMatchObject([{ is_this: true, encryption_key_ids: [], has_sealing_key: null }]);
  } finally {
    await tenkey.close();
  }
});
