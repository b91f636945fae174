import { startTestApp, type TestApp } from './support/app';
import { Gate } from './support/gate';
import { createTestDatabase } from './support/postgres';
import { until } from './support/until';

describe('the database goes away and comes back', () => {
  let test: TestApp;
  let gate: Gate;
  let database: { url: string; drop(): Promise<void> };
  beforeAll(async () => {
    database = await createTestDatabase();
    gate = new Gate(database.url);
    test = await startTestApp({}, { databaseUrl: await gate.listen() });
  });
  afterAll(async () => {
    await test.close();
    gate.close();
    await database.drop();
  });

  it('answers 503 in our shape everywhere, calls nobody, changes nothing, and recovers by itself', async () => {
    const tenant = await test.createTenant();
    await test.setCredential(tenant, 'openai', { api_key: 'sk-before-the-outage-1234' });
    gate.shut();
    test.provider.reset();
    const put = await test.setCredential(tenant, 'openai', { api_key: 'sk-during-the-outage-1234' });
    expect([put.status, put.body.code]).toEqual([503, 'credential_store_unavailable']);
    const chat = await test.chat(tenant);
    expect([chat.status, chat.body.error.code]).toEqual([503, 'credential_store_unavailable']);
    const list = await test.sysadmin('get', '/tenants');
    expect([list.status, list.body.code]).toEqual([503, 'credential_store_unavailable']);
    const ready = await test.http().get('/ready');
    expect([ready.status, ready.body.database]).toEqual([503, 'unavailable']);
    expect((await test.http().get('/health')).status).toBe(200);
    expect(test.provider.requests).toHaveLength(0);

    gate.open();
    expect((await test.chat(tenant)).status).toBe(200);
    expect(test.provider.requests.at(-1)?.key).toBe('sk-before-the-outage-1234');
    expect((await test.http().get('/ready')).status).toBe(200);
  });

  it('lets calls go on while changes wait for somebody who holds the end of the audit, and then says so', async () => {
    const [changing, calling] = [await test.createTenant(), await test.createTenant()];
    await test.setCredential(calling, 'openai', { api_key: 'sk-of-those-that-only-call' });
    const holder = test.database.createQueryRunner();
    await holder.connect();
    await holder.startTransaction();
    try {
      await holder.query('select 1 from audit_head for update');
      const changes = Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          test.setCredential(changing, 'openai', { api_key: `sk-that-waits-for-its-turn-${index}` }),
        ),
      );
      const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await until(
        async () => (await test.database.query<unknown[]>(waiting)).length > 0,
        'a change that waits',
      );
      const began = Date.now();
      expect((await test.chat(calling)).status).toBe(200);
      expect((await test.http().get('/ready')).status).toBe(200);
      // Not by waiting until the changes gave up.
      expect(Date.now() - began).toBeLessThan(4000);
      for (const { status, body } of await changes)
        expect([status, body.code]).toEqual([503, 'credential_store_unavailable']);
    } finally {
      await holder.rollbackTransaction();
      await holder.release();
    }
    const { body } = await test.sysadmin('get', `/tenants/${changing}/credentials`);
    expect(body.credentials).toEqual([]);
    expect((await test.setCredential(changing, 'openai', { api_key: 'sk-afterwards' })).status).toBe(200);
  });
});
