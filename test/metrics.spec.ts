import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type DataSource } from 'typeorm';
import { CredentialWarningsService } from '#credentials';
import { version as packageVersion } from '../package.json';
import { freePort } from './deployment/program';
import { platformKey, type TestApp } from './support/app';
import { type Gate } from './support/gate';
import { startGatedApp } from './support/gated-app';
import { issueSysadminKey, issueTenantKey } from './support/keys';
import { usageRecords } from './support/usage';
import { until } from './support/until';

describe('metrics', () => {
  let gate: Gate;
  let close: () => Promise<void>;
  let tenkey: TestApp;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    ({ tenkey, gate, close } = await startGatedApp({ METRICS_PORT: String(port) }));
  });
  afterAll(() => close());

  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const metrics = async () => {
    const answer = await tenkey.sysadmin('get', '/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    return answer.text.split('\n');
  };
  /** What is stored is read again a second later at the earliest. */
  const metricsWith = async (
    holds: (lines: string[]) => boolean,
    what: string,
    before: () => PromiseLike<unknown> = () => Promise.resolve(),
  ) => {
    let lines: string[] = [];
    await until(async () => {
      await before();
      await wait(50);
      return holds((lines = await metrics()));
    }, what);
    return lines;
  };
  const valueOf = (lines: readonly string[], series: string) =>
    Number(lines.find((line) => line.startsWith(`${series} `))?.slice(series.length));

  it('count calls and tokens of this process, by provider', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-counted-calls-m1e2' });
    await tenkey.chat(tenant).expect(200);
    await tenkey.chat(tenant).expect(200);
    tenkey.provider.next({ status: 500 });
    await tenkey.chat(tenant).expect(502);
    await usageRecords(tenkey, 3);
    const lines = await metrics();
    const labels = 'provider="openai",operation="chat/completions"';
    expect(lines).toEqual(
      expect.arrayContaining([
        `tenkey_calls_total{${labels},source="tenant",outcome="completed"} 2`,
        `tenkey_calls_total{${labels},source="tenant",outcome="failed"} 1`,
        'tenkey_tokens_total{provider="openai",kind="input"} 6',
        'tenkey_tokens_total{provider="openai",kind="output"} 4',
        `tenkey_call_duration_seconds_count{${labels}} 3`,
        'tenkey_usage_records_waiting 0',
        'tenkey_usage_records_lost_total 0',
        expect.stringMatching(/^process_resident_memory_bytes \d+$/),
      ]),
    );
    expect(lines.join('\n')).not.toContain(tenant);
  });

  it('warn of credentials that expire within 30, 7 and 1 days, and of those that a provider refuses', async () => {
    const name = 'sundsvall, "the city"';
    const tenant = await tenkey.createTenant(name);
    const tell = (contact_email: string | null) =>
      tenkey.sysadmin('patch', `/tenants/${tenant}`).send({ contact_email });
    await tell('it-drift@sundsvall.example');
    const ends = { openai: 29, mistral: 6.9, berget: 0.5, anthropic: 31 };
    for (const [provider, days] of Object.entries(ends)) {
      const set = { api_key: 'sk-key-with-an-end-e9n8', expires_at: inDays(days) };
      expect((await tenkey.setCredential(tenant, provider, set)).status).toBe(200);
    }
    const gone = { api_key: 'sk-key-that-has-expired', expires_at: inDays(-1) };
    await tenkey.setCredential(tenant, 'ovhcloud', gone);
    const own = (lines: string[]) =>
      lines
        .filter((line) => line.includes(`tenant_id="${tenant}"`))
        .map((line) => line.replace(`tenant_id="${tenant}",`, '').replace(/^tenkey_credential_/, ''));
    const shown = own(await metricsWith((lines) => own(lines).length > 0, 'the warnings'));
    expect(shown.pop()).toBe(`tenkey_tenant_info{name="sundsvall, \\"the city\\""} 1`);
    expect(shown.map((line) => line.split(' ')[0]).sort()).toEqual([
      'expires_timestamp_seconds{provider="berget",contact_email="it-drift@sundsvall.example",within_days="1"}',
      'expires_timestamp_seconds{provider="mistral",contact_email="it-drift@sundsvall.example",within_days="7"}',
      'expires_timestamp_seconds{provider="openai",contact_email="it-drift@sundsvall.example",within_days="30"}',
      'expires_timestamp_seconds{provider="ovhcloud",contact_email="it-drift@sundsvall.example",within_days="0"}',
    ]);
    const seconds = Number(shown.find((line) => line.includes('"openai"'))?.split(' ')[1]);
    expect(Math.abs(seconds - Date.parse(inDays(29)) / 1000)).toBeLessThan(60);
    await tell(null);
    tenkey.provider.rejectKey('sk-key-with-an-end-e9n8');
    await tenkey.chat(tenant).expect(424);
    const refused = 'rejections{provider="openai",contact_email=""} 1';
    await until(async () => own(await metrics()).includes(refused), refused);
    const before = own(await metrics());
    await tenkey.sysadmin('patch', `/tenants/${tenant}`).send({ name: 'sundsvall renamed' });
    const renamed = own(
      await metricsWith((lines) => lines.join().includes('"sundsvall renamed"'), 'the new name'),
    );
    // The series of the alerts go on.
    expect(renamed.slice(0, -1)).toEqual(before.slice(0, -1));
    await tenkey.sysadmin('delete', `/tenants/${tenant}`);
    await metricsWith((lines) => own(lines).length === 0, 'nothing of the deleted tenant');
  });

  it('count days of 24 hours, even when daylight saving time ends in the database’s time zone', async () => {
    // A zone whose summer time ends ten days from now, as POSIX writes one: days of the year, without February 29.
    const end = new Date(Date.now() + 10 * 86_400_000);
    const day = (Date.UTC(2001, end.getUTCMonth(), end.getUTCDate()) - Date.UTC(2001, 0, 0)) / 86_400_000;
    const zone = `AAA-1BBB,J${((day + 180) % 365) + 1}/2,J${Math.min(day, 365)}/3`;
    const tenant = await tenkey.createTenant();
    const halfAnHour = 1 / 48;
    for (const [provider, days] of Object.entries({ openai: 30 + halfAnHour, mistral: 30 - halfAnHour })) {
      const set = { api_key: 'sk-key-with-an-end-e9n8', expires_at: inDays(days) };
      await tenkey.setCredential(tenant, provider, set);
    }
    const found = await tenkey.database.transaction(async (transaction) => {
      await transaction.query(`set local time zone '${zone}'`);
      const [{ hours }] = await transaction.query(
        `select extract(epoch from now() + interval '30 days' - now())::integer / 3600 as hours`,
      );
      expect(hours).toBe(721);
      return new CredentialWarningsService(transaction as unknown as DataSource).list();
    });
    const own = found.filter(({ tenantId }) => tenantId === tenant);
    expect(own.map(({ provider, withinDays }) => [provider, withinDays])).toEqual([['mistral', 30]]);
  });

  it('say how many records wait while the database is unavailable, without the metrics of credentials', async () => {
    const tenant = await tenkey.createTenant();
    const set = { api_key: 'sk-key-with-an-end-d7b8', expires_at: inDays(5) };
    await tenkey.setCredential(tenant, 'openai', set);
    const up = 'tenkey_credential_metrics_up 1';
    await metricsWith((lines) => lines.includes(up) && lines.join().includes(tenant), 'the credential');
    tenkey.provider.reset();
    tenkey.provider.next({ chunkDelayMs: 100 });
    const running = tenkey.chat(tenant, { stream: true }).then((answer) => answer.status);
    await until(() => tenkey.provider.requests.length > 0, 'the call');
    gate.shut();
    try {
      expect(await running).toBe(200);
      const away = await metricsWith(
        (lines) => lines.includes('tenkey_credential_metrics_up 0'),
        'the unavailable database',
      );
      expect(away).toEqual(expect.arrayContaining(['tenkey_ready 0', 'tenkey_usage_records_waiting 1']));
      expect(away.join('\n')).not.toContain(tenant);
      expect(away.join('\n')).not.toContain('tenkey_credentials{');
      const open = await fetch(`http://127.0.0.1:${port}/metrics`);
      expect([open.status, await open.text()]).toEqual([200, expect.stringContaining('tenkey_ready 0')]);
    } finally {
      gate.open();
    }
    await metricsWith((lines) => lines.includes(up) && lines.join().includes(tenant), 'the credential');
    // A database that does not respond does not hold up the metrics either.
    let began = 0;
    await until(async () => {
      await wait(200);
      // Again, because connections that are opened meanwhile would work.
      gate.freeze();
      began = Date.now();
      return (await metrics()).includes('tenkey_credential_metrics_up 0');
    }, 'the database that does not respond');
    expect(Date.now() - began).toBeLessThan(3000);
    gate.shut();
    gate.open();
  });

  it('need a key with the scope for all tenants', async () => {
    const tenant = await tenkey.createTenant();
    const ask = async (fields: object) => {
      const { key } = await issueSysadminKey(tenkey, { scopes: ['usage:read'], ...fields });
      return (await tenkey.http().get('/api/v1/sysadmin/metrics').set('X-API-Key', key)).status;
    };
    expect([await ask({}), await ask({ tenant_ids: [tenant] })]).toEqual([200, 403]);
  });

  it('count every request by its route, status and problem, whatever its client sends', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-counted-calls-m1e2' });
    const { key } = await issueTenantKey(tenkey, tenant, { requests_per_minute: 1 });
    const asTenant = () => tenkey.http().get('/v1/models').set('authorization', `Bearer ${key}`);
    const azure = '/openai/deployments/gpt-4o/chat/completions';
    const before = await metrics();
    const statuses = [
      (await tenkey.http().post('/v1/chat/completions').send({})).status,
      (await tenkey.call(tenant, 'chat/completions', { model: 'claude-sonnet', messages: [] })).status,
      (await tenkey.call(tenant, 'chat/completions', { model: 'no-such-model', messages: [] })).status,
      (
        await tenkey
          .http()
          .post(azure)
          .set('X-API-Key', platformKey)
          .set('X-Tenant-ID', tenant)
          .send({ messages: [] })
      ).status,
      (await asTenant()).status,
      (await asTenant()).status,
      (await tenkey.http().get('/a/path-of-a-client-q7')).status,
      (await tenkey.http().get('/v1/path-of-a-client-q7').set('X-API-Key', platformKey)).status,
      (await tenkey.http().get('/api/v1/sysadmin/path-of-a-client-q7')).status,
      (await tenkey.http().put(`/v1/models/path-of-a-client-q7`).set('X-API-Key', platformKey)).status,
    ];
    expect(statuses).toEqual([401, 424, 404, 200, 200, 429, 404, 404, 401, 405]);
    const after = await metrics();
    const counted = (labels: string) => {
      const series = `tenkey_http_requests_total{${labels}}`;
      return (valueOf(after, series) || 0) - (valueOf(before, series) || 0);
    };
    const chat = 'method="POST",route="/v1/chat/completions"';
    const unknown = 'method="",route="(no route)"';
    expect([
      counted(`${chat},status="401",code="unauthenticated"`),
      counted(`${chat},status="424",code="credential_not_configured"`),
      counted(`${chat},status="404",code="model_not_found"`),
      counted(`${chat},status="200",code=""`),
      counted('method="GET",route="/v1/models",status="429",code="rate_limited"'),
      counted(`${unknown},status="404",code="route_not_found"`),
      counted(`${unknown},status="401",code="unauthenticated"`),
      counted(`${unknown},status="405",code="method_not_allowed"`),
      counted('method="GET",route="/api/v1/sysadmin/metrics",status="200",code=""'),
    ]).toEqual([1, 1, 1, 1, 1, 2, 1, 1, 1]);
    expect(after.join('\n')).not.toContain('q7');
    expect(valueOf(after, 'tenkey_http_requests_in_flight')).toBe(1);
  });

  it('show what providers respond, how often calls are sent again, and what Tenkey adds to a call', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'mistral', { api_key: 'sk-key-of-upstream-u5t4' });
    const model = 'mistral-large';
    tenkey.provider.reset();
    tenkey.provider.next({ status: 503, headers: { 'retry-after': '0' } });
    await tenkey.chat(tenant, { model }).expect(200);
    for (const status of [500, 599, 418]) {
      tenkey.provider.next({ status });
      await tenkey.chat(tenant, { model });
    }
    tenkey.provider.next({ chunkDelayMs: 300 });
    const running = tenkey.chat(tenant, { model, stream: true }).then(({ status }) => status);
    await until(() => tenkey.provider.calls.open === 1, 'the call');
    expect(valueOf(await metrics(), 'tenkey_calls_in_flight')).toBe(1);
    expect(await running).toBe(200);
    await usageRecords(tenkey, 5, `&tenant_id=${tenant}`);
    const lines = await metrics();
    const responses = (status: string) =>
      valueOf(lines, `tenkey_upstream_responses_total{provider="mistral",status="${status}"}`);
    expect([responses('200'), responses('500'), responses('other'), responses('503')]).toEqual([
      2,
      1,
      2,
      NaN,
    ]);
    expect(valueOf(lines, 'tenkey_upstream_retries_total{provider="mistral"}')).toBe(1);
    const ofChat = '{provider="mistral",operation="chat/completions"}';
    expect(valueOf(lines, `tenkey_call_first_byte_seconds_count${ofChat}`)).toBe(2);
    expect(valueOf(lines, `tenkey_call_duration_seconds_count${ofChat}`)).toBe(5);
    expect(valueOf(lines, `tenkey_call_duration_seconds_sum${ofChat}`)).toBeGreaterThan(0.3);
    const overhead = valueOf(lines, 'tenkey_call_overhead_seconds_sum');
    expect(overhead).toBeGreaterThan(0);
    expect(overhead / valueOf(lines, 'tenkey_call_overhead_seconds_count')).toBeLessThan(0.25);
    const buckets = lines.filter((line) => line.startsWith('tenkey_call_overhead_seconds_bucket'));
    const counts = buckets.map((line) => Number(line.split(' ')[1]));
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(buckets.at(-1)).toBe(
      `tenkey_call_overhead_seconds_bucket{le="+Inf"} ${valueOf(lines, 'tenkey_call_overhead_seconds_count')}`,
    );
  });

  it('show the database pool, the cache, the catalogue, and what is stored', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'groq', { api_key: 'sk-key-of-counted-rows-1' });
    const expires_at = inDays(3);
    await tenkey.setCredential(tenant, 'cohere', { api_key: 'sk-key-of-counted-rows-2', expires_at });
    const lines = await metricsWith(
      (each) =>
        each.includes('tenkey_credentials{provider="cohere",status="expiring"} 1') &&
        valueOf(each, 'tenkey_cache_entries') > 0,
      'the stored credentials',
      // Whether rows are cached depends on the time since the changes before.
      () => tenkey.chat(tenant),
    );
    const [keyId] = await tenkey.database.query('select key_id from tenant_credentials limit 1');
    expect(lines).toEqual(
      expect.arrayContaining([
        'tenkey_credentials{provider="groq",status="ready"} 1',
        `tenkey_encryption_key_loaded{key_id="${keyId.key_id}"} 1`,
        `tenkey_encryption_key_rows{key_id="${keyId.key_id}",place="staged"} 0`,
        `tenkey_build_info{version="${packageVersion}",node_version="${process.versions.node}"} 1`,
        'tenkey_ready 1',
        'tenkey_strict_mode 1',
        'tenkey_catalogue_stale 0',
        'tenkey_cache_lease_valid 1',
        'tenkey_cache_lease_seconds 5',
        'tenkey_database_pool_max_connections 10',
        'tenkey_database_pool_waiting 0',
        'tenkey_database_transactions_waiting 0',
      ]),
    );
    const positive = [
      `tenkey_encryption_key_rows{key_id="${keyId.key_id}",place="live"}`,
      'tenkey_catalogue_models',
      'tenkey_cache_entries',
      'tenkey_cache_bytes',
      'tenkey_cache_lookups_total{result="hit"}',
      'tenkey_cache_lookups_total{result="miss"}',
      'tenkey_change_confirm_seconds_count',
      'tenkey_database_pool_wait_seconds_count',
      'tenkey_database_pool_connections{state="idle"}',
      'nodejs_eventloop_lag_p99_seconds',
    ];
    for (const series of positive) expect([series, valueOf(lines, series) > 0]).toEqual([series, true]);
    await tenkey.edit(`update tenant_credentials set key_id = 'ffffffffffff' where provider = 'groq'`);
    const unreadable = await metricsWith(
      (each) => each.includes('tenkey_credentials{provider="groq",status="unreadable"} 1'),
      'the row under a key that is not loaded',
    );
    expect(unreadable).toContain('tenkey_encryption_key_loaded{key_id="ffffffffffff"} 0');
  });

  it('read the database once for scrapes that follow each other', async () => {
    const reads = jest.spyOn(tenkey.nest.get(CredentialWarningsService, { strict: false }), 'list');
    await Promise.all(Array.from({ length: 20 }, metrics));
    for (let scrapes = 0; scrapes < 5; scrapes += 1) await metrics();
    expect(reads.mock.calls.length).toBeLessThan(4);
    reads.mockRestore();
  });

  it('are those that the alert rules, the dashboard and the documentation name', async () => {
    const read = (name: string) => readFileSync(join(__dirname, '..', name), 'utf8');
    const types = (await metrics()).flatMap((line) => {
      const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
      return name === undefined ? [] : [{ name, type }];
    });
    const series = types.flatMap(({ name, type }) =>
      type === 'histogram' ? ['', '_bucket', '_sum', '_count'].map((part) => name + part) : [name],
    );
    for (const file of ['deploy/prometheus-rules.yml', 'deploy/grafana-dashboard.json']) {
      const named = [...new Set(read(file).match(/\b(?:tenkey|nodejs|process)_[a-z0-9_]+/g))];
      expect(named.length).toBeGreaterThan(15);
      expect([file, named.filter((name) => !series.includes(name))]).toEqual([file, []]);
    }
    const own = types.map(({ name }) => name).filter((name) => name.startsWith('tenkey_'));
    const documented = read('docs/monitoring.md').match(/(?<=`)tenkey_[a-z_]+(?=`)/g);
    expect([...new Set(documented)].sort()).toEqual(own.sort());
  });

  it('are on a port of their own without a key, which serves nothing else and closes at the stop', async () => {
    const at = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });
    const open = await at('/metrics');
    expect(open.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const named = (text: string) => text.match(/^# TYPE .*$/gm)!.sort();
    expect(named(await open.text())).toEqual(named((await metrics()).join('\n')));
    const others = [
      '/',
      '/ready',
      '/docs',
      '/v1/models',
      '/api/v1/sysadmin/metrics',
      '/api/v1/sysadmin/tenants',
    ];
    for (const path of others) expect([path, (await at(path)).status]).toEqual([path, 404]);
    expect((await at('/metrics', 'POST')).status).toBe(404);
    const own = (tenkey.nest.getHttpServer().address() as { port: number }).port;
    expect((await fetch(`http://127.0.0.1:${own}/metrics`)).status).toBe(404);
    const closing = close();
    close = () => Promise.resolve();
    await closing;
    await expect(at('/metrics')).rejects.toThrow('fetch failed');
  });
});
