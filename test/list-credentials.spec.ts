import { randomUUID } from 'node:crypto';
import { CredentialsService, TenantCredential } from '#credentials';
import { FernetService } from '#crypto';
import { describeWithApp } from './support/app';
import { issueSysadminKey } from './support/keys';

describeWithApp('the list of credentials', (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'vllm', { api_key: 'vllm-key-ending-in-zzz', endpoint: null });
    await tenkey.setCredential(tenant, 'azure', {
      api_key: 'azure-key-ending-in-w9x8',
      endpoint: 'https://sundsvall.openai.azure.com',
      api_version: '2024-10-21',
      deployment_name: 'gpt-4o',
      deployments: { 'gpt-4o-mini': 'mini' },
    });
  });

  const list = (id = tenant) => tenkey.sysadmin('get', `/tenants/${id}/credentials`);

  it('shows masks, settings without the unset ones, and a status, sorted by provider', async () => {
    const { body } = await list();
    expect(body.credentials).toEqual([
      {
        provider: 'azure',
        masked_key: '...w9x8',
        encryption_status: 'encrypted',
        configured_at: expect.any(String),
        config: {
          endpoint: 'https://sundsvall.openai.azure.com',
          api_version: '2024-10-21',
          deployment_name: 'gpt-4o',
          deployments: { 'gpt-4o-mini': 'mini' },
        },
        status: 'ready',
        version: expect.stringMatching(/^\d+$/),
        expires_at: null,
        expires_within_days: null,
        verification: null,
        rejection: null,
        staged: null,
        previous: null,
      },
      expect.objectContaining({ provider: 'vllm', masked_key: '...-zzz', config: {} }),
    ]);
  });

  it('opens no key', async () => {
    const decrypt = jest.spyOn(FernetService.prototype, 'open' as never);
    await list();
    expect(decrypt).not.toHaveBeenCalled();
    // The same counter sees a call: each opens the credential once, and no opened key is kept.
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-opened-once-a-call' });
    for (let calls = 1; calls <= 2; calls += 1) {
      await tenkey.chat(tenant);
      expect(decrypt).toHaveBeenCalledTimes(calls);
    }
    decrypt.mockRestore();
    await tenkey.sysadmin('delete', `/tenants/${tenant}/credentials/openai`);
  });

  it('warns 30, 7 and 1 days before a credential expires, and when it has expired, staged ones included', async () => {
    const other = await tenkey.createTenant();
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
    const ends = { anthropic: 31, berget: 29, cohere: 6.9, groq: 0.9, mistral: -1 };
    for (const [provider, days] of Object.entries(ends)) {
      await tenkey.setCredential(other, provider, {
        api_key: 'sk-with-an-end-1234',
        expires_at: inDays(days),
      });
    }
    await tenkey
      .sysadmin('put', `/tenants/${other}/credentials/mistral?stage=true`)
      .send({ api_key: 'sk-of-next-week-5678', expires_at: inDays(5) });
    const { credentials } = (await list(other)).body;
    expect(credentials.map((one: any) => [one.provider, one.status, one.expires_within_days])).toEqual([
      ['anthropic', 'ready', null],
      ['berget', 'expiring', 30],
      ['cohere', 'expiring', 7],
      ['groq', 'expiring', 1],
      ['mistral', 'expired', 0],
    ]);
    expect(credentials[4].staged).toMatchObject({ status: 'expiring', expires_within_days: 7 });
  });

  it('finds the credentials of more tenants than a statement can have parameters', async () => {
    const ids = [...Array.from({ length: 66_000 }, () => randomUUID()), tenant];
    const found = await tenkey.nest.get(CredentialsService).overview(ids);
    expect(found.size).toBe(ids.length);
    const providers = (id: string) =>
      found
        .get(id)
        ?.all()
        .map(({ provider }) => provider);
    expect([providers(tenant), providers(ids[0]!)]).toEqual([['azure', 'vllm'], []]);
  });

  it('includes rows that cannot be used', async () => {
    await tenkey.edit(
      `UPDATE tenant_credentials SET sealed_api_key = 'in clear' WHERE tenant_id = $1 AND provider = 'azure'`,
      [tenant],
    );
    const { status, body } = await list();
    expect(status).toBe(200);
    expect(body.credentials[0]).toMatchObject({ status: 'plaintext', encryption_status: 'plaintext' });
    expect(JSON.stringify(body)).not.toContain('in clear');
    expect(body.credentials[1].status).toBe('ready');
  });

  it('includes rows into which SQL wrote a time or settings that Tenkey never writes', async () => {
    const other = await tenkey.createTenant();
    for (const provider of ['berget', 'mistral', 'openai', 'ovhcloud'])
      await tenkey.setCredential(other, provider, { api_key: 'sk-edited-in-sql-1234' });
    for (const [provider, change] of [
      ['berget', `configured_at = 'infinity'`],
      ['mistral', `configured_at = '294000-01-01'`],
      ['openai', `settings = 'null'`],
    ])
      await tenkey.edit(`UPDATE tenant_credentials SET ${change} WHERE tenant_id = $1 AND provider = $2`, [
        other,
        provider,
      ]);
    const { status, body } = await list(other);
    expect(status).toBe(200);
    const statuses = body.credentials.map((one: { status: string }) => one.status);
    expect(statuses).toEqual(['tampered', 'tampered', 'tampered', 'ready']);
    expect((await tenkey.chat(other)).body.error.code).toBe('credential_tampered');
    expect((await tenkey.chat(other, { model: 'mistral-large' })).body.error.code).toBe(
      'credential_tampered',
    );
  });

  it('never selects the sealed key unless a query names it, and no route returns a key', async () => {
    const rows = await tenkey.database.getRepository(TenantCredential).find();
    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows) expect(row.sealedApiKey).toBeUndefined();
    const one = await tenkey.sysadmin('get', `/tenants/${tenant}/credentials/azure`);
    expect([one.status, one.headers.allow]).toEqual([405, 'DELETE, PUT']);
    for (const suffix of ['/azure/api_key', '/azure/reveal', '/azure/decrypt'])
      expect((await tenkey.sysadmin('get', `/tenants/${tenant}/credentials${suffix}`)).status).toBe(404);
  });

  it('is empty for a tenant without credentials, 404 for an unknown tenant, and 422 without a UUID', async () => {
    expect((await list(await tenkey.createTenant())).body).toEqual({ credentials: [] });
    expect((await list(randomUUID())).body.code).toBe('tenant_not_found');
    const bad = await list('no-uuid');
    expect([bad.status, bad.body.code]).toEqual([422, 'validation_failed']);
    expect(bad.text).not.toContain('no-uuid');
  });
});

