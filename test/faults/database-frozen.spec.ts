import { setTimeout as wait } from 'node:timers/promises';
import { startTestApp, type TestApp } from '../support/app';
import { FaultRow } from './fault-rows';
import { OwnServer } from './own-server';

const LEASE_MS = 1000;
const TIMEOUT_MS = 1200;
/** What a busy machine adds. */
const SLACK_MS = 600;

describe('while the database is frozen', () => {
  let server: OwnServer;
  let tenkey: TestApp;
  beforeAll(async () => {
    server = await OwnServer.start();
    tenkey = await startTestApp(
      { CACHE_LEASE_SECONDS: String(LEASE_MS / 1000), DATABASE_TIMEOUT_MS: String(TIMEOUT_MS) },
      { databaseUrl: server.url },
    );
  });
  afterAll(async () => {
    await tenkey.close();
    await server.close();
  });

  async function timed<T>(work: PromiseLike<T>): Promise<{ tookMs: number; value: T }> {
    const started = performance.now();
    const value = await work;
    return { tookMs: performance.now() - started, value };
  }

  it('a call is served from the cache or refused in time, /ready answers within a second, and all continues afterwards', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-before-the-frost' });
    const key = (await tenkey.sysadmin('post', `/tenants/${tenant}/keys`).send({ name: 'a test' })).body.key;
    const withKey = () =>
      tenkey
        .http()
        .post('/v1/chat/completions')
        .set('authorization', `Bearer ${key}`)
        .send({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] });
    expect([(await tenkey.chat(tenant)).status, (await withKey()).status]).toEqual([200, 200]);
    await server.freeze();
    const cached = await timed(tenkey.chat(tenant));
    expect([cached.value.status, cached.tookMs < SLACK_MS]).toEqual([200, true]);
    await wait(LEASE_MS);
    const probes = await Promise.all([1, 2, 3].map(() => timed(tenkey.http().get('/ready'))));
    for (const { tookMs, value } of probes) {
      expect([value.status, value.body.database]).toEqual([503, 'unavailable']);
      expect(tookMs).toBeLessThan(1000);
    }
    const calls = await Promise.all([timed(tenkey.chat(tenant)), timed(withKey())]);
    for (const { tookMs, value } of calls) {
      expect([value.status, value.body.error.code]).toEqual([503, 'credential_store_unavailable']);
      expect(tookMs).toBeGreaterThan(TIMEOUT_MS - 50);
      expect(tookMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    }
    expect((await timed(tenkey.http().get('/ready'))).tookMs).toBeLessThan(1000);
    await server.thaw();
    const row = new FaultRow('the database is frozen: calls and /ready of one process');
    for (const { tookMs, value } of [cached, ...probes, ...calls]) {
      row.reached += 1;
      row.took(tookMs);
      if (value !== cached.value && value.status !== 503) row.wrong += 1;
    }
    const afterwards = await tenkey.chat(tenant);
    expect(afterwards.status).toBe(200);
    if (tenkey.provider.requests.at(-1)?.key !== 'sk-before-the-frost') row.lost += 1;
    row.report();
    expect(row.lost).toBe(0);
    expect((await tenkey.http().get('/ready')).status).toBe(200);
    expect((await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-afterwards' })).status).toBe(200);
  });
});
