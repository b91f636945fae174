import { randomUUID } from 'node:crypto';
import { describeWithApp, platformKey } from './support/app';

const path = '/tenants';
const fields = [
  'allowed_hosting',
  'allowed_providers',
  'contact_email',
  'created_at',
  'display_name',
  'egress_allow',
  'expected_providers',
  'id',
  'name',
  'state',
  'updated_at',
];

describeWithApp('tenants', (tenkey) => {
  const create = (body: object) => tenkey.sysadmin('post', path).send(body);
  const list = (query: Record<string, string | number> = {}) => tenkey.sysadmin('get', path).query(query);
  const namesOf = (body: { items: { name: string }[] }) => body.items.map(({ name }) => name);

  it('are created active, with a generated id or the platform’s, and found by it in upper or lower case', async () => {
    const ours = await create({ name: '  ours  ', display_name: 'Vår kommun' });
    expect([ours.status, Object.keys(ours.body).sort()]).toEqual([201, fields]);
    expect(ours.body).toMatchObject({ name: 'ours', display_name: 'Vår kommun', state: 'active' });
    // Any version of UUID, even those that no generator makes, because the platform may already use them.
    for (const id of [
      randomUUID(),
      '11111111-1111-1111-1111-111111111111',
      '01890a5d-ac96-774b-bcce-b302099a8057',
    ]) {
      const theirs = await create({ id: id.toUpperCase(), name: id, state: 'suspended' });
      expect([theirs.status, theirs.body.id, theirs.body.state]).toEqual([201, id, 'suspended']);
      const found = await tenkey.sysadmin('get', `${path}/${id.toUpperCase()}`);
      expect(found.body).toEqual(theirs.body);
      await tenkey.sysadmin('patch', `${path}/${id}`).send({ state: 'active' });
      expect((await tenkey.setCredential(id, 'openai', { api_key: 'sk-of-a-platform-id' })).status).toBe(200);
      expect((await tenkey.chat(id)).status).toBe(200);
    }
  });

  it('conflict by name and by id, even when created at the same moment, and then nothing changes', async () => {
    const id = randomUUID();
    const answers = await Promise.all([1, 2, 3, 4].map(() => create({ name: 'made-at-once' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    await create({ id, name: 'first-of-the-id' });
    for (const body of [{ name: 'made-at-once' }, { id, name: 'second-of-the-id' }]) {
      const answer = await create(body);
      expect([answer.status, answer.body.code]).toEqual([409, 'tenant_conflict']);
    }
    const renamed = await tenkey
      .sysadmin('patch', `${path}/${id}`)
      .send({ name: 'made-at-once', state: 'suspended' });
    expect([renamed.status, renamed.body.code]).toEqual([409, 'tenant_conflict']);
    expect((await tenkey.sysadmin('get', `${path}/${id}`)).body).toMatchObject({
      name: 'first-of-the-id',
      state: 'active',
    });
  });

  it('get exactly the fields of a PUT, which creates them when there are none, and repeating it changes nothing', async () => {
    const id = randomUUID();
    const put = (body: object) => tenkey.sysadmin('put', `${path}/${id.toUpperCase()}`).send(body);
    const events = async () =>
      (await tenkey.sysadmin('get', `/audit-events?tenant_id=${id}`)).body.items.map(
        ({ action }: { action: string }) => action,
      );
    const wanted = { name: 'put', contact_email: 'it@put.example', expected_providers: ['openai'] };
    const made = await put(wanted);
    expect([made.status, made.body]).toMatchObject([200, { id, ...wanted, state: 'active' }]);
    expect((await put(wanted)).body).toEqual(made.body);
    expect((await tenkey.sysadmin('patch', `${path}/${id}`).send(wanted)).body).toEqual(made.body);
    expect(await events()).toEqual(['tenant.create']);
    const replaced = await put({ name: 'put-again', state: 'suspended' });
    expect(replaced.body).toMatchObject({
      name: 'put-again',
      contact_email: null,
      state: 'suspended',
      expected_providers: null,
      created_at: made.body.created_at,
    });
    expect(await events()).toEqual(['tenant.update', 'tenant.create']);
    const other = { name: 'put-at-once' };
    const atOnce = [1, 2, 3].map(() =>
      tenkey.sysadmin('put', `${path}/${randomUUID().replace(/^./, '0')}`).send(other),
    );
    expect((await Promise.all(atOnce)).map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const sameId = randomUUID();
    const same = [1, 2, 3].map(() =>
      tenkey.sysadmin('put', `${path}/${sameId}`).send({ name: 'same-at-once' }),
    );
    expect((await Promise.all(same)).map(({ status }) => status)).toEqual([200, 200, 200]);
    await create({ name: 'has-the-name' });
    const conflict = await put({ name: 'has-the-name' });
    expect([conflict.status, conflict.body.code]).toEqual([409, 'tenant_conflict']);
    const unknown = await put({ name: 'put', expected_providers: ['openai', 'no-such'] });
    expect([unknown.status, unknown.body.errors[0].path]).toEqual([422, 'expected_providers']);
    expect(unknown.text).not.toContain('no-such');
    expect((await tenkey.sysadmin('get', `${path}/${id}`)).body).toEqual(replaced.body);
  });

  it('keep what a change does not name, and clear a display name set to null', async () => {
    const { body: made } = await create({ name: 'changing', display_name: 'Before' });
    const change = (body: object) => tenkey.sysadmin('patch', `${path}/${made.id}`).send(body);
    expect((await change({ state: 'suspended' })).body).toMatchObject({
      name: 'changing',
      display_name: 'Before',
      state: 'suspended',
    });
    const last = (await change({ name: 'changed', display_name: null, state: 'active' })).body;
    expect(last).toMatchObject({ name: 'changed', display_name: null, state: 'active' });
    expect(last.created_at).toBe(made.created_at);
    expect(Date.parse(last.updated_at)).toBeGreaterThan(Date.parse(made.updated_at));
    expect((await change({})).body).toEqual(last);
    for (const field of ['name', 'state']) {
      const { status, body } = await change({ [field]: null });
      expect([status, body.errors[0].path]).toEqual([422, field]);
    }
  });

  it('are left unchanged by a change with a misspelt field, and other unknown fields are ignored', async () => {
    const { body: made } = await create({ name: 'misspelt', description: 'of the platform', region: null });
    const change = (body: object) => tenkey.sysadmin('patch', `${path}/${made.id}`).send(body);
    for (const [slip, field] of [
      [{ sate: 'suspended' }, 'state'],
      [{ State: 'suspended' }, 'state'],
      [{ displayName: 'After', name: 'misspelt-no-more' }, 'display_name'],
      [{ contact_emial: 'it-drift@sundsvall.example' }, 'contact_email'],
    ] as const) {
      const { status, body } = await change(slip);
      const errors = [{ path: field, message: `did you mean ${field}?` }];
      expect([status, body.code, body.errors]).toEqual([422, 'validation_failed', errors]);
    }
    expect((await create({ name: 'misspelt-too', stat: 'suspended' })).status).toBe(422);
    const { updated_at: _before, ...before } = made;
    // A client may send back what GET returned.
    expect((await change({ ...made, note: 'x', idx: 1 })).body).toMatchObject(before);
  });

  it('are not created or changed with a key in place of a name, which the audit would keep for ever', async () => {
    const { body: made } = await create({ name: 'no-key-in-a-name' });
    const pasted = 'sk-proj-Pasted0By0Mistake0123456789';
    for (const field of ['name', 'display_name']) {
      const inHex = `sk-${randomUUID().replaceAll('-', '')}`;
      for (const value of [pasted, `of ${pasted}`, inHex, `enc:fernet:v1:${'gAAAAA'.repeat(8)}`]) {
        const change = { name: 'never-made', [field]: value };
        for (const answer of [
          await create(change),
          await tenkey.sysadmin('patch', `${path}/${made.id}`).send(change),
        ]) {
          expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed']);
          expect(answer.body.errors).toEqual([
            { path: field, message: `${field} must not contain control characters or a key` },
          ]);
          expect(answer.text).not.toContain(pasted);
        }
      }
    }
    expect((await tenkey.sysadmin('get', `${path}/${made.id}`)).body).toEqual(made);
    const [{ found }] = await tenkey.database.query(
      'select count(*)::int as found from audit_events e where strpos(e::text, $1) > 0',
      [pasted],
    );
    expect(found).toBe(0);
    // Names that only start like a key, or are a UUID without its hyphens, are allowed.
    for (const name of ['sk-stockholm', 'pk-norra-sverige', randomUUID().replaceAll('-', '')]) {
      expect((await create({ name, display_name: 'Stockholms stad' })).status).toBe(201);
    }
  });

  it('have a contact address, which is set, changed and cleared, and is an e-mail address or null', async () => {
    const contact_email = 'it-drift@sundsvall.example';
    const { body: made } = await create({ name: 'with-a-contact', contact_email: ` ${contact_email} ` });
    const change = (body: object) => tenkey.sysadmin('patch', `${path}/${made.id}`).send(body);
    expect(made.contact_email).toBe(contact_email);
    expect((await change({ state: 'suspended' })).body.contact_email).toBe(contact_email);
    expect((await change({ contact_email: 'ki@sundsvall.example' })).body).toMatchObject({
      contact_email: 'ki@sundsvall.example',
      state: 'suspended',
    });
    // The address of a chat webhook is a secret, and would be stored here in clear text.
    const message = 'contact_email must be one e-mail address';
    for (const wrong of [
      'it-drift',
      'https://hooks.example/T0/secret',
      'https://user@hooks.example/T0/secret',
      'two@x.example, three@x.example',
      'nul\u0000@x.example',
      'half-a-pair\udc00@x.example',
      '',
    ]) {
      const answer = await change({ contact_email: wrong });
      expect([answer.status, answer.body.errors]).toEqual([422, [{ path: 'contact_email', message }]]);
    }
    expect((await change({ contact_email: `${'x'.repeat(300)}@x.example` })).status).toBe(422);
    expect((await change({ contact_email: null })).body.contact_email).toBeNull();
  });

  it('are listed newest first in pages, none twice and none missing while others are created and deleted', async () => {
    const made: string[] = [];
    for (let index = 0; index < 7; index += 1) made.push(await tenkey.createTenant(`paged-${index}`));
    // All have the same creation time, so the id decides the order.
    await tenkey.edit(
      `UPDATE tenants SET created_at = '2020-01-01 00:00:00.000123Z' WHERE name LIKE 'paged-%'`,
    );
    const expected = [...made].sort().reverse();
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await list({ limit: 2, search: 'PAGED-', ...(cursor !== null && { cursor }) });
      expect([body.count, body.items.length]).toEqual([body.items.length, Math.min(2, 7 - seen.length)]);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.next_cursor;
      if (seen.length !== 4) continue;
      // The tenant at the cursor is deleted, and a newer one is created.
      await tenkey.sysadmin('delete', `${path}/${seen[3]}`);
      await tenkey.createTenant('paged-newer');
    } while (cursor !== null);
    expect(seen).toEqual(expected);
    const { body } = await list({ search: 'paged-' });
    expect([body.count, body.total, body.next_cursor]).toEqual([7, 7, null]);
  });

  it('are searched by parts of their names, in which a wildcard is an ordinary character', async () => {
    await create({ name: 'search-100%', display_name: 'Första' });
    await create({ name: 'search-100x', display_name: 'Andra' });
    expect(namesOf((await list({ search: '100%' })).body)).toEqual(['search-100%']);
    expect(namesOf((await list({ search: 'FÖRSTA' })).body)).toEqual(['search-100%']);
    expect(namesOf((await list({ search: 'search_100' })).body)).toEqual([]);
    expect(namesOf((await list({ search: '\\' })).body)).toEqual([]);
  });

  it.each<Record<string, string | number>>([
    { limit: 0 },
    { limit: 1001 },
    { limit: 'many' },
    { cursor: 'bm90aGluZw' },
    { cursor: Buffer.from(randomUUID()).toString('base64url') },
    { cursor: Buffer.from(`2026-02-30T00:00:00.000000Z ${randomUUID()}`).toString('base64url') },
    { cursor: Buffer.from(`0000-01-01T00:00:00.000000Z ${randomUUID()}`).toString('base64url') },
    { cursor: Buffer.from(`2026-02-28T24:00:00.000000Z ${randomUUID()}`).toString('base64url') },
    { search: 'a\u0000b' },
  ])('are not listed for %j', async (query) => {
    const answer = await list(query);
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed']);
  });

  it('lose their credentials when they are deleted, and are unknown at the next call', async () => {
    const id = await tenkey.createTenant();
    await tenkey.setCredential(id, 'openai', { api_key: 'sk-of-a-deleted-tenant' });
    expect((await tenkey.chat(id)).status).toBe(200);
    tenkey.provider.reset();
    expect((await tenkey.sysadmin('delete', `${path}/${id}`)).status).toBe(204);
    const left = await tenkey.database.query('SELECT 1 FROM tenant_credentials WHERE tenant_id = $1', [id]);
    expect(left).toEqual([]);
    const refused = await tenkey.chat(id);
    expect([refused.status, refused.body.error.code]).toEqual([404, 'tenant_not_found']);
    expect(tenkey.provider.requests).toHaveLength(0);
    for (const [method, body] of [['get'], ['delete'], ['patch', { state: 'active' }]] as const) {
      const answer = await tenkey.sysadmin(method, `${path}/${id}`).send(body);
      expect([method, answer.status, answer.body.code]).toEqual([method, 404, 'tenant_not_found']);
    }
    // A new tenant with the same id does not own what the deleted one had.
    await create({ id, name: `again-${id}` });
    expect((await tenkey.chat(id)).body.error.code).toBe('credential_not_configured');
  });

  it('keep their credentials when they are suspended, and these can still be managed', async () => {
    const id = await tenkey.createTenant();
    await tenkey.setCredential(id, 'openai', { api_key: 'sk-of-a-suspended-tenant' });
    await tenkey.sysadmin('patch', `${path}/${id}`).send({ state: 'suspended' });
    expect((await tenkey.chat(id)).body.error.code).toBe('tenant_suspended');
    expect((await tenkey.setCredential(id, 'openai', { api_key: 'sk-set-while-suspended' })).status).toBe(
      200,
    );
    expect((await tenkey.sysadmin('get', `${path}/${id}/credentials`)).body.credentials).toHaveLength(1);
    await tenkey.sysadmin('patch', `${path}/${id}`).send({ state: 'active' });
    tenkey.provider.reset();
    expect((await tenkey.chat(id)).status).toBe(200);
    expect(tenkey.provider.requests[0]?.key).toBe('sk-set-while-suspended');
  });

  describe('whose policy says where their data may go', () => {
    let id: string;
    const policy = (body: object) => tenkey.sysadmin('patch', `${path}/${id}`).send(body);
    const offered = async () => {
      const { body } = await tenkey
        .http()
        .get('/v1/models')
        .set({ 'X-API-Key': platformKey, 'X-Tenant-ID': id });
      return body.data.map((model: { id: string }) => model.id) as string[];
    };
    const refusal = async (call: Promise<{ status: number; body: any }>) => {
      const { status, body } = await call;
      return [status, body.error?.tenkey_code ?? body.error?.code, body.error?.message];
    };
    const chat = (model: string, more: object = {}) => tenkey.chat(id, { model, ...more });
    beforeEach(async () => {
      id = await tenkey.createTenant();
      for (const provider of ['openai', 'mistral', 'berget']) {
        await tenkey.setCredential(id, provider, { api_key: `key-of-${provider}-for-a-policy` });
      }
      tenkey.provider.reset();
    });

    it('call the models of an allowed hosting, and no others, from the moment at which the change is answered', async () => {
      expect((await chat('gpt-4o')).status).toBe(200);
      expect(await offered()).toEqual(expect.arrayContaining(['gpt-4o', 'deepseek-flash', 'mistral-large']));
      const changed = await policy({ allowed_hosting: ['eu', 'swe'] });
      expect([changed.status, changed.body.allowed_hosting]).toEqual([200, ['eu', 'swe']]);
      tenkey.provider.reset();
      expect(await refusal(chat('gpt-4o'))).toEqual([
        403,
        'model_not_allowed',
        expect.stringContaining(
          'gpt-4o runs in usa, and the policy of the tenant allows only the hosting eu, swe.',
        ),
      ]);
      // The catalogue does not say where these run.
      expect(await refusal(chat('deepseek-flash'))).toEqual([
        403,
        'model_not_allowed',
        expect.stringContaining('deepseek-flash has no hosting in ai_models.yml'),
      ]);
      const embedding = tenkey.call(id, 'embeddings', { model: 'text-embedding-3-small', input: 'hello' });
      expect((await refusal(embedding))[1]).toBe('model_not_allowed');
      expect(tenkey.provider.requests).toHaveLength(0);
      for (const model of ['mistral-large', 'llama-berget']) expect((await chat(model)).status).toBe(200);
      const names = await offered();
      expect(names).toEqual(expect.arrayContaining(['mistral-large', 'llama-berget', 'azure-gpt-4o']));
      for (const name of ['gpt-4o', 'gpt-4o-legacy', 'deepseek-flash', 'own-server'])
        expect(names).not.toContain(name);
      const one = tenkey.http().get('/v1/models/gpt-4o').set({ 'X-API-Key': platformKey, 'X-Tenant-ID': id });
      expect((await refusal(one))[1]).toBe('model_not_allowed');
      await policy({ allowed_hosting: null });
      expect((await chat('gpt-4o')).status).toBe(200);
    });

    it('call the allowed providers, and no others', async () => {
      await policy({ allowed_providers: ['mistral'] });
      expect(await refusal(chat('gpt-4o'))).toEqual([
        403,
        'model_not_allowed',
        expect.stringContaining(
          'served by openai, and the policy of the tenant allows only the provider mistral.',
        ),
      ]);
      expect((await chat('mistral-large')).status).toBe(200);
      expect(await offered()).toEqual(['mistral-large']);
      await policy({ allowed_providers: [] });
      expect((await refusal(chat('mistral-large')))[2]).toContain('allows no provider');
      expect(await offered()).toEqual([]);
    });

    it('do not reach another model through a parameter of an allowed one', async () => {
      await policy({ allowed_hosting: ['usa'] });
      expect(await refusal(chat('gpt-4o', { models: ['elsewhere'] }))).toEqual([
        403,
        'forbidden',
        expect.stringContaining('this key or its tenant is limited'),
      ]);
      await policy({ allowed_hosting: null });
      expect((await chat('gpt-4o', { models: ['elsewhere'] })).status).toBe(200);
    });

    it('are explained to the sysadmin as a call refuses them, and what they refuse breaks nothing', async () => {
      await policy({ allowed_hosting: ['swe'] });
      const { models } = (await tenkey.sysadmin('get', `${path}/${id}/models`)).body;
      const explained = models.find((model: { name: string }) => model.name === 'gpt-4o');
      expect([explained.ready, explained.problem]).toEqual([
        false,
        {
          code: 'model_not_allowed',
          detail: expect.stringContaining('allows only the hosting swe'),
          hint: expect.stringContaining(`PATCH /api/v1/sysadmin/tenants/${id}`),
        },
      ]);
      const { items } = (await tenkey.sysadmin('get', '/readiness')).body;
      const row = items.find((item: { tenant_id: string }) => item.tenant_id === id);
      const cellOf = (provider: string) =>
        row.providers.find((each: { provider: string }) => each.provider === provider);
      expect(cellOf('mistral')).toMatchObject({
        ready: false,
        failing_models: ['mistral-large'],
        breaking_models: [],
        problem: { code: 'model_not_allowed' },
      });
      expect(cellOf('berget').ready).toBe(true);
    });

    it('is refused with a text that names the field and not the value', async () => {
      for (const [field, value] of [
        ['allowed_hosting', ['']],
        ['allowed_hosting', 'eu'],
        ['allowed_hosting', ['eu', 'eu']],
        ['allowed_providers', ['openai', 'no-such']],
        ['egress_allow', ['127.0.0.1:no-such']],
        ['egress_allow', ['127.0.0.1:8000']],
        ['egress_allow', [5]],
      ] as const) {
        const answer = await policy({ [field]: value });
        expect([value, answer.status, answer.body.errors?.[0]?.path]).toEqual([value, 422, field]);
        expect(answer.text).not.toContain('no-such');
      }
      expect((await policy({ egress_allow: ['10.0.0.0/8:*', 'vllm.internal:8000'] })).status).toBe(200);
      const { items } = (await tenkey.sysadmin('get', `/audit-events?tenant_id=${id}`)).body;
      expect(items[0]).toMatchObject({
        action: 'tenant.update',
        details: { after: { egress_allow: ['10.0.0.0/8:*', 'vllm.internal:8000'] } },
      });
    });
  });
});

describeWithApp(
  'tenants with EGRESS_PRIVATE=deny',
  { EGRESS_PRIVATE: 'deny', VLLM_MODEL_URL: undefined },
  (tenkey) => {
    const endpoint = 'http://10.255.255.1:8000/v1';
    const set = (id: string) =>
      tenkey.setCredential(id, 'vllm', { api_key: 'key-of-a-private-server', endpoint });

    it('have private endpoints that their own list or EGRESS_ALLOW names, and a removed entry is in force at once', async () => {
      const id = await tenkey.createTenant();
      const other = await tenkey.createTenant();
      const refused = await set(id);
      expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
        422,
        'endpoint_not_allowed',
        'The endpoint is not allowed, because it is a private address.',
      ]);
      expect(refused.body.hint).toContain(
        `PATCH /api/v1/sysadmin/tenants/${id} with its host and port in egress_allow`,
      );
      expect(refused.text).not.toContain('10.255.255.1');
      const list = (egress_allow: string[] | null) =>
        tenkey.sysadmin('patch', `${path}/${id}`).send({ egress_allow });
      await list(['10.255.255.0/24:8000']);
      expect((await set(id)).status).toBe(200);
      expect((await set(other)).status).toBe(422);
      const explained = async () => {
        const { models } = (await tenkey.sysadmin('get', `${path}/${id}/models`)).body;
        return models.find((model: { name: string }) => model.name === 'gemma-vllm').problem?.code;
      };
      expect(await explained()).toBeUndefined();
      await list(null);
      expect(await explained()).toBe('endpoint_not_allowed');
      const call = await tenkey.chat(id, { model: 'gemma-vllm' });
      expect([call.status, call.body.error.code]).toEqual([424, 'endpoint_not_allowed']);
      expect(call.body.error.message).toContain('EGRESS_PRIVATE=deny');
      expect(call.text).not.toContain('10.255.255.1');
    });
  },
);
