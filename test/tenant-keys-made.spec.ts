import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { type Response } from 'supertest';
import { describeWithApp } from './support/app';
import { issueTenantKey } from './support/keys';

describeWithApp('a tenant key', (tenkey) => {
  let tenant: string;
  beforeEach(async () => {
    tenkey.provider.reset();
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: `sk-of-${tenant}` });
  });

  const outcome = ({ status, body }: Response) => [status, body.error?.code ?? body.code];
  const keysOf = (tenantId: string) => tenkey.sysadmin('get', `/tenants/${tenantId}/keys`);

  it.each([
    [{}, 'name'],
    [{ name: '  ' }, 'name'],
    [{ name: 'x'.repeat(101) }, 'name'],
    [{ name: 'line\nbreak' }, 'name'],
    [{ name: 'tk_0123456789a_pasted' }, 'name'],
    [{ name: 'a', expires_at: 'tomorrow' }, 'expires_at'],
    [{ name: 'a', expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'a', expires_at: '2099-01-01T00:00:00' }, 'expires_at'],
    [{ name: 'a', expires_at: '2099-02-30T00:00:00Z' }, 'expires_at'],
    [{ name: 'a', expires_at: 4102444800 }, 'expires_at'],
    [{ name: 'a', allowed_models: [] }, 'allowed_models'],
    [{ name: 'a', allowed_models: 'gpt-4o' }, 'allowed_models'],
    [{ name: 'a', allowed_models: [''] }, 'allowed_models'],
    [{ name: 'a', allowed_models: [{ length: 3 }] }, 'allowed_models'],
    [{ name: 'a', allowed_models: ['a', 'a'] }, 'allowed_models'],
    [{ name: 'a', allowed_models: ['nul\u0000'] }, 'allowed_models'],
    [{ name: 'a', allowed_models: ['gpt-4o', 'sk-proj-Pasted0By0Mistake0123456789'] }, 'allowed_models'],
    [{ name: 'a', requests_per_minute: 0 }, 'requests_per_minute'],
    [{ name: 'a', requests_per_minute: 1.5 }, 'requests_per_minute'],
    [{ name: 'a', requests_per_minute: '60' }, 'requests_per_minute'],
    [{ name: 'a', requests_per_minute: 1e9 }, 'requests_per_minute'],
    [{ name: 'a', tokens_per_minute: 0 }, 'tokens_per_minute'],
    [{ name: 'a', tokens_per_minute: 0.5 }, 'tokens_per_minute'],
    [{ name: 'a', tokens_per_minute: '1000' }, 'tokens_per_minute'],
    [{ name: 'a', tokens_per_minute: 1e9 + 1 }, 'tokens_per_minute'],
    // If the typo were ignored, each of these keys would lack the intended restriction.
    [{ name: 'a', expire_at: '2099-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'a', expiresAt: '2099-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'a', allowed_model: ['gpt-4o'] }, 'allowed_models'],
    [{ name: 'a', request_per_minute: 1 }, 'requests_per_minute'],
    [{ name: 'a', token_per_minute: 1 }, 'tokens_per_minute'],
    [{ name: 'a', tokens_per_minute: 1, 'tokens_per minute': 2 }, 'tokens_per_minute'],
    [[], ''],
  ])('is not issued from %j', async (body, path) => {
    const answer = await tenkey.sysadmin('post', `/tenants/${tenant}/keys`).send(body);
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed']);
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
    expect(answer.text).not.toContain('Pasted0By0Mistake');
    expect((await keysOf(tenant)).body.count).toBe(0);
  });

  it('is either issued or refused with its faults, for any request', async () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('__proto__', '\ud800', '2099-01-01T00:00:00Z', 1, 1e21, -0),
    );
    const fields = fc.record(
      {
        name: value,
        expires_at: value,
        allowed_models: fc.oneof(value, fc.array(value)),
        requests_per_minute: value,
        tokens_per_minute: value,
      },
      { requiredKeys: [] },
    );
    const isOwn = fc.boolean();
    await fc.assert(
      fc.asyncProperty(fields, isOwn, async (body, isForTenant) => {
        const path = isForTenant ? `/tenants/${tenant}/keys` : '/keys';
        const answer = await tenkey.sysadmin('post', path).send({ ...body, scopes: body.allowed_models });
        expect([201, 422]).toContain(answer.status);
        if (answer.status === 422) expect(answer.body.errors.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  it('is refused without an internal error, whatever is presented in its place', async () => {
    const { key } = await issueTenantKey(tenkey, tenant);
    const visible = fc.string({
      unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    });
    const presented = fc
      .tuple(
        fc.constantFrom('Bearer ', 'bearer', 'Bearer tk_', 'Bearer  ', 'Basic ', '', `Bearer ${key}`),
        visible,
      )
      .map((parts) => parts.join('').trim())
      .filter((text) => text !== `Bearer ${key}`);
    await fc.assert(
      fc.asyncProperty(presented, visible, async (authorization, tenantId) => {
        const answer = await tenkey
          .http()
          .get('/v1/models')
          .set({ authorization, 'x-api-key': authorization.slice(7).trim(), 'x-tenant-id': tenantId.trim() });
        expect(outcome(answer)).toEqual([401, 'unauthenticated']);
      }),
      { numRuns: 300 },
    );
  });

  it('is not issued for an unknown tenant, and is not looked up by anything but an id', async () => {
    const body = {
      name: 'a',
      expires_at: null,
      allowed_models: null,
      requests_per_minute: null,
      tokens_per_minute: null,
    };
    const unknown = await tenkey.sysadmin('post', `/tenants/${randomUUID()}/keys`).send(body);
    expect([unknown.status, unknown.body.code]).toEqual([404, 'tenant_not_found']);
    expect((await keysOf(randomUUID())).body.code).toBe('tenant_not_found');
    const made = await tenkey.sysadmin('post', `/tenants/${tenant}/keys`).send(body);
    expect(made.status).toBe(201);
    for (const method of ['get', 'delete'] as const) {
      const answer = await tenkey.sysadmin(method, `/tenants/${tenant}/keys/${made.body.key}`);
      expect([answer.status, answer.text.includes(made.body.key)]).toEqual([422, false]);
    }
  });

  it('is issued with a warning for each model that is not in the catalogue, and kept as it is', async () => {
    const create = async (allowed_models?: string[]) => {
      const answer = await tenkey
        .sysadmin('post', `/tenants/${tenant}/keys`)
        .send({ name: 'pilot', ...(allowed_models && { allowed_models }) });
      expect([answer.status, answer.body.allowed_models]).toEqual([201, allowed_models ?? null]);
      return answer.body;
    };
    const { id, warnings } = await create(['gpt-4o', 'gpt-40', 'not-yet']);
    expect(warnings).toEqual([
      'gpt-40 is not in the model catalogue, so no call can name it; did you mean gpt-4o?',
      'not-yet is not in the model catalogue, so no call can name it',
    ]);
    const listed = await tenkey.sysadmin('get', `/tenants/${tenant}/keys/${id}`);
    expect(listed.body.allowed_models).toEqual(['gpt-4o', 'gpt-40', 'not-yet']);
    const many = await create(Array.from({ length: 500 }, (_, index) => `unknown model ${index}`));
    expect(many.warnings).toHaveLength(11);
    expect(many.warnings.at(-1)).toBe('490 more names are not in the model catalogue');
    for (const models of [['gpt-4o'], undefined]) expect(await create(models)).not.toHaveProperty('warnings');
  });

  it('is audited by id, name and mask, even when it is deleted with its tenant', async () => {
    const { id, key } = await issueTenantKey(tenkey, tenant, {
      name: 'audited',
      allowed_models: ['gpt-4o'],
      tokens_per_minute: 1000,
    });
    const kept = await issueTenantKey(tenkey, tenant, { name: 'kept' });
    await tenkey.sysadmin('delete', `/tenants/${tenant}/keys/${id}`);
    await tenkey.sysadmin('delete', `/tenants/${tenant}/keys/${id}`);
    await tenkey.sysadmin('delete', `/tenants/${tenant}`);
    const { items } = (await tenkey.sysadmin('get', `/audit-events?tenant_id=${tenant}`)).body;
    const ofKeys = items
      .filter(({ action }: { action: string }) => action !== 'credential.set')
      .reverse()
      .slice(1);
    const shown = {
      id,
      name: 'audited',
      mask: `...${key.slice(-4)}`,
      allowed_models: ['gpt-4o'],
      requests_per_minute: null,
      tokens_per_minute: 1000,
      expires_at: null,
    };
    expect(ofKeys.map(({ action, details }: any) => [action, details])).toEqual([
      ['key.create', { after: shown }],
      ['key.create', { after: expect.objectContaining({ id: kept.id }) }],
      ['key.delete', { before: shown }],
      [
        'tenant.delete',
        {
          before: expect.objectContaining({
            keys: [{ id: kept.id, name: 'kept', mask: `...${kept.key.slice(-4)}` }],
          }),
        },
      ],
    ]);
  });
});
