import { randomUUID } from 'node:crypto';
import { generateKey } from '#crypto';
import { ModelRoutingService } from '#model-routing';
import { describeWithApp, encryptionKey, startTestApp } from './support/app';
import { issueSysadminKey, issueTenantKey } from './support/keys';
import { usageRecords } from './support/usage';

const key = 'sk-the-key-that-a-receipt-names-r3c5';

describeWithApp('the receipt of a call', (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: key });
  });

  const verify = (receipt: unknown, app = tenkey) =>
    app.sysadmin('post', '/receipts/verify').send({ receipt });
  const receiptOf = async (body: Record<string, unknown> = {}) => {
    const answer = await tenkey.chat(tenant, body).expect(200);
    return answer.headers['x-tenkey-receipt'] as string;
  };

  it('proves which credential served it, as its usage record does', async () => {
    const { id, key: tenantKey } = await issueTenantKey(tenkey, tenant);
    const answer = await tenkey
      .http()
      .post('/v1/chat/completions')
      .set('authorization', `Bearer ${tenantKey}`)
      .send({ model: 'gpt-4o', messages: [], stream: true });
    const receipt = answer.headers['x-tenkey-receipt'] as string;
    const early = await verify(receipt);
    expect(early.body).toMatchObject({ valid: true, said: { tenant_id: tenant } });
    const [record] = await usageRecords(tenkey, 1, `&key_id=${id}`);
    const { status, body } = await verify(`  ${receipt}\n`);
    expect([status, body.valid, body.record_agrees]).toEqual([200, true, true]);
    expect(body.record).toEqual(record);
    expect(body.said).toEqual({
      request_id: answer.headers['x-tenkey-request-id'],
      at: record!.at,
      tenant_id: tenant,
      key_id: id,
      model: 'gpt-4o',
      operation: 'chat/completions',
      adapter: 'litellm',
      provider: 'openai',
      host: `127.0.0.1:${tenkey.provider.port}`,
      target: 'gpt-4o',
      source: 'tenant',
      mask: '...r3c5',
      version: record!.version,
    });
    expect(Buffer.from(receipt.split('.')[2]!, 'base64url').toString()).not.toContain(key);
  });

  it.each(['true', 'false'])(
    'agrees with the record when code in the same process writes ids in another case (strict mode: %s)',
    async (isStrict) => {
      const app = await startTestApp({
        TENANT_CREDENTIALS_ENABLED: isStrict,
        ...(isStrict === 'false' && { OPENAI_API_KEY: 'sk-the-global-key-of-all-g1b2' }),
      });
      try {
        const id = await app.createTenant();
        if (isStrict === 'true') await app.setCredential(id, 'openai', { api_key: key });
        const request = Buffer.from(JSON.stringify({ model: 'gpt-4o', messages: [] }));
        const { body: answer, receipt } = await app.nest
          .get(ModelRoutingService, { strict: false })
          .call(id.toUpperCase(), 'chat/completions', request, {
            signal: new AbortController().signal,
            requestId: randomUUID().toUpperCase(),
          });
        for await (const part of answer) void part;
        await usageRecords(app, 1, `&tenant_id=${id}`);
        const { body } = await verify(receipt, app);
        expect(body).toMatchObject({ valid: true, said: { tenant_id: id }, record_agrees: true });
      } finally {
        await app.close();
      }
    },
  );

  it('is refused with any character changed, added or removed', async () => {
    const receipt = await receiptOf();
    const changes = new Set<string>();
    for (let at = 0; at < receipt.length; at += 7) {
      for (const other of ['A', 'B', '.', ''])
        changes.add(receipt.slice(0, at) + other + receipt.slice(at + 1));
    }
    changes.delete(receipt);
    const [version, encryptionKeyId, text, mac] = receipt.split('.') as [string, string, string, string];
    const said = JSON.parse(Buffer.from(text, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...said, mask: '...none' })).toString('base64url');
    changes.add([version, encryptionKeyId, forged, mac].join('.'));
    changes.add([version, encryptionKeyId, text, `${mac}=`].join('.'));
    changes.add(`${receipt}.${mac}`);
    changes.add('\ud800');
    changes.add('x'.repeat(8000));
    for (const changed of changes) {
      const { status, body } = await verify(changed);
      expect([status, body.valid]).toEqual([200, false]);
      expect(body).toEqual({ valid: false, reason: expect.any(String) });
    }
    expect(changes.size).toBeGreaterThan(100);
  }, 60_000);

  it('exists only where the provider responded', async () => {
    tenkey.provider.next({ status: 400, body: { error: { message: 'no' } } });
    const refused = await tenkey.chat(tenant);
    expect(refused.status).toBe(400);
    expect(refused.headers).not.toHaveProperty('x-tenkey-receipt');
    expect(refused.headers['x-tenkey-credential']).toMatch(/^openai\/\.\.\.r3c5\/v\d+$/);
  });

  it('reveals that the record of the call was changed', async () => {
    const receipt = await receiptOf();
    const { request_id } = (await verify(receipt)).body.said;
    while ((await verify(receipt)).body.record === null);
    await tenkey.database.query('alter table usage_records disable trigger usage_records_are_immutable');
    await tenkey.database.query(`update usage_records set mask = '...else' where request_id = $1`, [
      request_id,
    ]);
    await tenkey.database.query('alter table usage_records enable trigger usage_records_are_immutable');
    const { body } = await verify(receipt);
    expect(body).toMatchObject({ valid: true, record_agrees: false, said: { mask: '...r3c5' } });
  });

  it('gives a key for some tenants no record that claims to be of another tenant', async () => {
    const receipt = await receiptOf();
    const { request_id } = (await verify(receipt)).body.said;
    while ((await verify(receipt)).body.record === null);
    const other = await tenkey.createTenant();
    await tenkey.database.query('alter table usage_records disable trigger usage_records_are_immutable');
    await tenkey.database.query('update usage_records set tenant_id = $2 where request_id = $1', [
      request_id,
      other,
    ]);
    await tenkey.database.query('alter table usage_records enable trigger usage_records_are_immutable');
    const { key: scoped } = await issueSysadminKey(tenkey, { scopes: ['usage:read'], tenant_ids: [tenant] });
    const { body } = await tenkey
      .http()
      .post('/api/v1/sysadmin/receipts/verify')
      .set('X-API-Key', scoped)
      .send({ receipt });
    expect(body).toMatchObject({ valid: true, record: null, record_agrees: false });
    expect((await verify(receipt)).body.record.tenant_id).toBe(other);
  });

  it('stays valid under a previous encryption key, and its check names a key that is not loaded', async () => {
    const receipt = await receiptOf();
    const next = generateKey();
    const rotated = await startTestApp(
      { ENCRYPTION_KEY: next, ENCRYPTION_KEY_PREVIOUS: encryptionKey },
      { databaseUrl: tenkey.databaseUrl },
    );
    const foreign = await startTestApp({ ENCRYPTION_KEY: next });
    try {
      expect((await verify(receipt, rotated)).body.valid).toBe(true);
      const { body } = await verify(receipt, foreign);
      expect(body).toEqual({ valid: false, reason: expect.stringContaining('ENCRYPTION_KEY_PREVIOUS') });
    } finally {
      await rotated.close();
      await foreign.close();
    }
  });

  it('of another tenant is hidden from a key for some tenants', async () => {
    const receipt = await receiptOf();
    const other = await tenkey.createTenant();
    const ask = async (tenantId: string) => {
      const { key: scoped } = await issueSysadminKey(tenkey, {
        scopes: ['usage:read'],
        tenant_ids: [tenantId],
      });
      return tenkey
        .http()
        .post('/api/v1/sysadmin/receipts/verify')
        .set('X-API-Key', scoped)
        .send({ receipt });
    };
    expect((await ask(tenant)).body.valid).toBe(true);
    const refused = await ask(other);
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
    expect(refused.text).not.toContain('r3c5');
  });

  it.each([[{}], [{ receipt: 5 }], [{ receipt: '' }], [{ receipt: 'x'.repeat(9000) }], [[]]])(
    'is required in the body of its check (%#)',
    async (body) => {
      const answer = await tenkey.sysadmin('post', '/receipts/verify').send(body);
      expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed']);
    },
  );

  it('does not exist without an encryption key, and the readiness report says so', async () => {
    const single = await startTestApp({
      TENANT_CREDENTIALS_ENABLED: 'false',
      ENCRYPTION_KEY: undefined,
      OPENAI_API_KEY: 'sk-the-global-key-of-all-g1b2',
    });
    try {
      const id = await single.createTenant();
      const answer = await single.chat(id).expect(200);
      expect(answer.headers).not.toHaveProperty('x-tenkey-receipt');
      const [record] = await usageRecords(single, 1);
      expect(record).toMatchObject({ source: 'global', mask: '...g1b2', version: null, tenant_id: id });
      const refused = await verify('tkr1', single);
      expect([refused.status, refused.body.code]).toEqual([404, 'feature_disabled']);
      expect(refused.body.hint).toContain('ENCRYPTION_KEY');
      const without = { receipts: 'off', audit_chain: 'hash' };
      expect((await single.http().get('/ready')).body).toMatchObject(without);
      expect((await single.sysadmin('get', '/readiness')).body).toMatchObject(without);
    } finally {
      await single.close();
    }
    const withKey = { receipts: 'on', audit_chain: 'hmac' };
    expect((await tenkey.http().get('/ready')).body).toMatchObject(withKey);
    expect((await tenkey.sysadmin('get', '/readiness')).body).toMatchObject(withKey);
  });
});