describeWithApp('the list of the credentials of all tenants', (tenkey) => {
  const ids: Record<string, string> = {};
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const list = (query = '') => tenkey.sysadmin('get', `/credentials${query}`);
  /** The tenant, provider, state and status of each row, sorted by the name of the tenant. */
  const rowsOf = async (query: string) => {
    const { status, body } = await list(query);
    expect([query, status]).toEqual([query, 200]);
    const rows = body.items as { tenant: string; provider: string; staged: boolean; status: string }[];
    return rows
      .map((row) => `${row.tenant} ${row.provider}${row.staged ? ' staged' : ''} ${row.status}`)
      .sort();
  };

  beforeAll(async () => {
    for (const name of ['=harnosand', 'sundsvall', 'umea']) ids[name] = await tenkey.createTenant(name);
    const set = (name: string, provider: string, body: object, query = '') =>
      tenkey.sysadmin('put', `/tenants/${ids[name]}/credentials/${provider}${query}`).send(body);
    await set('=harnosand', 'openai', { api_key: 'sk-harnosand-1111', expires_at: inDays(5) });
    await set('sundsvall', 'mistral', { api_key: 'sk-sundsvall-2222' });
    await set('sundsvall', 'openai', { api_key: 'sk-sundsvall-3333', expires_at: inDays(-1) });
    await set('sundsvall', 'openai', { api_key: 'sk-sundsvall-4444', expires_at: inDays(90) }, '?stage=true');
    await set('umea', 'groq', { api_key: 'sk-umea-5555' });
    await set('umea', 'openai', { api_key: 'sk-umea-6666' });
    await set('umea', 'openai', { api_key: 'sk-umea-7777' }, '?stage=true');
    await tenkey.sysadmin('post', `/tenants/${ids.umea}/credentials/openai/promote`);
    tenkey.provider.rejectKey('sk-umea-7777');
    await tenkey.sysadmin('post', `/tenants/${ids.umea}/credentials/openai/verify`);
  });

  it('shows live and staged ones with the status that the list of the tenant shows', async () => {
    expect(await rowsOf('')).toEqual([
      '=harnosand openai expiring',
      'sundsvall mistral ready',
      'sundsvall openai expired',
      'sundsvall openai staged ready',
      'umea groq ready',
      'umea openai rejected',
    ]);
    const { body } = await list('?provider=openai&staged=false');
    for (const row of body.items as Record<string, unknown>[]) {
      const { tenant_id, tenant, staged, ...fields } = row;
      const own = await tenkey.sysadmin('get', `/tenants/${String(tenant_id)}/credentials`);
      expect(own.body.credentials).toContainEqual(expect.objectContaining(fields));
      expect([ids[String(tenant)], staged]).toEqual([tenant_id, false]);
    }
    expect(body.items).toHaveLength(3);
  });

  it.each([
    ['?status=expired', ['sundsvall openai expired']],
    ['?status=rejected', ['umea openai rejected']],
    ['?status=unreadable', []],
    ['?staged=true', ['sundsvall openai staged ready']],
    ['?provider=openai&status=expiring', ['=harnosand openai expiring']],
    ['?expires_within_days=5', ['=harnosand openai expiring', 'sundsvall openai expired']],
    ['?expires_within_days=0', ['sundsvall openai expired']],
    ['?expires_within_days=90&staged=true', ['sundsvall openai staged ready']],
    ['?provider=no_such', []],
  ])('%s selects', async (query, expected) => {
    expect(await rowsOf(query)).toEqual(expected);
  });

  it.each([
    '?status=tampered',
    '?provder=openai',
    '?expires_within_days=-1',
    '?staged=1',
    '?cursor=x',
    '?limit=0',
  ])('%s is refused, not ignored', async (query) => {
    const { status, body } = await list(query);
    expect([status, body.code]).toEqual([422, 'validation_failed']);
  });

  it('has each credential on one page, and all of them in CSV', async () => {
    const whole = (await list()).body.items as object[];
    const paged: object[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await list(`?limit=1${cursor && `&cursor=${cursor}`}`);
      expect(body.count).toBe(1);
      paged.push(...(body.items as object[]));
      cursor = body.next_cursor as string | null;
    }
    expect(paged).toEqual(whole);
    const csv = await list('?format=csv&limit=1');
    expect(csv.headers['content-type']).toBe('text/csv; charset=utf-8');
    const lines = csv.text.trimEnd().split('\r\n');
    expect(lines).toHaveLength(1 + whole.length);
    expect(lines[0]).toMatch(/^tenant_id,tenant,provider,staged,status,masked_key,/);
    expect(csv.text).toContain(`,'=harnosand,openai,false,expiring,...1111,`);
  });

  it('shows a key that is limited to some tenants only those', async () => {
    const limited = { scopes: ['credentials:read' as const], tenant_ids: [ids.umea!] };
    const { key } = await issueSysadminKey(tenkey, limited);
    const answer = await tenkey.http().get('/api/v1/sysadmin/credentials').set('x-api-key', key);
    const tenants = answer.body.items.map((row: { tenant: string }) => row.tenant);
    expect(tenants).toEqual(['umea', 'umea']);
    const csv = await tenkey.http().get('/api/v1/sysadmin/credentials?format=csv').set('x-api-key', key);
    expect(csv.text).not.toContain('sundsvall');
    for (const method of ['get', 'post'] as const) {
      const run = await tenkey.http()[method]('/api/v1/sysadmin/credentials/verify').set('x-api-key', key);
      expect([method, run.status]).toEqual([method, 403]);
    }
  });

  it('opens and returns no sealed key, and shows rows that cannot be used', async () => {
    const decrypt = jest.spyOn(FernetService.prototype, 'open' as never);
    await tenkey.edit(`UPDATE tenant_credentials SET sealed_api_key = 'in clear' WHERE provider = 'groq'`);
    await tenkey.edit(
      `UPDATE tenant_credentials SET key_id = '000000000000', configured_at = 'infinity' WHERE provider = 'mistral'`,
    );
    const { text } = await list();
    expect(decrypt).not.toHaveBeenCalled();
    decrypt.mockRestore();
    expect(text).not.toMatch(/in clear|enc:fernet/);
    expect(await rowsOf('?status=plaintext')).toEqual(['umea groq plaintext']);
    expect(await rowsOf('?status=unreadable')).toEqual(['sundsvall mistral unreadable']);
  });
});
