import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres';
import { until } from '../../test/support/until';
import { announcedChange, type AnnouncedChange } from './membership';

describe('the triggers of the cached tables', () => {
  let database: TestDatabase;
  let sql: Client;
  let listener: Client;
  const heard: AnnouncedChange[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    [sql, listener] = [database, database].map(({ url }) => new Client({ connectionString: url })) as [
      Client,
      Client,
    ];
    for (const client of [sql, listener]) await client.connect();
    listener.on('notification', ({ payload }) => heard.push(announcedChange(payload!)!));
    await listener.query('listen tenkey_changes');
  });
  afterAll(async () => {
    await sql.end();
    await listener.end();
    await database.drop();
  });

  beforeEach(() => sql.query('rollback'));

  const headNumber = async () => {
    const { rows } = await sql.query<{ number: string }>('select number from change_head');
    return Number(rows[0]!.number);
  };
  /** What the statements raise the number by, and what is announced for each number. */
  async function announcedBy(...statements: string[]) {
    const before = await headNumber();
    heard.length = 0;
    for (const statement of statements) await sql.query(statement);
    const raised = (await headNumber()) - before;
    // Notifications arrive in the order of the commits, so this one is the last.
    await sql.query(`select pg_notify('tenkey_changes', '0 *')`);
    await until(() => heard.at(-1)?.number === 0, 'the last notification arrives');
    // Those of what the test has created may arrive late.
    const announced = heard.filter(({ number }) => number > before);
    expect(announced.map(({ number }) => number - before)).toEqual(
      Array.from({ length: raised }, (_, index) => index + 1),
    );
    return announced.map(({ changed }) => (changed === 'all' ? 'all' : [...changed].sort()));
  }
  async function newTenants(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUID()).sort();
    await sql.query(`insert into tenants (id, name) select id, 'tenant ' || id from unnest($1::uuid[]) id`, [
      ids,
    ]);
    return ids;
  }
  async function newTenant(): Promise<string> {
    const [id] = await newTenants(1);
    await sql.query(
      `insert into tenant_credentials
         (tenant_id, provider, sealed_api_key, key_hint, key_id, version, seal, configured_at)
       values ($1, 'openai', 'sealed', 'hint', 'key', 1, 'seal', now())`,
      [id],
    );
    await sql.query(
      `insert into tenant_keys (id, tenant_id, name, key_hash, key_hint, created_at)
       values ($2, $1, 'a key', 'hash', 'hint', now())`,
      [id, `key-of-${id}`],
    );
    return id!;
  }
  const suspend = (...ids: string[]) =>
    `update tenants set state = 'suspended' where id in (${ids.map((id) => `'${id}'`).join()})`;
  const activate = (id: string) => `update tenants set state = 'active' where id = '${id}'`;
  const useKey = (id: string) => `update tenant_keys set last_used_at = now() where tenant_id = '${id}'`;

  it('announce the tenants of one transaction once, however many rows it changes', async () => {
    const [one, other] = [await newTenant(), await newTenant()];
    const changes = [
      suspend(one, other),
      `update tenant_credentials set version = 2 where tenant_id = '${one}'`,
      `delete from tenant_keys where tenant_id = '${one}'`,
      activate(one),
    ];
    expect(await announcedBy('begin', ...changes, 'commit')).toEqual([[one, other].sort()]);
  });

  it('announce what a foreign key deletes with a tenant', async () => {
    const tenant = await newTenant();
    expect(await announcedBy(`delete from tenants where id = '${tenant}'`)).toEqual([[tenant]]);
  });

  it('announce both tenants of a row that is given to another one', async () => {
    const [from, to] = [await newTenant(), await newTenant()];
    const move = `update tenant_keys set tenant_id = '${to}' where tenant_id = '${from}'`;
    expect(await announcedBy(move)).toEqual([[from, to].sort()]);
  });

  it('announce nothing when a key was used or a row stays as it is', async () => {
    const tenant = await newTenant();
    const same = `update tenants set state = state where id = '${tenant}'`;
    expect(await announcedBy(useKey(tenant), same)).toEqual([]);
  });

  it('announce another change of a key also in the statement that notes its use', async () => {
    const tenant = await newTenant();
    const both = useKey(tenant).replace('set', 'set expires_at = now(),');
    expect(await announcedBy(both)).toEqual([[tenant]]);
  });

  it('announce nothing for a transaction that is rolled back', async () => {
    const tenant = await newTenant();
    expect(await announcedBy('begin', suspend(tenant), 'rollback')).toEqual([]);
  });

  it('announce that a credential was rejected or accepted again, and no other result of a verification', async () => {
    const tenant = await newTenant();
    const verified = `insert into credential_health (tenant_id, provider, version) values ('${tenant}', 'openai', 1)`;
    const update = (what: string) => `update credential_health set ${what} where tenant_id = '${tenant}'`;
    expect(await announcedBy(verified, update('verified_at = now()'))).toEqual([]);
    expect(await announcedBy(update('rejected_at = now()'))).toEqual([[tenant]]);
    expect(await announcedBy(update('rejections = 2, rejected_at = now()'))).toEqual([]);
    expect(await announcedBy(update('rejected_at = null'))).toEqual([[tenant]]);
  });

  it.each([
    [100, 'its tenants'],
    [101, 'all tenants'],
  ])('announce a transaction that changes %i tenants with one notification of %s', async (count) => {
    const ids = await newTenants(count);
    expect(await announcedBy(suspend(...ids))).toEqual([count > 100 ? 'all' : ids]);
  });

  it.each(['tenants', 'tenant_credentials', 'tenant_keys'])(
    'announce all tenants when %s is truncated',
    async (table) => {
      const tenant = await newTenant();
      expect(await announcedBy(`truncate ${table} cascade`)).toEqual(['all']);
      const changes = ['begin', suspend(tenant), 'set constraints all immediate'];
      expect(await announcedBy(...changes, `truncate ${table} cascade`, 'commit')).toEqual(['all']);
    },
  );

  it('announce a change after a TRUNCATE in the same transaction', async () => {
    const [tenant] = await newTenants(1);
    const announced = await announcedBy('begin', 'truncate tenant_keys cascade', suspend(tenant!), 'commit');
    expect(announced).toEqual(['all', [tenant]]);
  });

  it('ignore what was set for the whole session', async () => {
    const [one, other] = [await newTenant(), await newTenant()];
    const setting = `set tenkey.changed = '1 *'`;
    expect(await announcedBy(setting, suspend(one), activate(one))).toEqual([[one], [one]]);
    expect(await announcedBy('begin', setting, suspend(other), 'commit')).toEqual([[other]]);
    expect(await announcedBy(`set tenkey.changed = ''`, activate(other))).toEqual([[other]]);
    await sql.query('reset tenkey.changed');
  });

  it('ignore what an earlier transaction of the session has left', async () => {
    const tenant = await newTenant();
    const isKept = `select set_config('tenkey.changed', pg_current_xact_id() || ' *', false)`;
    expect(await announcedBy(isKept, suspend(tenant), activate(tenant))).toEqual([[tenant], [tenant]]);
    await sql.query('reset tenkey.changed');
  });

  it('announce all tenants when constraints become immediate in the middle of a transaction', async () => {
    const [before, after, last] = [await newTenant(), await newTenant(), await newTenant()];
    const announced = await announcedBy(
      'begin',
      suspend(before),
      'set constraints all immediate',
      suspend(after),
      'set constraints all deferred',
      suspend(last),
      'commit',
    );
    expect(announced).toEqual(['all']);
  });

  it('lose nothing when only the constraint of one table becomes immediate', async () => {
    const [early, late] = [await newTenant(), await newTenant()];
    const announced = await announcedBy(
      'begin',
      'set constraints tenants_updated immediate',
      suspend(early),
      `delete from tenant_keys where tenant_id = '${late}'`,
      'commit',
    );
    expect(announced.flat().sort()).toEqual([early, late].sort());
  });

  it.each(['immediate', 'deferred'])(
    'announce what remains of a transaction after a rollback to a savepoint, with %s constraints',
    async (mode) => {
      const [first, undone, second] = [await newTenant(), await newTenant(), await newTenant()];
      const announced = await announcedBy(
        'begin',
        `set constraints all ${mode}`,
        suspend(first),
        'savepoint here',
        suspend(undone),
        'rollback to savepoint here',
        suspend(second),
        'commit',
      );
      expect(announced).toEqual([mode === 'immediate' ? 'all' : [first, second].sort()]);
    },
  );

  it('announce a change after one that was rolled back to a savepoint, with immediate constraints', async () => {
    const [undone, second] = [await newTenant(), await newTenant()];
    const announced = await announcedBy(
      'begin',
      'set constraints all immediate',
      'savepoint here',
      suspend(undone),
      'rollback to savepoint here',
      suspend(second),
      'commit',
    );
    expect(announced).toEqual(['all']);
  });

  it('refuse every change when the row of the number is missing, since nobody would learn of it', async () => {
    const tenant = await newTenant();
    await sql.query('begin');
    await sql.query('delete from change_head');
    await sql.query(suspend(tenant));
    await expect(sql.query('commit')).rejects.toThrow('the row of change_head is missing');
    expect(await announcedBy(suspend(tenant))).toEqual([[tenant]]);
  });
});
