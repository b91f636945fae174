import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { Client } from 'pg';
import { RefusedAttemptsService } from '#audit';
import { issueKey } from '../libs/issued-keys/issued-key';
import { describeWithApp, superKey } from './support/app';
import { issueSysadminKey, issueTenantKey } from './support/keys';
import { until } from './support/until';

describeWithApp('a scoped sysadmin key', (tenkey) => {
  const as = (key: string, method: 'get' | 'put' | 'post' | 'patch' | 'delete', path: string) =>
    tenkey.http()[method](`/api/v1/sysadmin${path}`).set('X-API-Key', key);
  const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

  it('is shown once, listed by mask, and is the actor of what it does', async () => {
    const tenant = await tenkey.createTenant();
    const made = await tenkey.sysadmin('post', '/keys').send({
      name: 'onboarding',
      scopes: ['keys:write', 'credentials:write'],
      tenant_ids: [tenant.toUpperCase(), tenant],
      expires_at: '2099-01-31T02:00:00+02:00',
    });
    expect([made.status, made.headers['cache-control']]).toEqual([201, 'no-store']);
    const { key, ...shown } = made.body;
    expect(key).toMatch(/^tks_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}$/);
    expect(shown).toEqual({
      id: key.slice(4, 15),
      name: 'onboarding',
      prefix: key.slice(0, 15),
      masked_key: `...${key.slice(-4)}`,
      scopes: ['credentials:write', 'keys:write'],
      tenant_ids: [tenant],
      expires_at: '2099-01-31T00:00:00.000Z',
      status: 'active',
      last_used_at: null,
      created_at: expect.stringMatching(/Z$/),
    });
    expect((await tenkey.sysadmin('get', '/keys')).body).toEqual({ items: [shown], count: 1 });
    expect((await tenkey.sysadmin('get', `/keys/${shown.id}`)).body).toEqual(shown);

    const set = await as(key, 'put', `/tenants/${tenant}/credentials/openai`).send({
      api_key: 'sk-set-by-a-scoped-key',
    });
    expect(set.status).toBe(200);
    const refused = await as(key, 'get', `/tenants/${tenant}/credentials`);
    expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
      403,
      'forbidden',
      'This key does not have the scope credentials:read.',
    ]);
    const removed = await tenkey.sysadmin('delete', `/keys/${shown.id}`);
    expect(removed.body).toEqual({ id: shown.id, message: 'The key is revoked.', deleted: true });
    expect((await tenkey.sysadmin('delete', `/keys/${shown.id}`)).body.deleted).toBe(false);
    expect((await tenkey.sysadmin('get', `/keys/${shown.id}`)).body.code).toBe('key_not_found');

    await tenkey.nest.get(RefusedAttemptsService).written();
    const { items } = (await tenkey.sysadmin('get', '/audit-events?limit=1000')).body;
    const actor = `sysadmin-key onboarding ${shown.id}`;
    const ofKey = items.filter(
      (event: any) => event.actor === actor || event.action.startsWith('sysadmin-key'),
    );
    const audited = {
      id: shown.id,
      name: 'onboarding',
      mask: shown.masked_key,
      scopes: shown.scopes,
      tenant_ids: [tenant],
      expires_at: shown.expires_at,
    };
    expect(ofKey.reverse().map((event: any) => [event.action, event.outcome])).toEqual([
      ['sysadmin-key.create', 'done'],
      ['credential.set', 'done'],
      ['GET /api/v1/sysadmin/tenants/:tenant_id/credentials', 'refused'],
      ['sysadmin-key.delete', 'done'],
    ]);
    expect([ofKey[0].details, ofKey[3].details]).toEqual([{ after: audited }, { before: audited }]);
    expect([ofKey[1].actor, ofKey[2].actor, ofKey[0].actor]).toEqual([
      actor,
      actor,
      expect.stringMatching(/^super-key/),
    ]);
    const [{ dump }] = await tenkey.database.query(
      'select string_agg(k::text, chr(10)) as dump from sysadmin_keys k',
    );
    const traces = JSON.stringify(items) + tenkey.logLines.join('') + String(dump);
    expect(traces).not.toContain(key.slice(16));
  });

  it('for some tenants sees and changes only those', async () => {
    const [own, also, other] = [
      await tenkey.createTenant(),
      await tenkey.createTenant(),
      await tenkey.createTenant(),
    ];
    for (const tenant of [own, also, other]) await issueTenantKey(tenkey, tenant);
    const scopes = ['tenants:read', 'credentials:read', 'credentials:write', 'keys:write', 'audit:read'];
    const { key } = await issueSysadminKey(tenkey, { scopes, tenant_ids: [own, also] });

    const list = await as(key, 'get', '/tenants');
    expect(list.body.items.map(({ id }: { id: string }) => id)).toEqual([also, own]);
    expect(list.body.total).toBe(2);
    const page = await as(key, 'get', '/tenants?limit=1');
    const next = await as(key, 'get', `/tenants?limit=1&cursor=${page.body.next_cursor}`);
    expect([page.body.items[0].id, next.body.items[0].id, next.body.next_cursor]).toEqual([also, own, null]);

    const events = (await as(key, 'get', '/audit-events?limit=1000')).body.items;
    expect(events).toHaveLength(4);
    expect(new Set(events.map((event: any) => event.tenant_id))).toEqual(new Set([own, also]));
    expect((await as(key, 'get', `/audit-events?tenant_id=${other}`)).body.items).toEqual([]);
    expect((await as(key, 'get', `/audit-events?tenant_id=${own}`)).body.items).toHaveLength(2);
    const exported = await as(key, 'get', '/audit-events/export')
      .buffer(true)
      .parse((response, done) => {
        let text = '';
        response.on('data', (part) => (text += String(part)));
        response.on('end', () => done(null, text));
      });
    expect(
      String(exported.body)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(events);

    for (const tenant of [
      other,
      randomUUID(),
      'no-uuid',
      `${own}x`,
      encodeURIComponent(`${own}/../${other}`),
    ]) {
      for (const [method, path] of [
        ['get', ''],
        ['get', '/credentials'],
        ['put', '/credentials/openai'],
        ['delete', '/credentials/openai'],
        ['get', '/keys'],
        ['post', '/keys'],
        ['delete', '/keys/00000000000'],
      ] as const) {
        const answer = await as(key, method, `/tenants/${tenant}${path}?tenant_id=${own}`).send({
          tenant_id: own,
        });
        expect([method, path, answer.status]).toEqual([method, path, 403]);
      }
    }
    expect((await as(key, 'get', `/tenants/${own.toUpperCase()}`)).status).toBe(200);
    expect((await as(key, 'get', `/tenants/${also}/keys`)).body.count).toBe(1);

    // When its last tenant has been deleted, the key is for no tenant, and not for all.
    for (const tenant of [own, also]) await tenkey.sysadmin('delete', `/tenants/${tenant}`);
    expect((await as(key, 'get', '/tenants')).body).toEqual({
      items: [],
      count: 0,
      total: 0,
      next_cursor: null,
    });
    expect((await as(key, 'get', `/tenants/${other}`)).status).toBe(403);
  });

  it('for a deleted tenant does not open a new tenant with the same id', async () => {
    const [gone, kept] = [await tenkey.createTenant(), await tenkey.createTenant()];
    const again = async () => {
      expect((await tenkey.sysadmin('delete', `/tenants/${gone}`)).status).toBe(204);
      const body = { id: gone, name: `again-${randomUUID()}` };
      expect((await tenkey.sysadmin('post', '/tenants').send(body)).status).toBe(201);
    };
    const scopes = ['tenants:read', 'keys:write'];
    const both = await issueSysadminKey(tenkey, { name: 'both', scopes, tenant_ids: [gone, kept] });
    const one = await issueSysadminKey(tenkey, { name: 'one', scopes, tenant_ids: [gone] });
    const all = await issueSysadminKey(tenkey, { scopes });
    await again();
    const { items } = (await tenkey.sysadmin('get', `/audit-events?tenant_id=${gone}&action=tenant.delete`))
      .body;
    const named = [both, one].map(({ id, key }) => ({
      id,
      name: id === both.id ? 'both' : 'one',
      mask: `...${key.slice(-4)}`,
    }));
    expect(items[0].details.before.sysadmin_keys).toEqual(named.sort((a, b) => (a.id < b.id ? -1 : 1)));
    for (const [{ id, key }, tenantIds, opens] of [
      [both, [kept], [403, 200]],
      [one, [], [403, 403]],
      [all, null, [200, 200]],
    ] as const) {
      expect((await tenkey.sysadmin('get', `/keys/${id}`)).body.tenant_ids).toEqual(tenantIds);
      const statuses = [gone, kept].map(
        async (tenant) => (await as(key, 'get', `/tenants/${tenant}/keys`)).status,
      );
      expect(await Promise.all(statuses)).toEqual(opens);
    }
    expect((await as(one.key, 'get', '/tenants')).body.total).toBe(0);

    // The same for a key that is being created while its tenant is deleted. The creation waits for the lock on the audit head.
    const other = new Client({ connectionString: tenkey.databaseUrl });
    await other.connect();
    await other.query('begin');
    await other.query('select 1 from audit_head for update');
    const waiting = (count: number) =>
      until(async () => {
        const [found] = await tenkey.database.query(
          `select count(*)::integer as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return found.n === count;
      }, `${count} wait for a lock`);
    const making = issueSysadminKey(tenkey, { scopes, tenant_ids: [gone] });
    await waiting(1);
    const deleting = again();
    await waiting(2);
    await other.query('rollback');
    await other.end();
    const [{ id }] = await Promise.all([making, deleting]);
    expect((await tenkey.sysadmin('get', `/keys/${id}`)).body.tenant_ids).toEqual([]);
  });

  it('cannot grant what it does not have', async () => {
    const tenant = await tenkey.createTenant();
    const { id, key } = await issueSysadminKey(tenkey, { scopes: ['keys:write'], expires_at: inAnHour() });
    const expiry = (await tenkey.sysadmin('get', `/keys/${id}`)).body.expires_at;
    const make = (fields: object) =>
      as(key, 'post', `/tenants/${tenant}/keys`).send({ name: 'a', ...fields });
    for (const fields of [{}, { expires_at: null }, { expires_at: '2099-01-01T00:00:00Z' }]) {
      const answer = await make(fields);
      expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
      expect(answer.body.hint).toContain(expiry);
    }
    expect((await make({ expires_at: expiry })).status).toBe(201);
    for (const [method, path] of [
      ['post', '/keys'],
      ['get', '/keys'],
      ['put', `/keys/${id}`],
      ['delete', `/keys/${id}`],
      ['post', '/tenants'],
      ['delete', `/tenants/${tenant}`],
    ] as const) {
      const answer = await as(key, method, path).send({ name: 'a', scopes: ['keys:write'] });
      const detail = path.startsWith('/keys')
        ? 'Only the super key may do this; no scope opens it.'
        : 'This key does not have the scope tenants:write.';
      expect([path, answer.status, answer.body.detail]).toEqual([path, 403, detail]);
    }
    // Nor can it make an existing key live longer.
    const [own] = (await tenkey.sysadmin('get', `/tenants/${tenant}/keys`)).body.items;
    const longer = await as(key, 'put', `/tenants/${tenant}/keys/${own.id}`).send({ name: 'a' });
    expect([longer.status, longer.body.code]).toEqual([403, 'forbidden']);
    const same = { name: 'renamed', expires_at: expiry };
    expect((await as(key, 'put', `/tenants/${tenant}/keys/${own.id}`).send(same)).status).toBe(200);
    expect((await tenkey.sysadmin('get', `/tenants/${tenant}/keys`)).body.count).toBe(1);
    const unlimited = await issueSysadminKey(tenkey, { scopes: ['keys:write'] });
    expect((await as(unlimited.key, 'post', `/tenants/${tenant}/keys`).send({ name: 'a' })).status).toBe(201);
  });

  it('opens what a change says from its response on, and is still the same key', async () => {
    const tenant = await tenkey.createTenant();
    const { id, key } = await issueSysadminKey(tenkey, { scopes: ['tenants:read'] });
    const change = (body: object) => tenkey.sysadmin('put', `/keys/${id}`).send(body);
    const next = { name: 'writer', scopes: ['tenants:write'], tenant_ids: [tenant] };
    const changed = await change(next);
    expect([changed.status, changed.body]).toMatchObject([200, { id, ...next }]);
    expect((await as(key, 'get', '/tenants')).status).toBe(403);
    expect((await as(key, 'patch', `/tenants/${tenant}`).send({ state: 'suspended' })).status).toBe(200);
    expect((await as(key, 'post', '/tenants').send({ name: 'a' })).status).toBe(403);
    await change(next);
    const { body } = await tenkey.sysadmin('get', '/audit-events?action=sysadmin-key.update');
    expect(body.items.filter(({ details }: any) => details.after.id === id)).toHaveLength(1);
    const unknown = await change({ ...next, tenant_ids: ['00000000-0000-4000-8000-000000000000'] });
    expect([unknown.status, unknown.body.errors[0].path]).toEqual([422, 'tenant_ids']);
    const none = await tenkey.sysadmin('put', '/keys/00000000000').send(next);
    expect([none.status, none.body.code]).toEqual([404, 'key_not_found']);
  });

  it('that is mistyped, unknown, expired or revoked gets the same response as no key', async () => {
    const expired = await issueSysadminKey(tenkey, { scopes: ['tenants:read'], expires_at: inAnHour() });
    const revoked = await issueSysadminKey(tenkey, { scopes: ['tenants:read'] });
    const { key, id } = await issueSysadminKey(tenkey, { scopes: ['tenants:read'] });
    for (const each of [expired, revoked]) expect((await as(each.key, 'get', '/tenants')).status).toBe(200);
    await tenkey.database.query('update sysadmin_keys set expires_at = now() where id = $1', [expired.id]);
    await tenkey.sysadmin('delete', `/keys/${revoked.id}`);
    const forged = issueKey('tks');
    await tenkey.database.query('update sysadmin_keys set id = $1 where id = $2', [forged.id, id]);
    const withoutInstance = (body: object) => ({ ...body, instance: '' });
    const none = withoutInstance((await tenkey.http().get('/api/v1/sysadmin/tenants')).body);
    for (const each of [
      expired.key,
      revoked.key,
      key,
      key.slice(1),
      forged.text.expose(),
      `${superKey} `.repeat(2),
    ]) {
      const answer = await as(each, 'get', '/tenants');
      expect([answer.status, withoutInstance(answer.body)]).toEqual([401, none]);
    }
    expect((await tenkey.sysadmin('get', `/keys/${expired.id}`)).body.status).toBe('expired');
  });

  it('makes its change and has it audited with the client’s address, even when the client disconnects during the look-up', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-removed-by-a-client-that-left' });
    const { key } = await issueSysadminKey(tenkey, { scopes: ['credentials:write'] });
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const waiting = async () =>
      (
        await tenkey.database.query(
          `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
        )
      ).length;
    await tenkey.database.transaction(async (transaction) => {
      await transaction.query('lock table sysadmin_keys in access exclusive mode');
      const socket = connect({ port, host: '127.0.0.1' });
      socket.write(
        `DELETE /api/v1/sysadmin/tenants/${tenant}/credentials/openai HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 203.0.113.9\r\nx-api-key: ${key}\r\n\r\n`,
      );
      await until(async () => (await waiting()) > 0, 'the look-up');
      const before = tenkey.logLines.length;
      socket.resetAndDestroy();
      await until(
        () => tenkey.logLines.slice(before).some((line) => line.includes('"aborted"')),
        'the reset',
      );
    });
    const removals = async () =>
      (await tenkey.sysadmin('get', `/audit-events?tenant_id=${tenant}&action=credential.delete`)).body.items;
    await until(async () => (await removals()).length > 0, 'the removal');
    expect(await removals()).toEqual([
      expect.objectContaining({ outcome: 'done', address: expect.stringMatching(/127\.0\.0\.1$/) }),
    ]);
  });

  it.each([
    [{ scopes: ['tenants:read'] }, 'name'],
    [{ name: 'tks_0123456789a_pasted', scopes: ['tenants:read'] }, 'name'],
    [{ name: 'a' }, 'scopes'],
    [{ name: 'a', scopes: [] }, 'scopes'],
    [{ name: 'a', scopes: 'tenants:read' }, 'scopes'],
    [{ name: 'a', scopes: ['tenants:delete'] }, 'scopes'],
    [{ name: 'a', scopes: ['*'] }, 'scopes'],
    [{ name: 'a', scopes: ['tenants:read', 'tenants:read'] }, 'scopes'],
    [{ name: 'a', scopes: ['tenants:read'], tenant_ids: [] }, 'tenant_ids'],
    [{ name: 'a', scopes: ['tenants:read'], tenant_ids: ['x'] }, 'tenant_ids'],
    [{ name: 'a', scopes: ['tenants:read'], tenant_ids: randomUUID() }, 'tenant_ids'],
    [{ name: 'a', scopes: ['tenants:read'], tenant_ids: [randomUUID()] }, 'tenant_ids'],
    [{ name: 'a', scopes: ['tenants:read'], expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    // If the typo were ignored, each of these keys would lack the intended restriction.
    [{ name: 'a', scopes: ['tenants:read'], tenant_id: [randomUUID()] }, 'tenant_ids'],
    [{ name: 'a', scopes: ['tenants:read'], tenantIds: [randomUUID()] }, 'tenant_ids'],
    [{ name: 'a', scopes: ['tenants:read'], expire_at: '2099-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'a', scopes: ['tenants:read'], 'expires-at': '2099-01-01T00:00:00Z' }, 'expires_at'],
  ])('is not issued from %j', async (body, path) => {
    const before = (await tenkey.sysadmin('get', '/keys')).body.count;
    const answer = await tenkey.sysadmin('post', '/keys').send(body);
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed']);
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
    expect((await tenkey.sysadmin('get', '/keys')).body.count).toBe(before);
  });
});
