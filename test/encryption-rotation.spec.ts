import { AuditLogService } from '#audit';
import { RotationService, SealingKeyService } from '#credentials';
import { generateKey } from '#crypto';
import { encryptionKey, startTestApp, type TestApp } from './support/app';
import { runCli, runCliProcess } from './support/cli';

const newKey = generateKey();
const both = { ENCRYPTION_KEY: newKey, ENCRYPTION_KEY_PREVIOUS: encryptionKey };
const by = { actor: 'test', requestId: 'r', address: 'local' };

/** Seals everything again, one batch after the other. */
async function rotateAll(app: TestApp): Promise<void> {
  const rotation = app.nest.get(RotationService);
  await rotation.start(by);
  for (let state = 'running'; state === 'running';) state = (await rotation.batch())?.state ?? 'running';
}

interface Row {
  readonly tenant_id: string;
  readonly key_id: string;
  readonly seal: string;
  readonly sealed_api_key: string;
}

describe('npx tenkey encryption', () => {
  let old: TestApp;
  let tenkey: TestApp;
  const tenants: string[] = [];
  let oldKeyId: string;
  beforeAll(async () => {
    old = await startTestApp();
    for (let index = 0; index < 5; index += 1) {
      const tenant = await old.createTenant();
      const path = `/tenants/${tenant}/credentials/openai`;
      await old.setCredential(tenant, 'openai', { api_key: `sk-first-of-${index}-1234` });
      await old.sysadmin('put', `${path}?stage=true`).send({ api_key: `sk-second-of-${index}-1234` });
      await old.sysadmin('post', `${path}/promote`);
      await old.sysadmin('put', `${path}?stage=true`).send({ api_key: `sk-third-of-${index}-1234` });
      tenants.push(tenant);
    }
    oldKeyId = (await live())[0]!.key_id;
    tenkey = await startTestApp(both, { databaseUrl: old.databaseUrl });
  });
  afterAll(async () => {
    await tenkey.close();
    await old.close();
  });

  const live = (app = old) =>
    app.database.query<Row[]>('SELECT * FROM tenant_credentials ORDER BY tenant_id, provider');
  const run = (...words: string[]) =>
    runCli({ ...both, DATABASE_URL: old.databaseUrl }, 'encryption', ...words);
  const status = async () => JSON.parse((await run('status', '--json')).stdout);

  it('status shows which key seals, what is sealed under it, and which processes have it', async () => {
    const { keys, processes, older_seals: older } = await status();
    expect([processes, older]).toEqual([2, 0]);
    expect(keys).toEqual([
      {
        key_id: oldKeyId,
        seals: true,
        loaded: true,
        retired: false,
        rows: { live: 5, staged: 5, previous: 5, signing_keys: 0 },
        processes: 2,
      },
      expect.objectContaining({
        seals: false,
        rows: { live: 0, staged: 0, previous: 0, signing_keys: 0 },
        processes: 1,
      }),
    ]);
    const { stdout } = await run('status');
    expect(stdout).toMatch(new RegExp(`${oldKeyId} +seals +loaded here +5 +5 +5 +0 +2 of 2`));
  });

  it('rotate refuses while a running process does not have the new key', async () => {
    const before = await live();
    const { code, stderr } = await run('rotate', '--yes');
    expect([code, stderr]).toEqual([1, expect.stringContaining('1 of the 2 registered processes')]);
    expect(await live()).toEqual(before);
    await old.nest.close();
  });

  it('rotate plans, and without a terminal it starts only with --yes', async () => {
    const { code, stdout } = await run('rotate', '--dry-run');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^15 rows are to be sealed under \w{12}\.\n$/)]);
    const refused = await runCliProcess({ ...both, DATABASE_URL: old.databaseUrl }, 'encryption', 'rotate');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--yes')]);
    expect((await status()).keys[1].rows.live).toBe(5);
  });

  it('rotate seals every slot again, keeps versions, and names what it cannot seal', async () => {
    const [tampered, lost] = tenants;
    await tenkey.edit(`UPDATE tenant_credentials SET key_hint = '...abcd' WHERE tenant_id = $1`, [tampered]);
    await tenkey.edit(`UPDATE credential_slots SET key_id = 'abcdefabcdef' WHERE tenant_id = $1`, [lost]);
    const before = await versions();
    const { code, stdout } = await run('rotate', '--yes', '--json');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(1);
    expect(lines.at(-1)).toEqual({ state: 'finished', resealed: 12, failed: 3, total: 15, faults: [] });
    expect(lines.flatMap(({ faults }) => (Array.isArray(faults) ? faults : []))).toEqual(
      expect.arrayContaining([
        { tenant_id: tampered, provider: 'openai', slot: 'live', status: 'tampered' },
        { tenant_id: lost, provider: 'openai', slot: 'staged', status: 'unreadable' },
        { tenant_id: lost, provider: 'openai', slot: 'previous', status: 'unreadable' },
      ]),
    );
    expect(await versions()).toEqual(before);
    expect((await status()).keys.find((key: { seals: boolean }) => key.seals).rows).toEqual({
      live: 4,
      staged: 4,
      previous: 4,
      signing_keys: 1,
    });
    const answer = await tenkey.chat(tenants[2]!);
    expect([answer.status, tenkey.provider.requests.at(-1)?.key]).toEqual([200, 'sk-second-of-2-1234']);
    await tenkey.sysadmin('post', `/tenants/${tenants[2]!}/credentials/openai/promote`);
    expect((await tenkey.chat(tenants[2]!)).status).toBe(200);
    expect(tenkey.provider.requests.at(-1)?.key).toBe('sk-third-of-2-1234');
    expect((await tenkey.nest.get(AuditLogService).verify()).faults).toEqual([]);
  });

  const versions = async () => {
    const rows = await tenkey.database.query<object[]>(
      `SELECT tenant_id, provider, 'live' AS slot, version FROM tenant_credentials
       UNION ALL SELECT tenant_id, provider, slot, version FROM credential_slots ORDER BY 1, 2, 3`,
    );
    return rows;
  };

  it('status --missing lists what must be entered again', async () => {
    const { code, stdout } = await run('status', '--missing', '--json');
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(1);
    expect(rows.map(({ tenant_id, slot }) => [tenant_id, slot])).toEqual([
      [tenants[1], 'previous'],
      [tenants[1], 'staged'],
    ]);
  });

  it('a rotation that was interrupted is continued, and a credential that is set meanwhile keeps what was set', async () => {
    const third = generateKey();
    const app = await startTestApp(
      { ENCRYPTION_KEY: third, ENCRYPTION_KEY_PREVIOUS: `${newKey},${encryptionKey}` },
      { databaseUrl: old.databaseUrl },
    );
    try {
      await tenkey.nest.close();
      await app.nest.get(SealingKeyService).settle();
      const rotation = app.nest.get(RotationService);
      const keys = await app.database.query<Row[]>('SELECT key_id FROM encryption_canary');
      await rotation.start(by);
      expect((await rotation.batch())!.resealed).toBe(4);
      await rotation.pause(by);
      expect(await rotation.batch()).toBeUndefined();
      await app.setCredential(tenants[3]!, 'openai', { api_key: 'sk-set-in-the-middle-1234' });
      await rotateAll(app);
      expect(await rotation.latest()).toMatchObject({
        state: 'finished',
        total: 15,
        resealed: 11,
        failed: 3,
      });
      const rows = await live(app);
      expect(rows.filter((row) => row.key_id === keys[0]!.key_id)).toHaveLength(4);
      const former = await app.database.query('SELECT DISTINCT key_id FROM former_encryption_keys');
      expect(former).toEqual([{ key_id: keys[0]!.key_id }]);
      await app.chat(tenants[3]!);
      expect(app.provider.requests.at(-1)?.key).toBe('sk-set-in-the-middle-1234');
    } finally {
      await app.close();
    }
  });
});

