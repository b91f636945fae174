import { startTestApp, type TestApp } from './support/app';
import { issueSysadminKey, issueTenantKey } from './support/keys';

describe('two processes on one database', () => {
  let here: TestApp;
  let there: TestApp;
  beforeAll(async () => {
    here = await startTestApp();
    there = await startTestApp({}, { databaseUrl: here.databaseUrl });
  });
  afterAll(async () => {
    await there.close();
    await here.close();
  });

  const statusOf = async (test: TestApp, key: string) =>
    (await test.http().get('/v1/models').set('authorization', `Bearer ${key}`)).status;
  const sysadminStatusOf = async (test: TestApp, key: string) =>
    (await test.http().get('/api/v1/sysadmin/tenants').set('x-api-key', key)).status;

  it('a tenant key that one revokes is refused by the other at the very next call', async () => {
    const tenant = await here.createTenant();
    for (let each = 0; each < 10; each += 1) {
      const { id, key } = await issueTenantKey(here, tenant);
      for (const test of [there, here, there]) expect(await statusOf(test, key)).toBe(200);
      expect((await here.sysadmin('delete', `/tenants/${tenant}/keys/${id}`)).body.deleted).toBe(true);
      for (const test of [there, here]) expect(await statusOf(test, key)).toBe(401);
    }
  });

  it('so is a sysadmin key, and a new one is known at once', async () => {
    const { id, key } = await issueSysadminKey(here, { scopes: ['tenants:read'] });
    for (const test of [there, here]) expect(await sysadminStatusOf(test, key)).toBe(200);
    await there.sysadmin('delete', `/keys/${id}`);
    for (const test of [here, there]) expect(await sysadminStatusOf(test, key)).toBe(401);
  });

  it('a key ends with its tenant, and rests while the tenant is suspended', async () => {
    const tenant = await here.createTenant();
    const { key } = await issueTenantKey(here, tenant);
    expect(await statusOf(there, key)).toBe(200);
    await here.sysadmin('patch', `/tenants/${tenant}`).send({ state: 'suspended' });
    expect(await statusOf(there, key)).toBe(403);
    await here.sysadmin('patch', `/tenants/${tenant}`).send({ state: 'active' });
    expect(await statusOf(there, key)).toBe(200);
    await here.sysadmin('delete', `/tenants/${tenant}`);
    expect(await statusOf(there, key)).toBe(401);
  });

  it('a key that expires is refused from that moment on, without anybody doing anything', async () => {
    const tenant = await here.createTenant();
    const expiry = Date.now() + 1500;
    const { key } = await issueTenantKey(here, tenant, { expires_at: new Date(expiry).toISOString() });
    expect(await statusOf(there, key)).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, expiry - Date.now() + 50));
    for (const test of [there, here]) expect(await statusOf(test, key)).toBe(401);
  });

  it('calls that are under way when the key is revoked come to their end', async () => {
    const tenant = await here.createTenant();
    await here.setCredential(tenant, 'openai', { api_key: 'sk-of-a-long-call-1234' });
    const { id, key } = await issueTenantKey(here, tenant);
    there.provider.next({ delayMs: 300 });
    const running = there
      .http()
      .post('/v1/chat/completions')
      .set('authorization', `Bearer ${key}`)
      .send({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] })
      .then(({ status }) => status);
    while (there.provider.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await here.sysadmin('delete', `/tenants/${tenant}/keys/${id}`);
    expect(await statusOf(there, key)).toBe(401);
    expect(await running).toBe(200);
  });
});
