import { startTestApp, type TestApp } from './support/app';

describe('tenant isolation', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await startTestApp();
  });
  afterAll(() => test.close());

  it('sends each tenant its own key, 10,000 interleaved calls of 20 tenants', async () => {
    const tenants = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const id = await test.createTenant();
        const key = `sk-isolation-key-of-tenant-${String(index).padStart(4, '0')}`;
        const set = await test.setCredential(id, 'openai', { api_key: key });
        expect(set.status).toBe(200);
        return { id, key, marker: `marker-${index}-` };
      }),
    );
    test.provider.reset();
    const base = `http://127.0.0.1:${(test.app.getHttpServer().address() as { port: number }).port}`;
    let next = 0;
    const worker = async () => {
      while (next < 10_000) {
        const call = next++;
        const tenant = tenants[call % tenants.length]!;
        const content = `${tenant.marker}${call}`;
        const answer = await fetch(`${base}/v1/chat/completions`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'x-api-key': 'test-platform-key-9d2e6b31',
            'x-tenant-id': tenant.id,
          },
          body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] }),
        });
        const text = await answer.text();
        if (answer.status !== 200 || !text.includes(content))
          throw new Error(`call ${call}: ${answer.status}`);
      }
    };
    await Promise.all(Array.from({ length: 50 }, worker));
    expect(test.provider.requests).toHaveLength(10_000);
    for (const seen of test.provider.requests) {
      const body = seen.body as { messages: { content: string }[] };
      const tenant = tenants.find(({ marker }) => body.messages[0]!.content.startsWith(marker));
      if (seen.key !== tenant?.key) throw new Error('a call carried the key of another tenant');
    }
  }, 120_000);

  it('makes no call for a tenant without a credential, and says which request mends it', async () => {
    const other = await test.createTenant();
    await test.setCredential(other, 'openai', { api_key: 'sk-of-somebody-else-1234' });
    const tenant = await test.createTenant();
    test.provider.reset();
    const answer = await test.chat(tenant);
    expect(answer.status).toBe(424);
    expect(answer.body.error.code).toBe('credential_not_configured');
    expect(answer.body.error.message).toContain(`PUT /api/v1/sysadmin/tenants/${tenant}/credentials/openai`);
    expect(test.provider.requests).toHaveLength(0);
  });
});
