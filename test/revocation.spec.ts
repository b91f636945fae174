import { request as httpRequest } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { TenantKey } from '#issued-keys';
import { RefusedAttemptsService } from '#audit';
import { startTestApp, type TestApp } from './support/app';
import { issueSysadminKey, issueTenantKey } from './support/keys';
import { until } from './support/until';

describe('in two processes on one database', () => {
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

  const statusOf = async (tenkey: TestApp, key: string) =>
    (await tenkey.http().get('/v1/models').set('authorization', `Bearer ${key}`)).status;
  const sysadminStatusOf = async (tenkey: TestApp, key: string) =>
    (await tenkey.http().get('/api/v1/sysadmin/tenants').set('x-api-key', key)).status;

  it('a tenant key that one revokes is refused by the other at the very next call', async () => {
    const tenant = await here.createTenant();
    for (let each = 0; each < 10; each += 1) {
      const { id, key } = await issueTenantKey(here, tenant);
      for (const tenkey of [there, here, there]) expect(await statusOf(tenkey, key)).toBe(200);
      expect((await here.sysadmin('delete', `/tenants/${tenant}/keys/${id}`)).body.deleted).toBe(true);
      for (const tenkey of [there, here]) expect(await statusOf(tenkey, key)).toBe(401);
    }
  });

  it('a sysadmin key that one revokes is refused by the other, and a new one is accepted at once', async () => {
    const { id, key } = await issueSysadminKey(here, { scopes: ['tenants:read'] });
    for (const tenkey of [there, here]) expect(await sysadminStatusOf(tenkey, key)).toBe(200);
    await there.sysadmin('delete', `/keys/${id}`);
    for (const tenkey of [here, there]) expect(await sysadminStatusOf(tenkey, key)).toBe(401);
  });

  it('a key is deleted with its tenant, and refused while the tenant is suspended', async () => {
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

  it('a key that expires is refused from that moment on', async () => {
    const tenant = await here.createTenant();
    const expiry = Date.now() + 1500;
    const { key } = await issueTenantKey(here, tenant, { expires_at: new Date(expiry).toISOString() });
    expect(await statusOf(there, key)).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, expiry - Date.now() + 50));
    for (const tenkey of [there, here]) expect(await statusOf(tenkey, key)).toBe(401);
  });

  it('calls in flight when the key is revoked are completed', async () => {
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

  describe('while the body of a request is still arriving', () => {
    const chat = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] });
    const form = '--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper\r\n--x--\r\n';
    /** Sends everything but the body. The returned function sends the body and returns the status of the response. */
    const held = (path: string, headers: Record<string, string>, body: string) => {
      const { port } = here.nest.getHttpServer().address() as { port: number };
      const type = body === form ? 'multipart/form-data; boundary=x' : 'application/json';
      const request = httpRequest({
        port,
        path,
        method: 'POST',
        headers: { 'content-type': type, 'content-length': Buffer.byteLength(body), ...headers },
      });
      const status = new Promise<number | undefined>((resolve, reject) => {
        request.once('error', reject).once('response', (answer) => resolve(answer.resume().statusCode));
      });
      request.flushHeaders();
      return (): Promise<number | undefined> => {
        request.end(body);
        return status;
      };
    };
    const isUsed = async (table: string, id: string) => {
      const [row] = await here.database.query(`select last_used_at from ${table} where id = $1`, [id]);
      return row.last_used_at !== null;
    };
    const whenUsed = async (...keys: [table: string, id: string][]) => {
      for (const [table, id] of keys) await until(() => isUsed(table, id), 'the first look at the key');
    };

    it('a key that is revoked is refused, and nothing is created or called with it', async () => {
      const tenant = await here.createTenant();
      await here.setCredential(tenant, 'openai', { api_key: 'sk-of-a-slow-caller-1234' });
      const [sysadmin, first, second] = [
        await issueSysadminKey(here, { scopes: ['keys:write'] }),
        await issueTenantKey(here, tenant),
        await issueTenantKey(here, tenant),
      ];
      here.provider.reset();
      const path = `/tenants/${tenant}/keys`;
      const finish = [
        held(`/api/v1/sysadmin${path}`, { 'x-api-key': sysadmin.key }, '{"name":"too late"}'),
        held('/v1/chat/completions', { authorization: `Bearer ${first.key}` }, chat),
        held('/v1/audio/transcriptions', { authorization: `Bearer ${second.key}` }, form),
      ];
      await whenUsed(['sysadmin_keys', sysadmin.id], ['tenant_keys', first.id], ['tenant_keys', second.id]);
      await there.sysadmin('delete', `/keys/${sysadmin.id}`);
      for (const { id } of [first, second]) await there.sysadmin('delete', `${path}/${id}`);
      await wait(1000);
      expect(await Promise.all(finish.map((each) => each()))).toEqual([401, 401, 401]);
      expect((await here.sysadmin('get', path)).body.count).toBe(0);
      expect(here.provider.requests).toEqual([]);
      await here.nest.get(RefusedAttemptsService).written();
      const audit = await here.sysadmin('get', `/audit-events?outcome=refused&tenant_id=${tenant}`);
      expect(audit.body.items.map(({ actor }: { actor: string }) => actor)).toEqual([
        `sysadmin-key ${sysadmin.id} (not accepted)`,
      ]);
    });

    it('the key is looked up once more, in the cache, and counts as one request', async () => {
      const tenant = await here.createTenant();
      await here.setCredential(tenant, 'openai', { api_key: 'sk-of-a-slow-caller-5678' });
      const { id, key } = await issueTenantKey(here, tenant, { requests_per_minute: 2 });
      const authorization = `Bearer ${key}`;
      const queries = jest.spyOn(here.database, 'createQueryBuilder');
      const lookUps = () => queries.mock.calls.filter(([of]) => (of as unknown) === TenantKey).length;
      const finish = held('/v1/chat/completions', { authorization }, chat);
      await whenUsed(['tenant_keys', id]);
      await wait(1000);
      expect([await finish(), lookUps()]).toEqual([200, 1]);
      expect([await held('/v1/chat/completions', { authorization }, chat)(), lookUps()]).toEqual([200, 1]);
      expect(await held('/v1/chat/completions', { authorization }, chat)()).toBe(429);
      queries.mockRestore();
    });
  });
});
