import { randomUUID } from 'node:crypto';
import { describeWithApp, superKey } from './support/app';
import { issueSysadminKey, issueTenantKey } from './support/keys';
import { usageRecords } from './support/usage';
import { until } from './support/until';

const models = `
completion_models:
  - name: gpt-4o
    litellm_model_name: gpt-4o
  - name: '=HYPERLINK("x"), y'
    litellm_model_name: openai/other
  - name: claude
    litellm_model_name: anthropic/claude
`;

describeWithApp('usage reports', {}, { models }, (tenkey) => {
  let a: string;
  let b: string;
  let keyOfA: { id: string; key: string };
  let narrowKeyOfA: { id: string; key: string };
  beforeAll(async () => {
    [a, b] = [await tenkey.createTenant('a'), await tenkey.createTenant('b')];
    for (const tenant of [a, b]) {
      await tenkey.setCredential(tenant, 'openai', { api_key: `sk-openai-key-of-${tenant.slice(0, 8)}` });
      await tenkey.setCredential(tenant, 'anthropic', {
        api_key: `sk-anthropic-key-of-${tenant.slice(0, 8)}`,
      });
    }
    keyOfA = await issueTenantKey(tenkey, a);
    narrowKeyOfA = await issueTenantKey(tenkey, a, { allowed_models: ['claude'] });
    const call = (key: string, model: string) =>
      tenkey
        .http()
        .post('/v1/chat/completions')
        .set('authorization', `Bearer ${key}`)
        .send({ model, messages: [{ role: 'user', content: 'hello' }] })
        .expect(200);
    await tenkey.chat(a).expect(200);
    await call(keyOfA.key, 'gpt-4o');
    await call(keyOfA.key, '=HYPERLINK("x"), y');
    await call(narrowKeyOfA.key, 'claude');
    await tenkey.chat(b).expect(200);
    // The following calls use another key.
    await tenkey.setCredential(b, 'openai', { api_key: 'sk-the-next-key-of-b-n3x7' });
    tenkey.provider.next({ status: 500 });
    await tenkey.chat(b).expect(502);
    await usageRecords(tenkey, 6);
  });

  const today = () => new Date().toISOString().slice(0, 10);
  const report = async (path: string) => {
    const answer = await tenkey.sysadmin('get', path);
    expect([path, answer.status]).toEqual([path, 200]);
    return answer.body;
  };
  const callsBy = async (path: string, ...names: string[]) =>
    (await report(path)).items.map((item: any) => [...names.map((name) => item[name]), item.calls]);

  it('sum by day over the last 30 days by default', async () => {
    const body = await report('/usage');
    expect(body).toMatchObject({
      until: today(),
      count: 1,
      items: [{ day: today(), calls: 6, failed: 1, unfinished: 0, unmetered: 0 }],
      total: { calls: 6, failed: 1 },
      lost_calls: 0,
      next_cursor: null,
    });
    expect(Date.parse(body.until) - Date.parse(body.since)).toBe(29 * 86_400_000);
    expect(body.total).not.toHaveProperty('day');
  });

  it('sum by tenant, model, provider, key, source, operation and credential, alone and together', async () => {
    const byTenant = [a, b].sort().map((id) => [id, id === a ? 4 : 2]);
    expect(await callsBy('/usage?group_by=tenant', 'tenant_id')).toEqual(byTenant);
    expect(await callsBy('/usage?group_by=tenant,source', 'tenant_name')).toEqual(
      byTenant.map(([id, calls]) => [id === a ? 'a' : 'b', calls]),
    );
    expect(Object.keys((await report('/usage?group_by=model,tenant')).items[0]).slice(0, 3)).toEqual([
      'model',
      'tenant_id',
      'tenant_name',
    ]);
    expect((await report('/usage?group_by=provider')).items[0]).not.toHaveProperty('tenant_name');
    expect(await callsBy('/usage?group_by=provider', 'provider')).toEqual([
      ['anthropic', 1],
      ['openai', 5],
    ]);
    expect(await callsBy('/usage?group_by=source,operation', 'source', 'operation')).toEqual([
      ['tenant', 'chat/completions', 6],
    ]);
    expect(new Map(await callsBy(`/tenants/${a}/usage?group_by=key`, 'key_id'))).toEqual(
      new Map([
        [keyOfA.id, 2],
        [narrowKeyOfA.id, 1],
        [null, 1],
      ]),
    );
    const credentials = await callsBy(
      `/tenants/${b}/usage?group_by=credential`,
      'provider',
      'mask',
      'version',
    );
    expect(credentials).toHaveLength(2);
    expect(credentials.map(([, mask]: string[]) => mask).sort()).toEqual(
      ['...n3x7', `...${b.slice(4, 8)}`].sort(),
    );
    expect((await report('/usage?group_by=')).items).toEqual([(await report('/usage')).total]);
  });

  it('choose the calls to a provider and of a model, also as CSV and in pages', async () => {
    const model = encodeURIComponent('=HYPERLINK("x"), y');
    expect(await callsBy('/usage?provider=anthropic&group_by=model', 'model')).toEqual([['claude', 1]]);
    expect(await callsBy('/usage?model=gpt-4o&group_by=tenant', 'tenant_id')).toEqual(
      [a, b].sort().map((id) => [id, 2]),
    );
    expect((await report(`/usage?provider=openai&model=${model}`)).total.calls).toBe(1);
    expect((await report('/usage?provider=anthropic&model=gpt-4o')).total.calls).toBe(0);
    expect((await report(`/tenants/${a}/usage?provider=openai`)).total.calls).toBe(3);
    const csv = await tenkey.sysadmin('get', '/usage?provider=openai&group_by=tenant,model&format=csv');
    const rows = csv.text.split('\r\n').slice(1, -1);
    expect(rows).toHaveLength(3);
    expect(rows.filter((row) => row.includes('claude'))).toEqual([]);
    const first = await report('/usage?provider=openai&group_by=tenant,model&limit=2');
    const second = await report(
      `/usage?provider=openai&group_by=tenant,model&limit=2&cursor=${first.next_cursor}`,
    );
    expect([...first.items, ...second.items].map(({ calls }) => calls).sort()).toEqual([1, 2, 2]);
    expect([first.total.calls, second.next_cursor]).toEqual([5, null]);
  });

  it('come in pages that together are complete', async () => {
    const whole = await report('/usage?group_by=tenant,model,key');
    const items: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: any = await report(
        `/usage?group_by=tenant,model,key&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      expect(page.total).toEqual(whole.total);
      items.push(...page.items);
      cursor = page.next_cursor;
    }
    expect(items).toEqual(whole.items);
    expect(items.length).toBeGreaterThan(4);
  });

  it('have each group once in their pages, whatever is recorded meanwhile', async () => {
    const tenant = await tenkey.createTenant();
    const add = (model: string, tenantKeyId: string | null, version: number | null) =>
      tenkey.database.query(
        `insert into usage_daily select current_date, $1, 'openai', $2, 'embeddings', $3, 'tenant', '...x', $4,
           1, 0, 0, 0, 1, 1, 0, 1, 1`,
        [tenant, model, tenantKeyId, version],
      );
    const id = 'BoT0VjF9rQ2';
    await add('m', null, null);
    await add('m', id, 3);
    await add('m', id, 20);
    await add('n', null, 4);
    const items: any[] = [];
    for (let cursor: string | null = '', round = 0; cursor !== null; round += 1) {
      const query = `group_by=day,tenant,model,key,credential&limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const page: any = await report(`/usage?tenant_id=${tenant}&${query}`);
      items.push(...page.items);
      cursor = page.next_cursor;
      await add(`a${round}`, id, 1);
    }
    expect(items.map(({ model, key_id, version }) => [model, key_id, version])).toEqual([
      ['m', null, null],
      ['m', id, '3'],
      ['m', id, '20'],
      ['n', null, '4'],
    ]);
  });

  it('are complete as CSV of any length', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.database.query(
      `insert into usage_daily select current_date - n % 3, $1, 'openai', 'm' || n, 'embeddings',
         nullif('BoT0VjF9rQ' || n % 4, 'BoT0VjF9rQ0'), 'tenant', '...x', nullif(n % 5, 0), 1, 0, 0, 0, 1, 1, 0, 1, 1
       from generate_series(1, 12000) as n`,
      [tenant],
    );
    const path = `/tenants/${tenant}/usage?group_by=credential,key,day,model&format=csv`;
    const lines = (await tenkey.sysadmin('get', path)).text.split('\r\n').slice(1, -1);
    expect([lines.length, new Set(lines).size]).toEqual([12_000, 12_000]);
  });

  it('break off as CSV when they fail in the middle, which the log distinguishes from a client that disconnected', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.database.query(
      `insert into usage_daily select current_date, $1, 'openai', 'm' || n, 'embeddings', null, 'tenant', '...x', 1,
         1, 0, 0, 0, 1, 1, 0, 1, 1 from generate_series(1, 40000) as n`,
      [tenant],
    );
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const begun = () =>
      fetch(`http://127.0.0.1:${port}/api/v1/sysadmin/tenants/${tenant}/usage?group_by=model&format=csv`, {
        headers: { 'x-api-key': superKey },
      });
    const logged = async (answer: Response) => {
      const id = answer.headers.get('x-tenkey-request-id')!;
      const line = () =>
        tenkey.logLines.find((each) => each.includes(id) && each.includes('"msg":"request"'));
      await until(() => line() !== undefined, `the log line of ${id}`);
      return JSON.parse(line()!);
    };
    const failing = await begun();
    await tenkey.database.query('alter table usage_daily rename to usage_daily_away');
    try {
      await expect(failing.text()).rejects.toThrow();
    } finally {
      await tenkey.database.query('alter table usage_daily_away rename to usage_daily');
    }
    const line = await logged(failing);
    expect(line).toMatchObject({ status: 200, aborted: true, code: 'internal_error' });
    expect(JSON.stringify(line.err)).toContain('usage_daily');
    const left = await begun();
    await left.body!.cancel();
    expect((await logged(left)).code).toBeUndefined();
  });

  it.each([
    ['day', ['2026-02-30']],
    ['day', ['2026-01-31', 'x']],
    ['tenant', ['x']],
    ['model', [null]],
    ['model', ['\0']],
    ['credential', ['openai', '...x', '1 or true']],
    ['credential', ['openai', '...x', '9'.repeat(30)]],
    ['', ['x']],
  ])('are refused by %s after the cursor %j', async (groups, place) => {
    const days = ['2026-01-01', '2026-01-31'];
    const cursor = Buffer.from(JSON.stringify([...days, place].flat())).toString('base64url');
    const { status, body } = await tenkey.sysadmin('get', `/usage?group_by=${groups}&cursor=${cursor}`);
    expect([status, body.errors?.[0]?.path]).toEqual([422, 'cursor']);
  });

  it('are CSV on request, in which no model is a formula', async () => {
    const answer = await tenkey.sysadmin('get', `/tenants/${a}/usage?group_by=day,model&format=csv`);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(answer.headers['content-disposition']).toMatch(/^attachment; filename="usage-[\d-]+\.csv"$/);
    const lines = answer.text.split('\r\n');
    expect(lines[0]).toBe(
      'day,model,calls,failed,unfinished,unmetered,input_tokens,output_tokens,cached_tokens,cache_write_tokens,search_units,request_bytes,response_bytes',
    );
    expect(lines[1]).toMatch(
      new RegExp(`^${today()},"'=HYPERLINK\\(""x""\\), y",1,0,0,0,3,2,0,0,0,\\d+,\\d+$`),
    );
    expect(lines).toHaveLength(5);
    const byTenant = await tenkey.sysadmin('get', '/usage?group_by=tenant,day&format=csv');
    const [head, ...rows] = byTenant.text.split('\r\n');
    expect(head).toMatch(/^tenant_id,tenant_name,day,calls,/);
    expect(rows.find((row) => row.startsWith(b))).toMatch(new RegExp(`^${b},b,${today()},2,`));
    const empty = await tenkey.sysadmin(
      'get',
      `/tenants/${a}/usage?until=2020-01-01&format=csv&group_by=model`,
    );
    expect(empty.text.split('\r\n').filter(Boolean)).toHaveLength(1);
  });

  it('say in a header how many calls a CSV lacks', async () => {
    const tenant = await tenkey.createTenant();
    const { key } = await issueTenantKey(tenkey, tenant);
    await tenkey.database.query(
      'insert into usage_lost (day, tenant_id, calls) values (current_date, $1, 7)',
      [tenant],
    );
    const lostIn = async (path: string, headers: Record<string, string> = { 'x-api-key': superKey }) => {
      const answer = await tenkey.http().get(`${path}?format=csv`).set(headers);
      return [answer.status, answer.headers['x-tenkey-lost-calls']];
    };
    const root = '/api/v1/sysadmin';
    expect(await lostIn(`${root}/tenants/${tenant}/usage`)).toEqual([200, '7']);
    expect(await lostIn(`${root}/usage`)).toEqual([200, '7']);
    expect(await lostIn('/v1/usage', { authorization: `Bearer ${key}` })).toEqual([200, '7']);
    expect(await lostIn(`${root}/tenants/${a}/usage`)).toEqual([200, '0']);
    const { paths } = (await tenkey.http().get('/docs/openapi.json')).body;
    for (const path of [`${root}/usage`, `${root}/tenants/{tenant_id}/usage`, '/v1/usage']) {
      expect(Object.keys(paths[path].get.responses['200'].headers)).toContain('x-tenkey-lost-calls');
    }
    await tenkey.database.query('delete from usage_lost where tenant_id = $1', [tenant]);
  });

  it("show a tenant key its tenant's own usage, of the models that the key may call", async () => {
    const own = (key: string, query = '') =>
      tenkey.http().get(`/v1/usage${query}`).set('authorization', `Bearer ${key}`);
    const whole = await own(keyOfA.key, '?group_by=model');
    expect([whole.status, whole.body.total.calls]).toEqual([200, 4]);
    const narrow = await own(narrowKeyOfA.key, '?group_by=model');
    expect(narrow.body.items.map(({ model }: any) => model)).toEqual(['claude']);
    expect(narrow.body.total.calls).toBe(1);
    expect((await own(keyOfA.key, '?provider=openai&model=gpt-4o')).body.total.calls).toBe(2);
    expect((await own(narrowKeyOfA.key, '?model=gpt-4o')).body.total.calls).toBe(0);
    const other = await own(keyOfA.key, `?tenant_id=${b}&group_by=tenant`);
    expect([other.status, other.body.error.code]).toEqual([422, 'validation_failed']);
    expect((await own(keyOfA.key, '?format=csv')).text).toContain('\r\n');
    await tenkey.sysadmin('patch', `/tenants/${a}`).send({ state: 'suspended' });
    expect((await own(keyOfA.key)).body.error.code).toBe('tenant_suspended');
    await tenkey.sysadmin('patch', `/tenants/${a}`).send({ state: 'active' });
  });

  it('show a sysadmin key for some tenants only those', async () => {
    const { key } = await issueSysadminKey(tenkey, { scopes: ['usage:read'], tenant_ids: [b] });
    const ask = (path: string) => tenkey.http().get(`/api/v1/sysadmin${path}`).set('X-API-Key', key);
    expect((await ask('/usage')).body.total.calls).toBe(2);
    expect((await ask(`/usage?tenant_id=${a}`)).body.total.calls).toBe(0);
    expect((await ask(`/usage/records?tenant_id=${a}`)).body.items).toEqual([]);
    const records = (await ask('/usage/records')).body.items;
    expect(records.map((record: any) => record.tenant_id)).toEqual([b, b]);
    const ofA = (await report(`/usage/records?tenant_id=${a}`)).items[0].request_id;
    expect((await ask(`/usage/records?request_id=${ofA}`)).body.items).toEqual([]);
    expect((await ask(`/tenants/${a}/usage`)).status).toBe(403);
    expect((await ask(`/tenants/${b}/usage`)).status).toBe(200);
  });

  it('list calls newest first in pages, of a tenant, a key and a time', async () => {
    const all = (await report('/usage/records')).items;
    expect(all).toHaveLength(6);
    const times = all.map(({ at }: any) => at);
    expect(times).toEqual([...times].sort().reverse());
    const paged: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: any = await report(`/usage/records?limit=4${cursor === '' ? '' : `&cursor=${cursor}`}`);
      paged.push(...page.items);
      cursor = page.next_cursor;
    }
    expect(paged).toEqual(all);
    expect((await report(`/usage/records?key_id=${keyOfA.id}`)).items).toHaveLength(2);
    const id = all[2].request_id;
    expect((await report(`/usage/records?request_id=${id.toUpperCase()}`)).items).toEqual([all[2]]);
    expect((await report(`/usage/records?request_id=${id}&tenant_id=${randomUUID()}`)).items).toEqual([]);
    expect((await report(`/usage/records?until=${times[3]}`)).items).toEqual(all.slice(4));
    expect((await report(`/usage/records?since=${times[3]}`)).items).toEqual(all.slice(0, 4));
  });

  it('outlive their tenant', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-a-tenant-that-goes' });
    await tenkey.chat(tenant).expect(200);
    await usageRecords(tenkey, 1, `&tenant_id=${tenant}`);
    await tenkey.sysadmin('delete', `/tenants/${tenant}`);
    expect((await report(`/usage?tenant_id=${tenant}`)).total.calls).toBe(1);
    // A deleted tenant has no name any more.
    const [sums] = (await report(`/usage?tenant_id=${tenant}&group_by=tenant`)).items;
    expect(sums).toMatchObject({ tenant_id: tenant, tenant_name: null, calls: 1 });
    const [record] = (await report(`/usage/records?tenant_id=${tenant}`)).items;
    expect(record).toMatchObject({ tenant_id: tenant, tenant_name: null });
    expect((await tenkey.sysadmin('get', `/tenants/${tenant}/usage`)).body.code).toBe('tenant_not_found');
  });

  it.each([
    ['/usage?group_by=colour', 'group_by'],
    ['/usage?group_by=day,day', 'group_by'],
    ['/usage?group_by=day;drop table usage_daily', 'group_by'],
    ['/usage?group_by=day&group_by=model', 'group_by'],
    ['/usage?since=yesterday', 'since'],
    ['/usage?since=2026-02-30', 'since'],
    ['/usage?since=2026-02-02&until=2026-02-01', 'since'],
    ['/usage?until=2026-02-01T00:00:00Z', 'until'],
    ['/usage?limit=0', 'limit'],
    ['/usage?cursor=-1', 'cursor'],
    [`/usage?cursor=${Buffer.from('"2026-01-31"').toString('base64url')}`, 'cursor'],
    [`/usage?cursor=${Buffer.from('["2026-01-01","9","2026-01-02"]').toString('base64url')}`, 'cursor'],
    ['/usage?format=xml', 'format'],
    ['/usage?provider=\t', 'provider'],
    [`/usage?model=${'m'.repeat(201)}`, 'model'],
    ['/usage?tenant_id=a', 'tenant_id'],
    ['/usage/records?format=csv', 'format'],
    ['/usage/records?cursor=x', 'cursor'],
    ['/usage/records?cursor=2026-13-01T00:00:00.000Z_0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10', 'cursor'],
    ['/usage/records?cursor=-271821-04-20T00:00:00.000Z_0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10', 'cursor'],
    ['/usage/records?cursor=0000-01-01T00:00:00.000Z_0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10', 'cursor'],
    ['/usage/records?cursor=2026-11-01T00:00:00.000Z_------------------------------------', 'cursor'],
    ['/usage/records?key_id=tk_x', 'key_id'],
    ['/usage/records?request_id=tk_x', 'request_id'],
    ['/usage/records?since=now', 'since'],
    ['/usage/records?since=2026-W01', 'since'],
    ['/usage/records?since=20260101', 'since'],
    ['/usage/records?until=2026-02-30', 'until'],
    ['/usage/records?until=2026-01-01T24:30:00Z', 'until'],
    ['/usage/records?until=2026-01-01T10:00:00', 'until'],
    ['/usage/records?until=2026-01-01T10:00:00,5Z', 'until'],
  ])('are refused for GET %s with the field and without the value', async (path, field) => {
    const answer = await tenkey
      .http()
      .get(encodeURI(`/api/v1/sysadmin${path}`))
      .set('X-API-Key', superKey);
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed']);
    expect(answer.body.errors.map((error: any) => error.path)).toContain(field);
    expect(answer.text).not.toMatch(/colour|drop table|yesterday|xml|tk_x/);
  });
});
