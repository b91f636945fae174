import { describeWithApp } from './support/app';

describeWithApp('rows that were changed outside Tenkey', (tenkey) => {
  async function tenantWithKey(apiKey: string): Promise<string> {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: apiKey });
    return tenant;
  }

  it('are refused when they belong to two tenants and were swapped, without any call', async () => {
    const [a, b] = [await tenantWithKey('sk-of-tenant-a-12345'), await tenantWithKey('sk-of-tenant-b-67890')];
    await tenkey.edit(
      `UPDATE tenant_credentials t SET sealed_api_key = o.sealed_api_key, key_hint = o.key_hint, seal = o.seal,
         version = o.version, configured_at = o.configured_at
       FROM tenant_credentials o WHERE t.tenant_id IN ($1, $2) AND o.tenant_id IN ($1, $2) AND o.tenant_id <> t.tenant_id`,
      [a, b],
    );
    tenkey.provider.reset();
    for (const tenant of [a, b]) {
      const answer = await tenkey.chat(tenant);
      expect([answer.status, answer.body.error.code]).toEqual([424, 'credential_tampered']);
      const list = await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`);
      expect(list.body.credentials[0].status).toBe('tampered');
    }
    expect(tenkey.provider.requests).toHaveLength(0);
  });

  it.each(['staged', 'previous'])(
    'are refused when a %s credential was copied to the live one',
    async (slot) => {
      const tenant = await tenantWithKey('sk-of-a-slot-1-12345');
      const path = `/tenants/${tenant}/credentials/openai`;
      const stage = await tenkey
        .sysadmin('put', `${path}?stage=true`)
        .send({ api_key: 'sk-of-a-slot-2-67890' });
      expect(stage.status).toBe(200);
      if (slot === 'previous') expect((await tenkey.sysadmin('post', `${path}/promote`)).status).toBe(200);
      await tenkey.edit(
        `UPDATE tenant_credentials t SET sealed_api_key = s.sealed_api_key, key_hint = s.key_hint, seal = s.seal,
         version = s.version, configured_at = s.configured_at, settings = s.settings, key_id = s.key_id
       FROM credential_slots s WHERE t.tenant_id = $1 AND s.tenant_id = $1 AND s.slot = $2`,
        [tenant, slot],
      );
      tenkey.provider.reset();
      const answer = await tenkey.chat(tenant);
      expect([answer.status, answer.body.error.code]).toEqual([424, 'credential_tampered']);
      expect(tenkey.provider.requests).toHaveLength(0);
    },
  );

  it('are refused when they belonged to a deleted tenant and the id was given to another', async () => {
    const tenant = await tenantWithKey('sk-of-a-deleted-tenant-12345');
    await tenkey.edit('CREATE TABLE kept_rows AS SELECT * FROM tenant_credentials WHERE tenant_id = $1', [
      tenant,
    ]);
    expect((await tenkey.sysadmin('delete', `/tenants/${tenant}`)).status).toBe(204);
    const created = await tenkey.sysadmin('post', '/tenants').send({ id: tenant, name: 'another-owner' });
    expect(created.status).toBe(201);
    await tenkey.edit('INSERT INTO tenant_credentials SELECT * FROM kept_rows');
    const answer = await tenkey.chat(tenant);
    expect([answer.status, answer.body.error.code]).toEqual([424, 'credential_tampered']);
    await tenkey.edit('DROP TABLE kept_rows');
  });

  it('are refused with an endpoint that was edited in SQL', async () => {
    const tenant = await tenantWithKey('sk-of-tenant-c-12345');
    await tenkey.edit(
      `UPDATE tenant_credentials SET settings = '{"endpoint":"https://evil.example"}' WHERE tenant_id = $1`,
      [tenant],
    );
    const answer = await tenkey.chat(tenant);
    expect(answer.body.error.code).toBe('credential_tampered');
  });

  it.each([5000, 50_000])(
    'are refused with settings %i levels deep, and nothing else fails',
    async (levels) => {
      const tenant = await tenantWithKey('sk-of-a-deep-tenant-12345');
      await tenkey.setCredential(tenant, 'anthropic', { api_key: 'sk-ant-of-a-deep-tenant-12345' });
      const deep = `{"endpoint":${'['.repeat(levels)}${']'.repeat(levels)}}`;
      const edit = `UPDATE tenant_credentials SET settings = $2 WHERE tenant_id = $1 AND provider = 'openai'`;
      try {
        await tenkey.edit(edit, [tenant, deep]);
      } catch {
        // PostgreSQL itself does not store what is nested more deeply.
        return expect(levels).toBeGreaterThan(5000);
      }
      const answer = await tenkey.chat(tenant);
      expect([answer.status, answer.body.error.code]).toEqual([424, 'credential_tampered']);
      expect((await tenkey.chat(tenant, { model: 'claude-sonnet' })).status).toBe(200);
      const list = await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`);
      expect(list.body.credentials.map((each: { status: string }) => each.status)).toEqual([
        'ready',
        'tampered',
      ]);
      expect((await tenkey.sysadmin('get', '/readiness')).status).toBe(200);
      const explained = await tenkey.sysadmin('get', `/tenants/${tenant}/explain`);
      expect(explained.status).toBeLessThan(500);
      expect((await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-a-new-one-12345' })).status).toBe(
        200,
      );
      expect((await tenkey.chat(tenant)).status).toBe(200);
    },
  );

  it.each([
    ['its mask', `key_hint = '...zzzz'`],
    ['its time', `configured_at = configured_at + interval '1 millisecond'`],
    ['its version', 'version = version + 1'],
    ['its seal', `seal = reverse(seal)`],
    ['its seal, emptied', `seal = ''`],
    ['one deployment', `settings = jsonb_set(settings, '{deployments,b}', '"other"')`],
    ['a setting more', `settings = settings || '{"note":"x"}'`],
    ['a setting less', `settings = settings - 'deployments'`],
    ['all settings, to none', `settings = 'null'`],
    ['its sealed text', `sealed_api_key = sealed_api_key || ' '`],
    ['its api_version', `settings = settings || '{"api_version":"2024-10-22"}'`],
  ])('are refused with an edit of %s, without any call', async (_what, change) => {
    const tenant = await tenkey.createTenant();
    const set = await tenkey.setCredential(tenant, 'azure', {
      api_key: 'azure-key-of-a-row-1234',
      endpoint: `${tenkey.provider.url}`,
      api_version: '2024-10-21',
      deployment_name: 'd',
      deployments: { b: 'second', a: 'first', longer: 'third' },
    });
    expect(set.status).toBe(200);
    // PostgreSQL returns the settings in another order, which is not a change.
    expect((await tenkey.chat(tenant, { model: 'azure-gpt-4o' })).status).toBe(200);
    await tenkey.edit(`UPDATE tenant_credentials SET ${change} WHERE tenant_id = $1`, [tenant]);
    tenkey.provider.reset();
    const answer = await tenkey.chat(tenant, { model: 'azure-gpt-4o' });
    expect([answer.status, answer.body.error.code]).toEqual([424, 'credential_tampered']);
    expect(tenkey.provider.requests).toHaveLength(0);
    const list = await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`);
    expect(list.body.credentials[0].status).toBe('tampered');
    // The row can still be deleted.
    expect((await tenkey.sysadmin('delete', `/tenants/${tenant}/credentials/azure`)).body.deleted).toBe(true);
  });

  it('are never used with a key in clear text', async () => {
    const tenant = await tenantWithKey('sk-of-tenant-d-12345');
    await tenkey.edit(`UPDATE tenant_credentials SET sealed_api_key = 'sk-clear' WHERE tenant_id = $1`, [
      tenant,
    ]);
    expect((await tenkey.chat(tenant)).body.error.code).toBe('credential_plaintext');
  });
});
