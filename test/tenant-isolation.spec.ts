import { Pool } from 'undici';
import { describeWithApp } from './support/app';

describeWithApp('tenant isolation', (tenkey) => {
  it('gives each of 10,000 interleaved calls of 20 tenants the tenant’s own key', async () => {
    const tenants = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const id = await tenkey.createTenant();
        const key = `sk-isolation-key-of-tenant-${String(index).padStart(4, '0')}`;
        const set = await tenkey.setCredential(id, 'openai', { api_key: key });
        expect(set.status).toBe(200);
        return { id, key, marker: `marker-${index}-` };
      }),
    );
    tenkey.provider.reset();
    const base = `http://127.0.0.1:${(tenkey.nest.getHttpServer().address() as { port: number }).port}`;
    const clients = new Pool(base, { connections: 50 });
    let next = 0;
    const worker = async () => {
      while (next < 10_000) {
        const call = next++;
        const tenant = tenants[call % tenants.length]!;
        const content = `${tenant.marker}${call}`;
        const answer = await clients.request({
          method: 'POST',
          path: '/v1/chat/completions',
          headers: {
            'content-type': 'application/json',
            'x-api-key': 'test-platform-key-9d2e6b31',
            'x-tenant-id': tenant.id,
          },
          body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] }),
        });
        const text = await answer.body.text();
        if (answer.statusCode !== 200 || !text.includes(content))
          throw new Error(`call ${call}: ${answer.statusCode}`);
      }
    };
    await Promise.all(Array.from({ length: 50 }, worker));
    await clients.close();
    expect(tenkey.provider.requests).toHaveLength(10_000);
    for (const seen of tenkey.provider.requests) {
      const body = seen.body as { messages: { content: string }[] };
      const tenant = tenants.find(({ marker }) => body.messages[0]!.content.startsWith(marker));
      if (seen.key !== tenant?.key) throw new Error('a call carried the key of another tenant');
    }
  }, 240_000);

  it('allows no call for a tenant without a credential, and the response names the request that fixes it', async () => {
    const other = await tenkey.createTenant();
    await tenkey.setCredential(other, 'openai', { api_key: 'sk-of-somebody-else-1234' });
    const tenant = await tenkey.createTenant();
    tenkey.provider.reset();
    const answer = await tenkey.chat(tenant);
    expect(answer.status).toBe(424);
    expect(answer.body.error.code).toBe('credential_not_configured');
    expect(answer.body.error.message).toContain(`PUT /api/v1/sysadmin/tenants/${tenant}/credentials/openai`);
    expect(tenkey.provider.requests).toHaveLength(0);
  });

  it("allows no call with a tenant's key for another provider, nor with one that was removed", async () => {
    const tenant = await tenkey.createTenant();
    const models = {
      anthropic: 'claude-sonnet',
      mistral: 'mistral-large',
      ovhcloud: 'llama-ovhcloud',
      berget: 'llama-berget',
      openai: 'gpt-4o',
    };
    for (const provider of Object.keys(models))
      await tenkey.setCredential(tenant, provider, { api_key: `key-of-${provider}-for-itself` });
    for (const [provider, model] of Object.entries(models)) {
      tenkey.provider.reset();
      expect((await tenkey.chat(tenant, { model })).status).toBe(200);
      expect(tenkey.provider.requests[0]?.key).toBe(`key-of-${provider}-for-itself`);
      const removed = await tenkey.sysadmin('delete', `/tenants/${tenant}/credentials/${provider}`);
      expect(removed.body.deleted).toBe(true);
      const answer = await tenkey.chat(tenant, { model });
      expect([answer.status, answer.body.error.code]).toEqual([424, 'credential_not_configured']);
      expect(tenkey.provider.requests).toHaveLength(1);
    }
  });

  it('takes the tenant only from the header, whatever the request names', async () => {
    const [caller, other] = [await tenkey.createTenant(), await tenkey.createTenant()];
    await tenkey.setCredential(caller, 'openai', { api_key: 'sk-of-the-caller-1234' });
    await tenkey.setCredential(other, 'openai', { api_key: 'sk-of-the-other-5678' });
    tenkey.provider.reset();
    const answer = await tenkey
      .chat(caller, {
        tenant_id: other,
        user: other,
        metadata: { tenant_id: other },
        api_key: 'sk-in-the-body',
      })
      .query({ tenant_id: other })
      .set('Authorization', 'Bearer sk-of-the-other-5678');
    expect(answer.status).toBe(200);
    expect(tenkey.provider.requests.map(({ key }) => key)).toEqual(['sk-of-the-caller-1234']);
    expect(JSON.stringify(tenkey.provider.requests[0]?.headers)).not.toContain('sk-of-the-other');
  });

  it('reveals nothing about other tenants in any failure of a call', async () => {
    const [tenant, other] = [
      await tenkey.createTenant(),
      await tenkey.createTenant('name-of-another-tenant'),
    ];
    const endpoint = 'https://endpoint-of-another.example.com/v1';
    const azure = { endpoint, api_version: '2024-10-21', deployment_name: 'deployment-of-another' };
    for (const [provider, fields] of [
      ['openai', { endpoint }],
      ['vllm', { endpoint }],
      ['azure', azure],
      ['anthropic', {}],
    ] as const)
      await tenkey.setCredential(other, provider, { api_key: 'key-of-another-tenant-zqj9', ...fields });
    const { body: list } = await tenkey.sysadmin('get', `/tenants/${other}/credentials`);
    const theirs = [
      other,
      'name-of-another',
      'endpoint-of-another',
      'deployment-of-another',
      'zqj9',
      ...list.credentials.map(({ version }: { version: string }) => `/v${version}`),
    ];
    const fail = async (body: Record<string, unknown>, expected: string) => {
      const answer = await tenkey.chat(tenant, body);
      expect([body, answer.body.error.code]).toEqual([body, expected]);
      const shown = answer.text + JSON.stringify(answer.headers);
      for (const text of theirs) expect([text, shown.includes(text)]).toEqual([text, false]);
      // The address of the operator's models is not revealed either.
      expect(shown).not.toContain(tenkey.provider.url);
    };
    for (const model of ['gpt-4o', 'azure-gpt-4o', 'claude-sonnet', 'mistral-large', 'gemma-vllm'])
      await fail({ model }, 'credential_not_configured');
    await fail({ model: 'no-such-model' }, 'model_not_found');
    await fail({ model: 'gpt-4o-legacy' }, 'legacy_model_in_strict_mode');
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-of-the-failing-one' });
    await tenkey.setCredential(tenant, 'vllm', { api_key: 'vllm-of-the-failing-one' });
    await fail({ model: 'gemma-vllm' }, 'endpoint_not_configured');
    for (const [status, code] of [
      [401, 'credential_rejected'],
      [404, 'upstream_rejected_request'],
      [429, 'upstream_rate_limited'],
      [500, 'upstream_unavailable'],
    ] as const) {
      tenkey.provider.next({ status });
      await fail({}, code);
    }
  });

  it('is enforced by PostgreSQL itself: one credential per tenant and provider, none without its tenant', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-of-one-tenant-1234' });
    const copyTo = (id: string, provider: string) =>
      tenkey.edit(
        `INSERT INTO tenant_credentials SELECT $2::uuid, $3, sealed_api_key, key_hint, settings, key_id, version, seal,
           configured_at FROM tenant_credentials WHERE tenant_id = $1 AND provider = 'openai'`,
        [tenant, id, provider],
      );
    await expect(copyTo(tenant, 'openai')).rejects.toMatchObject({ code: '23505' });
    await expect(copyTo('6f0c2f3e-0d7b-4a43-9a57-0e6f2f0f7c11', 'openai')).rejects.toMatchObject({
      code: '23503',
    });
    // The seal detects what PostgreSQL cannot: a copy for another provider of the same tenant is refused.
    await copyTo(tenant, 'mistral');
    tenkey.provider.reset();
    const answer = await tenkey.chat(tenant, { model: 'mistral-large' });
    expect([answer.status, answer.body.error.code]).toEqual([424, 'credential_tampered']);
    expect(tenkey.provider.requests).toHaveLength(0);
    await tenkey.edit('DELETE FROM tenants WHERE id = $1', [tenant]);
    const left = await tenkey.database.query('SELECT 1 FROM tenant_credentials WHERE tenant_id = $1', [
      tenant,
    ]);
    expect(left).toEqual([]);
  });
});