describe('a seal of the older form', () => {
  it('is refused for good once a rotation has left none', async () => {
    const app = await startTestApp();
    try {
      const tenant = await app.createTenant();
      await app.database.query('UPDATE encryption_canary SET seal_form = 1');
      await app.setCredential(tenant, 'openai', { api_key: 'sk-of-the-older-form-1234' });
      const [older] = await app.database.query<Row[]>('SELECT * FROM tenant_credentials');
      expect(older!.seal).not.toContain(':');
      await app.nest.get(SealingKeyService).settle();
      await rotateAll(app);
      const { body } = await app.sysadmin('get', '/audit-events?action=encryption.end_rotation');
      expect(body.items[0].details).toMatchObject({ resealed: 1, failed: 0, least_seal_form: 2 });
      expect((await app.chat(tenant)).status).toBe(200);
      await app.edit('UPDATE tenant_credentials SET sealed_api_key = $1, seal = $2', [
        older!.sealed_api_key,
        older!.seal,
      ]);
      expect((await app.chat(tenant)).body.error.code).toBe('credential_tampered');
    } finally {
      await app.close();
    }
  });
});

describe('npx tenkey encryption accept-loss', () => {
  let app: TestApp;
  let tenant: string;
  const lostKey = generateKey();
  beforeAll(async () => {
    const before = await startTestApp({ ENCRYPTION_KEY: lostKey });
    tenant = await before.createTenant();
    await before.setCredential(tenant, 'openai', { api_key: 'sk-under-the-lost-key-1234' });
    app = await startTestApp({}, { databaseUrl: before.databaseUrl });
    closeBefore = () => before.close();
    stopBefore = () => before.nest.close();
  });
  let stopBefore: () => Promise<unknown>;
  let closeBefore: () => Promise<unknown>;
  afterAll(async () => {
    await app.close();
    await closeBefore();
  });
  const run = (...words: string[]) =>
    runCli({ DATABASE_URL: app.databaseUrl }, 'encryption', 'accept-loss', ...words);

  it('refuses while a running process has the key, and without the fingerprint of the lost key', async () => {
    const [{ key_id: lost }] = await app.database.query('SELECT key_id FROM encryption_canary');
    const refused = await run('--fingerprint', lost);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('a running process')]);
    await stopBefore();
    const wrong = await run('--fingerprint', 'abcdefabcdef');
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('nothing was changed')]);
    const put = await app.setCredential(tenant, 'openai', { api_key: 'sk-that-is-not-stored' });
    expect(put.body.code).toBe('encryption_key_mismatch');
  });

  it('lets credentials be entered again, keeps the old ones, and is audited', async () => {
    const [{ key_id: lost }] = await app.database.query('SELECT key_id FROM encryption_canary');
    const { code, stdout } = await run('--fingerprint', lost);
    expect([code, stdout]).toEqual([0, expect.stringContaining('1 credentials are sealed under it')]);
    expect((await app.http().get('/ready')).status).toBe(200);
    expect((await app.chat(tenant)).body.error.code).toBe('credential_unreadable');
    expect((await app.setCredential(tenant, 'openai', { api_key: 'sk-entered-again-1234' })).status).toBe(
      200,
    );
    expect((await app.chat(tenant)).status).toBe(200);
    const { body } = await app.sysadmin('get', '/audit-events?action=encryption.accept_loss');
    expect(body.items[0]).toMatchObject({ actor: 'cli', details: { lost_key_id: lost } });
    const again = await run('--fingerprint', lost);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('nothing is lost')]);
  });
});
