import { AuditLogService } from '#audit';
import { SealingKeyService } from '#credentials';
import { generateKey } from '#crypto';
import { encryptionKey, startTestApp, type TestApp } from './support/app';

/** What the process does by itself every few seconds. */
const settle = (app: TestApp) => app.nest.get(SealingKeyService).settle();
const keyIdsOf = async (app: TestApp): Promise<string[]> => {
  const rows = await app.database.query('SELECT DISTINCT key_id FROM tenant_credentials ORDER BY key_id');
  return rows.map((row: { key_id: string }) => row.key_id);
};

describe('while ENCRYPTION_KEY is replaced process by process', () => {
  const newKey = generateKey();
  const both = { ENCRYPTION_KEY: newKey, ENCRYPTION_KEY_PREVIOUS: encryptionKey };
  let before: TestApp;
  let after: TestApp;
  let tenant: string;
  beforeAll(async () => {
    before = await startTestApp();
    tenant = await before.createTenant();
    await before.setCredential(tenant, 'openai', { api_key: 'sk-of-the-first-process' });
    after = await startTestApp(both, { databaseUrl: before.databaseUrl });
  });
  afterAll(async () => {
    await after.close();
    await before.close();
  });
  const isReady = async (app: TestApp) => (await app.http().get('/ready')).status === 200;

  it('a process with the new key seals nothing that the others cannot open', async () => {
    await settle(after);
    expect(
      (await after.setCredential(tenant, 'openai', { api_key: 'sk-of-the-second-process' })).status,
    ).toBe(200);
    for (const app of [before, after]) {
      expect(await isReady(app)).toBe(true);
      expect((await app.chat(tenant)).status).toBe(200);
      expect(app.provider.requests.at(-1)?.key).toBe('sk-of-the-second-process');
    }
    expect(await keyIdsOf(before)).toHaveLength(1);
  });

  it('audit events and receipts of both verify in either', async () => {
    for (const app of [before, after]) {
      expect((await app.nest.get(AuditLogService).verify()).faults).toEqual([]);
    }
    const receipts = [await before.chat(tenant), await after.chat(tenant)].map(
      (response) => response.headers['x-tenkey-receipt'] as string,
    );
    for (const receipt of receipts) {
      const verified = await before.sysadmin('post', '/receipts/verify').send({ receipt });
      expect([verified.status, verified.body.valid]).toEqual([200, true]);
    }
  });

  it('the new key seals as soon as no process without it is left', async () => {
    const [old] = await keyIdsOf(before);
    // The second process with both keys takes the place of the first one with the old key only.
    const third = await startTestApp(both, { databaseUrl: before.databaseUrl });
    try {
      await settle(third);
      await third.setCredential(tenant, 'mistral', { api_key: 'still-under-the-old-key' });
      expect(await keyIdsOf(third)).toEqual([old]);
      await before.nest.close();
      await settle(after);
      await third.setCredential(tenant, 'mistral', { api_key: 'now-under-the-new-key' });
      expect(await keyIdsOf(third)).toHaveLength(2);
      for (const app of [after, third]) {
        expect(await isReady(app)).toBe(true);
        expect((await app.chat(tenant, { model: 'mistral-large' })).status).toBe(200);
      }
    } finally {
      await third.close();
    }
  });
});

it('seals in a form that every registered process knows, and opens what was sealed in the form before', async () => {
  const app = await startTestApp();
  try {
    const tenant = await app.createTenant();
    const path = `/tenants/${tenant}/credentials/openai`;
    // A process of an earlier version.
    await app.database.query(
      `INSERT INTO registered_processes (id, lease_ms, renewals, confirmed, encryption_keys)
       SELECT gen_random_uuid(), 0, 0, 0, encryption_keys FROM registered_processes`,
    );
    await app.database.query('UPDATE encryption_canary SET seal_form = 1');
    await settle(app);
    const seal = async () => {
      const [row] = await app.database.query('SELECT seal FROM tenant_credentials WHERE tenant_id = $1', [
        tenant,
      ]);
      return String(row.seal);
    };
    await app.setCredential(tenant, 'openai', { api_key: 'sk-of-an-old-form' });
    expect(await seal()).not.toContain(':');
    await app.database.query('DELETE FROM registered_processes WHERE seal_form = 1');
    await settle(app);
    expect((await app.chat(tenant)).status).toBe(200);
    await app.sysadmin('put', `${path}?stage=true`).send({ api_key: 'sk-of-the-new-form' });
    expect((await app.sysadmin('post', `${path}/promote`)).status).toBe(200);
    expect(await seal()).toMatch(/^2:/);
    expect((await app.sysadmin('post', `${path}/rollback`)).status).toBe(200);
    expect(await seal()).toMatch(/^2:/);
    expect((await app.chat(tenant)).status).toBe(200);
    expect(app.provider.requests.at(-1)?.key).toBe('sk-of-an-old-form');
  } finally {
    await app.close();
  }
});

it('of many processes that start at once with different keys, one names the sealing key and the others seal nothing', async () => {
  const first = await startTestApp();
  try {
    await first.database.query('DELETE FROM encryption_canary');
    await first.database.query('DELETE FROM registered_processes');
    const others = await Promise.all(
      Array.from({ length: 4 }, () =>
        startTestApp({ ENCRYPTION_KEY: generateKey() }, { databaseUrl: first.databaseUrl }),
      ),
    );
    const statuses: number[] = [];
    const tenant = await first.createTenant();
    for (const app of others) {
      const put = await app.setCredential(tenant, 'openai', { api_key: 'sk-of-one-of-many-processes' });
      statuses.push(put.status);
      if (put.status !== 200) expect(put.body.code).toBe('encryption_key_mismatch');
    }
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(1);
    expect(await keyIdsOf(first)).toHaveLength(statuses.filter((status) => status === 200).length);
    await Promise.all(others.map((app) => app.close()));
  } finally {
    await first.close();
  }
});
