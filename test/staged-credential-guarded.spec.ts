import { randomUUID } from 'node:crypto';
import { AuditLogService, RefusedAttemptsService } from '#audit';
import { generateKey } from '#crypto';
import { startTestApp } from './support/app';
import { issueSysadminKey } from './support/keys';
import { describeStaged, newKey, oldKey, thirdKey } from './support/staged';

describeStaged('a staged credential', (tenkey, staged) => {
  const { path, stage, post, list, listed, used, events } = staged;

  describe('whose row was changed outside Tenkey', () => {
    const sql = (change: string) =>
      tenkey.database.query(
        `UPDATE credential_slots SET ${change} WHERE tenant_id = $1 AND provider = 'openai' AND slot = 'staged'`,
        [staged.tenant],
      );
    /** Expects that it is neither promoted nor verified, and that the live one still pays. */
    const isRefused = async (code: string, status: string) => {
      tenkey.provider.reset();
      for (const step of ['/promote', '/verify?slot=staged']) {
        const answer = await post(step);
        expect([step, answer.status, answer.body.code]).toEqual([step, 424, code]);
        expect(answer.body.detail).toContain('The staged OpenAI credential');
        expect(answer.text).not.toContain('sk-clear');
      }
      expect(tenkey.provider.requests).toHaveLength(0);
      expect(await listed()).toMatchObject({ status: 'ready', staged: { status } });
      expect((await used())[0]).toBe(oldKey);
    };

    it.each([
      [`settings = '{"endpoint":"https://evil.example"}'`, 'credential_tampered', 'tampered'],
      [`key_hint = '...zzzz'`, 'credential_tampered', 'tampered'],
      ['version = version + 1000000', 'credential_tampered', 'tampered'],
      [`expires_at = 'infinity'`, 'credential_tampered', 'tampered'],
      [`settings = 'null'`, 'credential_tampered', 'tampered'],
      [`configured_at = 'infinity'`, 'credential_tampered', 'tampered'],
      [`sealed_api_key = 'sk-clear-text-key'`, 'credential_plaintext', 'plaintext'],
      [`key_id = 'abcdefabcdef'`, 'credential_unreadable', 'unreadable'],
    ])('is not promoted (%s: %s)', async (change, code, status) => {
      await stage(newKey);
      await sql(change);
      await isRefused(code, status);
    });

    it('is not promoted when it was copied from another tenant or another provider', async () => {
      const other = await tenkey.createTenant();
      await tenkey
        .sysadmin('put', `/tenants/${other}/credentials/openai?stage=true`)
        .send({ api_key: 'sk-key-of-the-other-tenant' });
      await tenkey
        .sysadmin('put', `/tenants/${staged.tenant}/credentials/mistral?stage=true`)
        .send({ api_key: newKey });
      const all = 'key_hint, settings, key_id, version, seal, configured_at, expires_at, replaced_at';
      for (const from of [
        [other, 'openai'],
        [staged.tenant, 'mistral'],
      ]) {
        await tenkey.database.query(
          `INSERT INTO credential_slots (tenant_id, provider, slot, sealed_api_key, ${all})
           SELECT $1::uuid, 'openai', slot, sealed_api_key, ${all} FROM credential_slots
           WHERE tenant_id = $2 AND provider = $3`,
          [staged.tenant, ...from],
        );
        await isRefused('credential_tampered', 'tampered');
        await tenkey.sysadmin('delete', path('?slot=staged'));
      }
    });

    it('makes /ready name its encryption key when that is not loaded', async () => {
      const other = await startTestApp({ ENCRYPTION_KEY: generateKey() });
      try {
        const id = await other.createTenant();
        await other.sysadmin('put', `/tenants/${id}/credentials/openai?stage=true`).send({ api_key: newKey });
        expect((await other.http().get('/ready')).body.missing_keys ?? []).toEqual([]);
        await other.database.query(`UPDATE credential_slots SET key_id = 'abcdefabcdef'`);
        const ready = await other.http().get('/ready');
        expect(ready.body.missing_keys).toEqual(['abcdefabcdef']);
      } finally {
        await other.close();
      }
    });
  });

  it('is in the audit step by step, with masks and versions, and without keys', async () => {
    const live = (await listed()).version;
    const first = (await stage(newKey)).body.version;
    await post('/verify?slot=staged');
    const second = (await stage(thirdKey, '?stage=true&verify=true')).body.version;
    const { rollback_until } = (await post('/promote')).body;
    await post('/rollback');
    await tenkey.sysadmin('delete', path('?slot=staged'));
    const third = (await stage(newKey)).body.version;
    await post('/promote');
    await stage(thirdKey);
    await stage(oldKey, '');
    await tenkey.sysadmin('delete', path());
    const row = (mask: string, version: unknown) => ({ mask, version, settings: [] });
    const [a, b] = [row('...aaaa', live), row('...bbbb', first)];
    const [c, d] = [row('...cccc', second), row('...bbbb', third)];
    const version = expect.stringMatching(/^\d+$/);
    const done = (await events()).slice(2);
    expect(done.map(({ action, details }: any) => [action, details])).toEqual([
      ['credential.stage', { before: null, after: b }],
      ['credential.verify', { mask: '...bbbb', version: first, outcome: 'accepted', slot: 'staged' }],
      ['credential.stage', { before: b, after: c, verification: 'accepted' }],
      ['credential.promote', { before: a, after: c, verification: 'accepted', rollback_until }],
      ['credential.rollback', { before: c, after: a, rolled_back: 'staged' }],
      ['credential.discard', { slot: 'staged', before: c }],
      ['credential.stage', { before: null, after: d }],
      [
        'credential.promote',
        { before: a, after: d, verification: null, rollback_until: expect.stringMatching(/Z$/) },
      ],
      ['credential.stage', { before: null, after: row('...cccc', version) }],
      ['credential.set', { before: d, after: row('...aaaa', version), dropped: { previous: a } }],
      [
        'credential.delete',
        { before: row('...aaaa', version), dropped: { staged: row('...cccc', version) } },
      ],
    ]);
    for (const event of done) expect(event).toMatchObject({ provider: 'openai', tenant_id: staged.tenant });
    expect(JSON.stringify(done)).not.toMatch(/sk-the/);
    await post('/promote');
    await tenkey.nest.get(RefusedAttemptsService).written();
    const { body } = await tenkey.sysadmin('get', '/audit-events?outcome=refused&limit=1000');
    expect(body.items).toContainEqual(
      expect.objectContaining({
        action: 'POST /api/v1/sysadmin/tenants/:tenant_id/credentials/:provider/promote',
        provider: 'openai',
        details: expect.objectContaining({ code: 'credential_not_staged' }),
      }),
    );
    expect((await tenkey.nest.get(AuditLogService).verify()).faults).toEqual([]);
  });

  it('is not changed when the change cannot be audited', async () => {
    await stage(newKey);
    const before = await list();
    await tenkey.database.query('alter table audit_head rename to audit_head_gone');
    try {
      for (const step of [
        stage(thirdKey),
        post('/promote'),
        tenkey.sysadmin('delete', path('?slot=staged')),
      ]) {
        expect((await step).body.code).toBe('internal_error');
      }
    } finally {
      await tenkey.database.query('alter table audit_head_gone rename to audit_head');
    }
    expect(await list()).toEqual(before);
  });

  it('is not changed by an invalid request', async () => {
    await stage(newKey);
    const before = await list();
    for (const step of ['/promote', '/rollback', '/verify?slot=staged']) {
      for (const body of ['{"api_key":"sk-sentinel-key"}', '[]', '"sentinel"', '1', 'null']) {
        const answer = await post(step).set('content-type', 'application/json').send(body);
        expect([step, body, answer.status, answer.body.code]).toEqual([step, body, 422, 'validation_failed']);
        expect(answer.text).not.toContain('sentinel');
      }
      const broken = await post(step).set('content-type', 'application/json').send('{"sentinel');
      expect([broken.status, broken.body.code]).toEqual([400, 'malformed_request']);
    }
    for (const query of [
      'version=',
      'version=0',
      'version=-1',
      'version=1.5',
      'version=x',
      'version=1&version=1',
    ]) {
      const answer = await post(`/promote?${query}`);
      expect([query, answer.status, answer.body.errors?.[0].path]).toEqual([query, 422, 'version']);
    }
    for (const query of ['slot=', 'slot=Staged', 'slot=other', 'slot=live&slot=staged']) {
      const answer = await post(`/verify?${query}`);
      expect([query, answer.status, answer.body.errors?.[0].path]).toEqual([query, 422, 'slot']);
    }
    expect((await post(`/promote?version=${'9'.repeat(19)}`)).status).toBe(409);
    for (const step of ['promote', 'rollback']) {
      for (const [where, status] of [
        [`/tenants/${randomUUID()}/credentials/openai`, 404],
        [`/tenants/no-uuid/credentials/openai`, 422],
        [`/tenants/${staged.tenant}/credentials/no-such`, 422],
        [`/tenants/${staged.tenant}/credentials/constructor`, 422],
      ] as const) {
        expect((await tenkey.sysadmin('post', `${where}/${step}`)).status).toBe(status);
      }
    }
    expect(await list()).toEqual(before);
  });

  it('is for keys with credentials:write for that tenant, and does not exist in single-tenant mode', async () => {
    await stage(newKey);
    const reading = await issueSysadminKey(tenkey, { scopes: ['credentials:read'] });
    const elsewhere = await issueSysadminKey(tenkey, {
      scopes: ['credentials:write'],
      tenant_ids: [await tenkey.createTenant()],
    });
    const writing = await issueSysadminKey(tenkey, {
      scopes: ['credentials:write'],
      tenant_ids: [staged.tenant],
    });
    const promote = (key: string) => post('/promote').set('X-API-Key', key);
    for (const { key } of [reading, elsewhere]) expect((await promote(key)).status).toBe(403);
    expect((await promote(writing.key)).status).toBe(200);
    const rollback = await post('/rollback').set('X-API-Key', writing.key);
    expect(rollback.status).toBe(200);
    const single = await startTestApp(
      { TENANT_CREDENTIALS_ENABLED: 'false', OPENAI_API_KEY: 'sk-global-key-of-the-operator' },
      { databaseUrl: tenkey.databaseUrl },
    );
    try {
      for (const step of ['/promote', '/rollback', '/verify?slot=staged']) {
        expect((await single.sysadmin('post', path(step))).body.code).toBe('feature_disabled');
      }
      const { body } = await single.sysadmin('get', `/tenants/${staged.tenant}/models`);
      expect(body.models.every((model: { staged: unknown }) => model.staged === null)).toBe(true);
    } finally {
      await single.close();
    }
  });

  it('is not in any table in clear', async () => {
    await stage(newKey);
    await post('/verify?slot=staged');
    await post('/promote');
    await stage(thirdKey);
    const tables = await tenkey.database.query<{ name: string }[]>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
    );
    const dump: string[] = [];
    for (const { name } of tables) {
      const rows = await tenkey.database.query<{ row: string }[]>(`SELECT t::text AS row FROM ${name} t`);
      dump.push(...rows.map(({ row }) => row));
    }
    expect(dump.filter((row) => row.includes('enc:fernet:v1:gAAAA')).length).toBeGreaterThanOrEqual(3);
    for (const key of [oldKey, newKey, thirdKey]) {
      for (const form of [
        key,
        Buffer.from(key).toString('base64').slice(0, 40),
        Buffer.from(key).toString('hex'),
      ]) {
        expect(dump.filter((row) => row.includes(form))).toEqual([]);
        expect(tenkey.logLines.filter((line) => line.includes(form))).toEqual([]);
      }
    }
  });
});
