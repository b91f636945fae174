import { ChangesService } from '#cache';
import { startTestApp, type TestApp } from '../support/app';
import { type Gate } from '../support/gate';
import { startGatedApp } from '../support/gated-app';
import { createTestDatabase, execute, urlFor } from '../support/postgres';
import { until } from '../support/until';
import { FaultRow } from './fault-rows';

describe('an outage of the database', () => {
  let tenkey: TestApp;
  let gate: Gate;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ tenkey, gate, close } = await startGatedApp());
  });
  afterAll(() => close());

  it('gives a 503 in our shape everywhere, calls no provider, changes nothing, and needs no restart afterwards', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-before-the-outage-1234' });
    gate.shut();
    tenkey.provider.reset();
    const put = await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-during-the-outage-1234' });
    expect([put.status, put.body.code]).toEqual([503, 'credential_store_unavailable']);
    const away = 'The database of Tenkey cannot be reached, or is busy.';
    expect(put.body.detail).toBe(`${away} Nothing was changed. Try again shortly.`);
    const chat = await tenkey.chat(tenant);
    expect([chat.status, chat.body.error.code]).toEqual([503, 'credential_store_unavailable']);
    const list = await tenkey.sysadmin('get', '/tenants');
    expect([list.status, list.body.code]).toEqual([503, 'credential_store_unavailable']);
    for (const { detail } of [list.body, { detail: chat.body.error.message }]) {
      expect(detail).toBe(`${away} Try again shortly.`);
    }
    const ready = await tenkey.http().get('/ready');
    expect([ready.status, ready.body.database]).toEqual([503, 'unavailable']);
    expect((await tenkey.http().get('/health')).status).toBe(200);
    expect(tenkey.provider.requests).toHaveLength(0);

    gate.open();
    expect((await tenkey.chat(tenant)).status).toBe(200);
    expect(tenkey.provider.requests.at(-1)?.key).toBe('sk-before-the-outage-1234');
    expect((await tenkey.http().get('/ready')).status).toBe(200);
  });

  it('has one line in the log, and none about work that nobody has asked for', async () => {
    const lastLine = (text: string) => tenkey.logLines.findLastIndex((line) => line.includes(text));
    const isReceiving = () =>
      lastLine('changes are received again') >= lastLine('the connection that receives changes is lost');
    await until(isReceiving, 'the connection that receives changes is back');
    const before = tenkey.logLines.length;
    gate.shut();
    // A process looks every five seconds whether there is something to verify or to seal.
    await new Promise((done) => setTimeout(done, 6000));
    gate.open();
    const text = tenkey.logLines.slice(before).join('');
    expect(text.split('the connection that receives changes is lost')).toHaveLength(2);
    expect(text).not.toContain('no batch');
  });

  it('does not stop calls while changes wait for a lock on the end of the audit, and the response then says so', async () => {
    const [changing, calling] = [await tenkey.createTenant(), await tenkey.createTenant()];
    await tenkey.setCredential(calling, 'openai', { api_key: 'sk-of-those-that-only-call' });
    const holder = tenkey.database.createQueryRunner();
    await holder.connect();
    await holder.startTransaction();
    try {
      await holder.query('select 1 from audit_head for update');
      const changes = Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          tenkey.setCredential(changing, 'openai', { api_key: `sk-that-waits-for-its-turn-${index}` }),
        ),
      );
      const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await until(
        async () => (await tenkey.database.query<unknown[]>(waiting)).length > 0,
        'a change that waits',
      );
      const began = Date.now();
      expect((await tenkey.chat(calling)).status).toBe(200);
      expect((await tenkey.http().get('/ready')).status).toBe(200);
      // The call did not succeed merely because the changes had given up.
      expect(Date.now() - began).toBeLessThan(4000);
      for (const { status, body } of await changes)
        expect([status, body.code]).toEqual([503, 'credential_store_unavailable']);
    } finally {
      await holder.rollbackTransaction();
      await holder.release();
    }
    const { body } = await tenkey.sysadmin('get', `/tenants/${changing}/credentials`);
    expect(body.credentials).toEqual([]);
    expect((await tenkey.setCredential(changing, 'openai', { api_key: 'sk-afterwards' })).status).toBe(200);
  });

  it('does not make a response claim that nothing changed when the result of a commit is lost', async () => {
    const tenant = await tenkey.createTenant();
    const masks = async () =>
      (await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`)).body.credentials.map(
        (one: { masked_key: string }) => one.masked_key,
      );
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-before-the-commit-1234' });
    gate.loseNextCommit();
    const row = new FaultRow('the result of a commit is lost: a credential is set');
    const put = await row.timed(
      tenkey.setCredential(tenant, 'openai', { api_key: 'sk-of-the-lost-commit-5678' }),
    );
    row.reached = put.status === 503 ? 1 : 0;
    row.wrong = /may or may not/.test(put.body.detail) ? 0 : 1;
    row.report();
    expect([put.status, put.body.code, put.body.detail]).toEqual([
      503,
      'credential_store_unavailable',
      'The database of Tenkey cannot be reached, or is busy. The change may or may not have been made: check that before you repeat it.',
    ]);
    await until(async () => (await masks()).join() === '...5678', 'the commit arrives');
  });

  it('right after a commit does not hide that a tenant was created or changed', async () => {
    gate.shutAfterNextCommit();
    const made = await tenkey.sysadmin('post', '/tenants').send({ name: 'made-all-the-same' });
    expect([made.status, made.body.name, made.body.state]).toEqual([201, 'made-all-the-same', 'active']);
    expect((await tenkey.sysadmin('get', '/tenants')).status).toBe(503);
    gate.open();
    gate.shutAfterNextCommit();
    const changed = await tenkey.sysadmin('patch', `/tenants/${made.body.id}`).send({ state: 'suspended' });
    expect([changed.status, changed.body.state]).toEqual([200, 'suspended']);
    gate.open();
    expect((await tenkey.sysadmin('get', `/tenants/${made.body.id}`)).body).toEqual(changed.body);
  });
});

describe('a database that refuses what it is asked for', () => {
  const role = `tenkey_refused_${process.pid}`;
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  let name: string;
  let tenkey: TestApp;
  let administer: (...statements: string[]) => Promise<void>;
  beforeAll(async () => {
    database = await createTestDatabase();
    name = new URL(database.url).pathname.slice(1);
    const owner = new URL(database.url).username;
    const server = urlFor(database.url, 'postgres');
    administer = (...statements) => execute(server, ...statements);
    await administer(`create role ${role} login in role ${owner}`);
    const databaseUrl = database.url.replace(`//${owner}`, `//${role}`);
    tenkey = await startTestApp({ CACHE_LEASE_SECONDS: '60' }, { databaseUrl });
  });
  afterAll(async () => {
    await tenkey.close();
    await database.drop();
    await administer(`drop role ${role}`);
  });

  /** Connections that exist do not notice what the statement changes, so they are ended. */
  const change = async (statement: string) => {
    await administer(
      statement,
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}' and datname = '${name}'`,
    );
    // The process has them in its pool for a moment longer.
    await new Promise((done) => setTimeout(done, 300));
  };
  const ready = async () => (await tenkey.http().get('/ready')) as { status: number; body: any };
  const names = async () =>
    (await tenkey.sysadmin('get', '/tenants')).body.items.map((tenant: { name: string }) => tenant.name);

  it.each([
    [
      'the login',
      `alter role ${role} nologin`,
      `alter role ${role} login`,
      /^The database refuses the login\./,
    ],
    [
      'another connection',
      `alter role ${role} connection limit 0`,
      `alter role ${role} connection limit -1`,
      /^The database accepts no more connections\./,
    ],
    [
      'every connection',
      'allow_connections false',
      'allow_connections true',
      /^The database accepts no connections\./,
    ],
  ])(
    'to refuse %s is an outage: no change waits for a lease, nothing is stored, and the reason is true',
    async (what, refusing, allowing, reason) => {
      const statement = (text: string) =>
        text.startsWith('alter') ? text : `alter database ${name} ${text}`;
      await change(statement(refusing));
      await until(async () => reason.test((await ready()).body.reason as string), '/ready says why');
      const began = performance.now();
      const made = await tenkey.sysadmin('post', '/tenants').send({ name: what.replace(' ', '-') });
      expect(performance.now() - began).toBeLessThan(4000);
      expect([made.status, made.body.code]).toEqual([503, 'credential_store_unavailable']);
      expect(made.body.detail).toMatch(reason);
      expect(made.body.detail).toMatch(/Nothing was changed\. Try again when that is corrected\.$/);
      expect((await tenkey.chat('00000000-0000-4000-8000-000000000000')).body.error.code).toBe(
        'credential_store_unavailable',
      );
      const { status, body } = await ready();
      expect([status, body.database, body.changes]).toEqual([503, 'unavailable', 'failing']);
      await administer(statement(allowing));
      expect(await names()).toEqual([]);
      expect((await ready()).body).toMatchObject({ status: 'ready', changes: 'ok' });
    },
    90_000,
  );

  it('to store anything is said by refused changes and by /ready, calls go on, and it ends by itself', async () => {
    const tenant = await tenkey.createTenant('before');
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-that-is-only-read' });
    await change(`alter database ${name} set default_transaction_read_only = on`);
    // The process finds out by itself.
    await until(async () => (await ready()).body.changes === 'failing', '/ready says so');
    const { status, body } = await ready();
    expect(status).toBe(200);
    expect(body.changes_reason).toMatch(/^The database is read-only\..*Connect Tenkey to the primary/);
    const made = await tenkey.sysadmin('post', '/tenants').send({ name: 'meanwhile' });
    expect([made.status, made.body.code]).toEqual([503, 'credential_store_unavailable']);
    expect(made.body.detail).toMatch(/^The database is read-only\. Nothing was changed\./);
    expect((await tenkey.chat(tenant)).status).toBe(200);
    const another = await startTestApp({}, { databaseUrl: tenkey.databaseUrl });
    const started = await another.http().get('/ready');
    expect([started.status, started.body.changes]).toEqual([200, 'failing']);
    expect((await another.chat(tenant)).status).toBe(200);
    await another.close();
    await change(`alter database ${name} reset default_transaction_read_only`);
    await tenkey.nest.get(ChangesService, { strict: false }).sweep();
    expect((await ready()).body.changes).toBe('ok');
    expect(await names()).toEqual(['before']);
    expect((await tenkey.sysadmin('post', '/tenants').send({ name: 'afterwards' })).status).toBe(201);
  });
});
