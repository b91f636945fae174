import { SealingKeyService } from '#credentials';
import { generateKey } from '#crypto';
import { encryptionKey, startTestApp, type TestApp } from './support/app';

describe('a start with the wrong ENCRYPTION_KEY', () => {
  const otherKey = generateKey();
  let right: TestApp;
  let wrong: TestApp;
  let tenant: string;
  beforeAll(async () => {
    right = await startTestApp();
    tenant = await right.createTenant();
    await right.setCredential(tenant, 'openai', { api_key: 'sk-sealed-under-the-right-key' });
    await right.setCredential(tenant, 'mistral', { api_key: 'another-sealed-under-the-right-key' });
    expect((await right.http().get('/ready')).status).toBe(200);
    wrong = await startTestApp({ ENCRYPTION_KEY: otherKey }, { databaseUrl: right.databaseUrl });
  });
  afterAll(async () => {
    await wrong.close();
    await right.close();
  });

  it('is not ready, and names the missing key by its fingerprint and the setting to fix', async () => {
    const ready = await wrong.http().get('/ready');
    expect([ready.status, ready.body.encryption_keys]).toEqual([503, 'missing']);
    expect(ready.body.missing_keys).toHaveLength(1);
    expect(ready.body.missing_keys[0]).toMatch(/^[0-9a-f]{12}$/);
    expect(ready.body.reason).toContain('ENCRYPTION_KEY_PREVIOUS');
    expect(ready.text).not.toContain(encryptionKey);
    expect((await wrong.http().get('/health')).status).toBe(200);
  });

  it('is ready when the right key is loaded as an earlier one', async () => {
    const both = await startTestApp(
      { ENCRYPTION_KEY: otherKey, ENCRYPTION_KEY_PREVIOUS: encryptionKey },
      { databaseUrl: right.databaseUrl },
    );
    try {
      expect((await both.http().get('/ready')).status).toBe(200);
      expect((await both.chat(tenant)).status).toBe(200);
    } finally {
      await both.close();
    }
  });

  it('is not ready with an earlier key in addition to the wrong one', async () => {
    const middle = generateKey();
    const rotated = await startTestApp({ ENCRYPTION_KEY: middle, ENCRYPTION_KEY_PREVIOUS: encryptionKey });
    const other = await rotated.createTenant();
    await rotated.setCredential(other, 'openai', { api_key: 'sk-sealed-under-the-middle-key' });
    const beside = await startTestApp(
      { ENCRYPTION_KEY: otherKey, ENCRYPTION_KEY_PREVIOUS: encryptionKey },
      { databaseUrl: rotated.databaseUrl },
    );
    try {
      for (let times = 0; times < 2; times += 1) {
        const ready = await beside.http().get('/ready');
        expect([ready.status, ready.body.missing_keys.length]).toEqual([503, 1]);
      }
    } finally {
      await beside.close();
      await rotated.close();
    }
  });

  it('is not ready on a database that lost its canary, however often /ready is requested', async () => {
    const restored = await startTestApp();
    const other = await restored.createTenant();
    await restored.setCredential(other, 'openai', { api_key: 'sk-of-the-restored-database' });
    await restored.database.query('DELETE FROM encryption_canary');
    const after = await startTestApp({ ENCRYPTION_KEY: otherKey }, { databaseUrl: restored.databaseUrl });
    try {
      for (let times = 0; times < 2; times += 1) expect((await after.http().get('/ready')).status).toBe(503);
    } finally {
      await after.close();
      await restored.close();
    }
  });

  it('stays ready when one row is under a lost key, and names that key', async () => {
    const mixed = await startTestApp();
    const other = await mixed.createTenant();
    await mixed.setCredential(other, 'openai', { api_key: 'sk-of-the-mixed-database' });
    await mixed.edit(`UPDATE tenant_credentials SET key_id = 'abcdefabcdef'`);
    try {
      const ready = await mixed.http().get('/ready');
      expect([ready.status, ready.body.missing_keys]).toEqual([200, ['abcdefabcdef']]);
      expect(ready.body.reason).toContain('ENCRYPTION_KEY_PREVIOUS');
    } finally {
      await mixed.close();
    }
  });

  it('does not concern single-tenant mode, which uses no stored credential', async () => {
    const single = await startTestApp(
      { TENANT_CREDENTIALS_ENABLED: 'false', ENCRYPTION_KEY: otherKey, OPENAI_API_KEY: 'sk-global' },
      { databaseUrl: right.databaseUrl },
    );
    try {
      expect((await single.http().get('/ready')).status).toBe(200);
    } finally {
      await single.close();
    }
  });

  it('lists the credentials as unreadable and refuses their calls', async () => {
    const list = await wrong.sysadmin('get', `/tenants/${tenant}/credentials`);
    expect(list.status).toBe(200);
    const statuses = list.body.credentials.map((one: { status: string }) => one.status);
    expect(statuses).toEqual(['unreadable', 'unreadable']);
    wrong.provider.reset();
    const answer = await wrong.chat(tenant);
    expect([answer.status, answer.body.error.code]).toEqual([424, 'credential_unreadable']);
    expect(answer.body.error.message).toContain(`PUT /api/v1/sysadmin/tenants/${tenant}/credentials/openai`);
    expect(wrong.provider.requests).toHaveLength(0);
  });

  it('seals nothing, keeps what is stored, and still removes', async () => {
    const before = await right.database.query('SELECT * FROM tenant_credentials ORDER BY provider');
    for (const query of ['', '?stage=true']) {
      const path = `/tenants/${tenant}/credentials/openai${query}`;
      const put = await wrong.sysadmin('put', path).send({ api_key: 'sk-that-is-not-stored' });
      expect([put.status, put.body.code]).toEqual([503, 'encryption_key_mismatch']);
      expect(put.body.detail).toMatch(/fingerprint [0-9a-f]{12}/);
      expect(put.text).not.toContain('not-stored');
    }
    expect(await right.database.query('SELECT * FROM tenant_credentials ORDER BY provider')).toEqual(before);
    const removed = await wrong.sysadmin('delete', `/tenants/${tenant}/credentials/mistral`);
    expect(removed.body.deleted).toBe(true);
  });

  it('takes over once nothing is stored that it cannot open and no process has another key', async () => {
    await wrong.sysadmin('delete', `/tenants/${tenant}/credentials/openai`);
    await wrong.nest.get(SealingKeyService).settle();
    expect((await wrong.http().get('/ready')).status).toBe(503);
    await right.nest.close();
    await wrong.nest.get(SealingKeyService).settle();
    expect((await wrong.http().get('/ready')).status).toBe(200);
    expect((await wrong.setCredential(tenant, 'openai', { api_key: 'sk-set-again-12345' })).status).toBe(200);
    expect((await wrong.chat(tenant)).status).toBe(200);
    expect(wrong.provider.requests.at(-1)?.key).toBe('sk-set-again-12345');
  });
});
