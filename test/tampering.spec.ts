import { startTestApp, type TestApp } from './support/app';

describe('rows that were changed outside Tenkey', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await startTestApp();
  });
  afterAll(() => test.close());

  async function tenantWithKey(apiKey: string): Promise<string> {
    const tenant = await test.createTenant();
    await test.setCredential(tenant, 'openai', { api_key: apiKey });
    return tenant;
  }

  it('refuses the rows of two tenants that were swapped, and calls nobody', async () => {
    const [a, b] = [await tenantWithKey('sk-of-tenant-a-12345'), await tenantWithKey('sk-of-tenant-b-67890')];
    await test.database.query(
      `UPDATE tenant_credentials t SET sealed_api_key = o.sealed_api_key, key_hint = o.key_hint, seal = o.seal,
         version = o.version, configured_at = o.configured_at
       FROM tenant_credentials o WHERE t.tenant_id IN ($1, $2) AND o.tenant_id IN ($1, $2) AND o.tenant_id <> t.tenant_id`,
      [a, b],
    );
    test.provider.reset();
    for (const tenant of [a, b]) {
      const answer = await test.chat(tenant);
      expect([answer.status, answer.body.error.code]).toEqual([424, 'credential_tampered']);
      const list = await test.sysadmin('get', `/tenants/${tenant}/credentials`);
      expect(list.body.credentials[0].status).toBe('tampered');
    }
    expect(test.provider.requests).toHaveLength(0);
  });

  it('refuses an endpoint that was edited in SQL', async () => {
    const tenant = await tenantWithKey('sk-of-tenant-c-12345');
    await test.database.query(
      `UPDATE tenant_credentials SET settings = '{"endpoint":"https://evil.example"}' WHERE tenant_id = $1`,
      [tenant],
    );
    const answer = await test.chat(tenant);
    expect(answer.body.error.code).toBe('credential_tampered');
  });

  it('never uses a key that stands in clear', async () => {
    const tenant = await tenantWithKey('sk-of-tenant-d-12345');
    await test.database.query(
      `UPDATE tenant_credentials SET sealed_api_key = 'sk-clear' WHERE tenant_id = $1`,
      [tenant],
    );
    expect((await test.chat(tenant)).body.error.code).toBe('credential_plaintext');
  });
});
