import { AuditLogService } from '#audit';
import { sealedColumns, SealingKeyService } from '#credentials';
import { generateKey } from '#crypto';
import { encryptionKey, startTestApp, type TestApp } from './support/app';
import { runCli, runCliProcess } from './support/cli';
import { issueSysadminKey } from './support/keys';
import { until } from './support/until';

const newKey = generateKey();

describe('an encryption key that another one has replaced', () => {
  let first: TestApp;
  let both: TestApp;
  let after: TestApp | undefined;
  let tenant: string;
  let receipt: string;
  let oldKeyId: string;
  beforeAll(async () => {
    first = await startTestApp();
    tenant = await first.createTenant();
    await first.setCredential(tenant, 'openai', { api_key: 'sk-under-the-first-key' });
    receipt = (await first.chat(tenant)).headers['x-tenkey-receipt'] as string;
    oldKeyId = await sealingKeyId(first);
    await first.nest.close();
    both = await startTestApp(
      { ENCRYPTION_KEY: newKey, ENCRYPTION_KEY_PREVIOUS: encryptionKey },
      { databaseUrl: first.databaseUrl },
    );
  });
  afterAll(async () => {
    await after?.close();
    await both.close();
    await first.close();
  });

  const sealingKeyId = async (app: TestApp) => {
    const [{ key_id: keyId }] = await app.database.query('SELECT key_id FROM encryption_canary');
    return String(keyId);
  };
  const env = (previous: string) => ({
    DATABASE_URL: first.databaseUrl,
    ENCRYPTION_KEY: newKey,
    ENCRYPTION_KEY_PREVIOUS: previous,
  });
  const run = (...words: string[]) => runCli(env(encryptionKey), 'encryption', ...words);

  it('is not retired while something is sealed under it, while it seals, or without a yes', async () => {
    for (const [keyId, reason] of [
      [oldKeyId, '1 rows are sealed under this key'],
      [await sealingKeyId(both), 'this key seals'],
      ['abcdefabcdef', 'this key is not known'],
    ]) {
      const { code, stderr } = await run('retire', keyId!, '--yes');
      expect([code, stderr]).toEqual([1, expect.stringContaining(reason!)]);
    }
    const unasked = await runCliProcess(env(encryptionKey), 'encryption', 'retire', oldKeyId);
    expect([unasked.code, unasked.stderr]).toEqual([1, expect.stringContaining('--yes')]);
    const pasted = await run('retire', encryptionKey);
    expect(pasted.code).toBe(2);
    expect(pasted.stderr).toContain('a fingerprint has 12 characters');
    expect(pasted.stderr + pasted.stdout).not.toContain(encryptionKey);
  });

  it('is rotated away from by a job of the API, which any sysadmin key with the scope can start, and only that', async () => {
    const { key } = await issueSysadminKey(both, { scopes: ['encryption:rotate'] });
    const { key: other } = await issueSysadminKey(both, { scopes: ['credentials:write'] });
    const path = '/api/v1/sysadmin/encryption';
    const as = (presented: string) => ({ 'X-API-Key': presented });
    expect((await both.http().post(`${path}/rotation`).set(as(other))).status).toBe(403);
    const early = await both.http().post(`${path}/rotation/pause`).set(as(key));
    expect([early.status, early.body.code]).toEqual([409, 'rotation_conflict']);
    expect((await both.http().get(path).set(as(key))).body.rotation).toBeNull();

    const started = await both.http().post(`${path}/rotation`).set(as(key));
    expect([started.status, started.body]).toEqual([
      202,
      expect.objectContaining({ state: 'running', total: 1, resealed: 0, failed: 0, faults: [] }),
    ]);
    await until(async () => {
      const { body } = await both.http().get(path).set(as(key));
      return body.rotation.state === 'finished';
    }, 'the end of the rotation');
    const { body } = await both.http().get(path).set(as(key));
    expect(body).toMatchObject({ older_seals: 0, processes: 1, rotation: { resealed: 1, failed: 0 } });
    expect(body.keys[0]).toMatchObject({
      seals: true,
      rows: { live: 1, staged: 0, previous: 0, signing_keys: 1 },
    });
    const { body: events } = await both.sysadmin('get', '/audit-events?limit=3');
    expect(events.items.map(({ action }: { action: string }) => action)).toEqual([
      'encryption.end_rotation',
      'encryption.reseal',
      'encryption.rotate',
    ]);
    expect(new Set(events.items.map(({ actor }: { actor: string }) => actor)).size).toBe(1);
  });

  it('is retired once, and what it signed is verified by a process that does not have it', async () => {
    const { code, stdout } = await run('retire', oldKeyId, '--yes');
    expect([code, stdout]).toEqual([0, expect.stringContaining(`${oldKeyId} is retired.`)]);
    const again = await run('retire', oldKeyId, '--yes');
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('retired already')]);
    const { stdout: status } = await run('status');
    expect(status).toMatch(new RegExp(`${oldKeyId} +retired +loaded here +0 +0 +0 +0 `));

    await both.nest.close();
    after = await startTestApp({ ENCRYPTION_KEY: newKey }, { databaseUrl: first.databaseUrl });
    expect((await after.nest.get(AuditLogService).verify()).faults).toEqual([]);
    const verified = await after.sysadmin('post', '/receipts/verify').send({ receipt });
    expect([verified.status, verified.body.valid]).toEqual([200, true]);
    const forged = receipt.slice(0, -1) + (receipt.endsWith('A') ? 'B' : 'A');
    expect((await after.sysadmin('post', '/receipts/verify').send({ receipt: forged })).body.valid).toBe(
      false,
    );
    expect((await after.chat(tenant)).status).toBe(200);
    expect(after.provider.requests.at(-1)?.key).toBe('sk-under-the-first-key');
    const verify = await runCli(env(''), 'audit', 'verify');
    expect([verify.code, verify.stdout]).toEqual([0, expect.stringContaining(', 0 faults')]);
  });

  it('never seals again, also when a process is started with it', async () => {
    const wrong = await startTestApp(
      { ENCRYPTION_KEY: encryptionKey, ENCRYPTION_KEY_PREVIOUS: newKey },
      { databaseUrl: first.databaseUrl },
    );
    try {
      await after?.nest.close();
      expect(await wrong.nest.get(SealingKeyService).settle()).toContain('it was retired');
      await wrong.setCredential(tenant, 'mistral', { api_key: 'set-by-the-process-with-the-old-key' });
      const rows = await wrong.database.query('SELECT DISTINCT key_id FROM tenant_credentials');
      expect(rows).toEqual([{ key_id: await sealingKeyId(wrong) }]);
      expect(await sealingKeyId(wrong)).not.toBe(oldKeyId);
    } finally {
      await wrong.close();
    }
  });

  it('is only taken for lost where no process has its signing keys: a copy of them that was edited opens nothing', async () => {
    if (!both.database.isInitialized) await both.database.initialize();
    await both.database.query(
      `UPDATE former_encryption_keys SET sealed_signing_keys = 'enc:fernet:v1:edited'`,
    );
    const { code, stdout } = await runCli(env(''), 'audit', 'verify');
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(
        new RegExp(
          `^\\d+ events from 1 to \\d+: cannot be checked: encryption key ${oldKeyId} is not loaded\n\\d+ events, .*, 1 fault\n`,
        ),
      ),
    ]);
  });

  it('every column that holds something sealed is known to rotations', async () => {
    const columns = await both.database.query<{ table_name: string; column_name: string }[]>(
      `SELECT table_name, column_name FROM information_schema.columns
       WHERE table_schema = 'public' AND data_type IN ('text', 'jsonb', 'character varying')`,
    );
    const holding: string[] = [];
    for (const { table_name: table, column_name: column } of columns) {
      const found = await both.database.query<object[]>(
        `SELECT 1 FROM "${table}" WHERE "${column}"::text LIKE '%enc:fernet:v1:%' LIMIT 1`,
      );
      if (found.length > 0 || column.startsWith('sealed')) holding.push(`${table}.${column}`);
    }
    const known = sealedColumns.map(
      ({ entity, column }) => `${both.database.getMetadata(entity).tableName}.${column}`,
    );
    // The canary moves with the key that seals.
    expect(holding.sort()).toEqual(['encryption_canary.sealed', ...known].sort());
  });
});
