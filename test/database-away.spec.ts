import { startTestApp, type TestApp } from './support/app';
import { Gate } from './support/gate';
import { createTestDatabase } from './support/postgres';

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
});
