import { type DataSource } from 'typeorm';
import { CredentialWarningsService } from '#credentials';
import { type TestApp } from './support/app';
import { type Gate } from './support/gate';
import { startGatedApp } from './support/gated-app';
import { issueSysadminKey } from './support/keys';
import { usageRecords } from './support/usage';
import { until } from './support/until';

describe('metrics', () => {
  let gate: Gate;
  let close: () => Promise<void>;
  let tenkey: TestApp;
  beforeAll(async () => {
    ({ tenkey, gate, close } = await startGatedApp());
  });
  afterAll(() => close());

  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const metrics = async () => {
    const answer = await tenkey.sysadmin('get', '/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    return answer.text.split('\n');
  };

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
    const tenant = await tenkey.createTenant();
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
    const shown = own(await metrics());
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
    await tenkey.sysadmin('delete', `/tenants/${tenant}`);
    expect(own(await metrics())).toEqual([]);
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
    expect(await metrics()).toContain(up);
    tenkey.provider.reset();
    tenkey.provider.next({ chunkDelayMs: 100 });
    const running = tenkey.chat(tenant, { stream: true }).then((answer) => answer.status);
    await until(() => tenkey.provider.requests.length > 0, 'the call');
    gate.shut();
    try {
      expect(await running).toBe(200);
      const away = await metrics();
      expect(away).toEqual(
        expect.arrayContaining(['tenkey_credential_metrics_up 0', 'tenkey_usage_records_waiting 1']),
      );
      expect(away.join('\n')).not.toContain(tenant);
    } finally {
      gate.open();
    }
    const back = await metrics();
    expect(back).toContain(up);
    expect(back.join('\n')).toContain(tenant);
    // A database that does not respond does not hold up the metrics either.
    gate.freeze();
    const began = Date.now();
    expect(await metrics()).toContain('tenkey_credential_metrics_up 0');
    expect(Date.now() - began).toBeLessThan(8000);
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
});
