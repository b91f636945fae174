import { createHash, createHmac, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { scopes } from '#http';
import { SessionsService } from '#issued-keys';
import { describeWithApp, superKey } from './support/app';
import { issueSysadminKey, issueTenantKey, sessionIdOf, type SignedIn, signIn } from './support/keys';
import { until } from './support/until';

const url = '/api/v1/sysadmin/session';
const ended = {
  code: 'unauthenticated',
  detail: 'The session has ended.',
  hint: 'Sign in again, or send X-API-Key.',
};
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
type Method = 'get' | 'put' | 'post' | 'patch' | 'delete';

describeWithApp('a session', (tenkey) => {
  const as = (session: SignedIn, method: Method, path: string) =>
    tenkey
      .http()
      [method](`/api/v1/sysadmin${path}`)
      .set({ ...session });
  const shownTo = async (session: SignedIn) => (await as(session, 'get', '/session')).body;
  const edit = (session: SignedIn, columns: string) =>
    tenkey.database.query(`update sysadmin_sessions set ${columns} where id = $1`, [sessionIdOf(session)]);
  const ids = async (): Promise<string[]> =>
    (await tenkey.database.query('select id from sysadmin_sessions')).map(({ id }: { id: string }) => id);
  const expectEnded = async (session: SignedIn) => {
    const answer = await as(session, 'get', '/session');
    expect([answer.status, answer.body, answer.headers['set-cookie']]).toEqual([
      401,
      expect.objectContaining(ended),
      ['tenkey_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict'],
    ]);
  };

  it('opens what its key opens until it is signed out, and the audit names the key', async () => {
    const made = await tenkey.http().post(url).set('X-API-Key', superKey);
    expect([made.status, made.headers['cache-control'], made.headers['set-cookie']]).toEqual([
      201,
      'no-store',
      [
        expect.stringMatching(
          /^tenkey_session=tkc_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
        ),
      ],
    ]);
    const actor = `super-key sha256:${createHash('sha256').update(superKey).digest('hex').slice(0, 8)}`;
    const shown = { actor, super: true, scopes, tenant_ids: null, idle_minutes: 30 };
    expect(made.body).toEqual({ ...shown, expires_at: expect.stringMatching(/Z$/) });
    const left = Date.parse(made.body.expires_at as string) - Date.now();
    expect(Math.abs(left - 12 * 3_600_000)).toBeLessThan(60_000);

    const session = { cookie: String(made.headers['set-cookie']).split(';')[0]!, 'x-tenkey-console': '1' };
    expect(await shownTo(session)).toEqual(made.body);
    expect((await tenkey.sysadmin('get', '/session')).body).toEqual({ ...shown, expires_at: null });
    const tenant = await as(session, 'post', '/tenants').send({ name: `of-a-session-${randomUUID()}` });
    expect(tenant.status).toBe(201);
    expect((await as(session, 'get', '/keys')).status).toBe(200);
    const gone = await as(session, 'delete', '/session');
    expect([gone.status, gone.text, gone.headers['set-cookie']]).toEqual([
      204,
      '',
      ['tenkey_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict'],
    ]);
    await expectEnded(session);

    const { items } = (await tenkey.sysadmin('get', '/audit-events?limit=3')).body;
    const id = sessionIdOf(session);
    expect(items.map((event: any) => [event.action, event.actor, event.details])).toEqual([
      ['session.delete', actor, { before: { id } }],
      ['tenant.create', actor, expect.anything()],
      ['session.create', actor, { after: { id, expires_at: made.body.expires_at } }],
    ]);
    // Without a session it is harmless, and nothing to record.
    expect((await tenkey.sysadmin('delete', '/session')).status).toBe(204);
    expect((await tenkey.sysadmin('get', '/audit-events?limit=1')).body.items).toEqual([items[0]]);
  });

  it('has the scopes and tenants that its key has now, and ends for good when that loses a scope', async () => {
    const [own, also] = [await tenkey.createTenant(), await tenkey.createTenant()];
    const rights = { name: 'helpdesk', scopes: ['tenants:read'], tenant_ids: [own, also] };
    const { id, key } = await issueSysadminKey(tenkey, rights);
    const change = (fields: object) => tenkey.sysadmin('put', `/keys/${id}`).send({ ...rights, ...fields });
    const session = await signIn(tenkey, key);
    const actor = `sysadmin-key helpdesk ${id}`;
    expect(await shownTo(session)).toEqual({
      actor,
      super: false,
      scopes: ['tenants:read'],
      tenant_ids: [own, also].sort(),
      expires_at: expect.stringMatching(/Z$/),
      idle_minutes: 30,
    });
    const list = await as(session, 'get', '/tenants');
    expect(list.body.items.map((each: { id: string }) => each.id)).toEqual([also, own]);
    const refused = await as(session, 'get', `/tenants/${own}/credentials`);
    expect([refused.status, refused.body.detail]).toEqual([
      403,
      'This key does not have the scope credentials:read.',
    ]);
    expect((await as(session, 'get', '/keys')).status).toBe(403);

    await change({ scopes: ['tenants:read', 'credentials:read'] });
    expect((await shownTo(session)).scopes).toEqual(['tenants:read', 'credentials:read']);
    expect((await as(session, 'get', `/tenants/${own}/credentials`)).status).toBe(200);
    // It was signed in without this scope.
    await change({ scopes: ['tenants:read'] });
    expect((await shownTo(session)).scopes).toEqual(['tenants:read']);

    await tenkey.sysadmin('delete', `/tenants/${also}`);
    expect((await shownTo(session)).tenant_ids).toEqual([own]);
    await tenkey.sysadmin('delete', `/tenants/${own}`);
    expect((await shownTo(session)).tenant_ids).toEqual([]);
    expect((await as(session, 'get', '/tenants')).body.total).toBe(0);

    await change({ scopes: ['usage:read'], tenant_ids: null });
    await expectEnded(session);
    await change({ tenant_ids: null });
    await expectEnded(session);
    expect((await shownTo(await signIn(tenkey, key))).tenant_ids).toBeNull();
  });

  it('creates no tenant key that lives longer than its own key', async () => {
    const tenant = await tenkey.createTenant();
    const { key } = await issueSysadminKey(tenkey, { scopes: ['keys:write'], expires_at: inAnHour() });
    const answer = await as(await signIn(tenkey, key), 'post', `/tenants/${tenant}/keys`).send({ name: 'a' });
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  });

  type Ending = [string, (session: SignedIn, keyId: string) => Promise<unknown>];
  const onKey = (columns: string) => (_: SignedIn, id: string) =>
    tenkey.database.query(`update sysadmin_keys set ${columns} where id = $1`, [id]);
  it.each<Ending>([
    [
      'has not been used for long',
      (session) => edit(session, "last_used_at = now() - interval '32 minutes'"),
    ],
    ['has reached its absolute end', (session) => edit(session, 'expires_at = now()')],
    ['is of a revoked key', (_, id) => tenkey.sysadmin('delete', `/keys/${id}`)],
    ['is of a key that has expired', onKey('expires_at = now()')],
    ['is of a key that has lost a scope', onKey("scopes = '{usage:read}'")],
    ['was deleted in the database', () => tenkey.database.query('delete from sysadmin_sessions')],
    ['has the id of another one', (session) => edit(session, "token_hash = repeat('0', 64)")],
  ])('that %s opens nothing, and the browser forgets it', async (_, end) => {
    const { id, key } = await issueSysadminKey(tenkey, { scopes: ['tenants:read', 'usage:read'] });
    const session = await signIn(tenkey, key);
    expect((await as(session, 'get', '/tenants')).status).toBe(200);
    // This use is written now, and not when the session has ended.
    await tenkey.nest.get(SessionsService, { strict: false }).onApplicationShutdown();
    await end(session, id);
    await expectEnded(session);
    for (const [method, path] of [
      ['get', '/tenants'],
      ['get', '/no-such-route'],
      ['post', '/session'],
      ['delete', '/session'],
    ] as const) {
      const answer = await as(session, method, path);
      expect([method, path, answer.status, answer.body.detail]).toEqual([method, path, 401, ended.detail]);
    }
  });

  it('does not end while it is used, although its use is noted once a minute', async () => {
    const session = await signIn(tenkey);
    const noted = async () => {
      const [row] = await tenkey.database.query(
        'select extract(epoch from now() - last_used_at)::float as age from sysadmin_sessions where id = $1',
        [sessionIdOf(session)],
      );
      return row.age as number;
    };
    const useAfter = async (ms: number) => {
      const later = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + ms);
      const { status } = await as(session, 'get', '/session');
      later.mockRestore();
      return status;
    };
    // The last use before half an hour without one was noted up to two minutes late.
    await edit(session, "last_used_at = now() - interval '31 minutes 50 seconds'");
    expect(await useAfter(0)).toBe(200);
    await until(async () => (await noted()) < 20, 'the use is noted');
    // Another process has noted a use within the minute.
    await edit(session, "last_used_at = now() - interval '30 seconds'");
    expect(await useAfter(61_000)).toBe(200);
    await wait(1500);
    expect(await noted()).toBeGreaterThan(30);
    await edit(session, "last_used_at = now() - interval '70 seconds'");
    expect(await useAfter(130_000)).toBe(200);
    await until(async () => (await noted()) < 20, 'the use is noted again');
  });

  it('counts as a use of its key', async () => {
    const { id, key } = await issueSysadminKey(tenkey, { scopes: ['tenants:read'] });
    const session = await signIn(tenkey, key);
    const lastUse = async () => (await tenkey.sysadmin('get', `/keys/${id}`)).body.last_used_at;
    await until(async () => (await lastUse()) !== null, 'the key was used');
    await tenkey.database.query('update sysadmin_keys set last_used_at = null where id = $1', [id]);
    const later = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 61_000);
    await as(session, 'get', '/tenants');
    later.mockRestore();
    await until(async () => (await lastUse()) !== null, 'the key was used by the session');
  });

  it('never lives longer than its key, also when that is shortened later', async () => {
    const rights = { name: 'a', scopes: ['tenants:read'] };
    const expiry = inAnHour();
    const { id, key } = await issueSysadminKey(tenkey, { ...rights, expires_at: expiry });
    const made = await tenkey.http().post(url).set('X-API-Key', key);
    expect(made.body.expires_at).toBe(expiry);
    const [, maxAge] = /Max-Age=(\d+)/.exec(String(made.headers['set-cookie']))!;
    expect([Number(maxAge) > 3500, Number(maxAge) <= 3600]).toEqual([true, true]);
    const session = { cookie: String(made.headers['set-cookie']).split(';')[0]!, 'x-tenkey-console': '1' };
    const sooner = new Date(Date.now() + 60_000).toISOString();
    await tenkey.sysadmin('put', `/keys/${id}`).send({ ...rights, expires_at: sooner });
    expect((await shownTo(session)).expires_at).toBe(sooner);
    await tenkey.sysadmin('put', `/keys/${id}`).send(rights);
    expect((await shownTo(session)).expires_at).toBe(expiry);
  });

  it('cannot be exchanged for another one, so that its end is its end', async () => {
    const session = await signIn(tenkey);
    const before = await ids();
    const answer = await as(session, 'post', '/session');
    expect([answer.status, answer.body.code, answer.body.detail, answer.body.hint]).toEqual([
      403,
      'forbidden',
      'A session cannot create a session.',
      'Send the key in X-API-Key.',
    ]);
    expect([answer.headers['set-cookie'], await ids()]).toEqual([undefined, before]);
  });

  it('is created by a request without fields only', async () => {
    for (const body of [{ scopes: ['tenants:read'] }, [], 'null']) {
      const answer = await tenkey
        .sysadmin('post', '/session')
        .set('content-type', 'application/json')
        .send(body);
      expect([answer.status, answer.body.code, answer.headers['set-cookie']]).toEqual([
        422,
        'validation_failed',
        undefined,
      ]);
    }
    expect((await tenkey.sysadmin('post', '/session').send({})).status).toBe(201);
  });

  it('that has ended is deleted when somebody signs in, and no other is', async () => {
    const { id, key } = await issueSysadminKey(tenkey, { scopes: ['tenants:read', 'usage:read'] });
    const [idle, over, lost, open] = [
      await signIn(tenkey),
      await signIn(tenkey),
      await signIn(tenkey, key),
      await signIn(tenkey),
    ];
    await edit(idle, "last_used_at = now() - interval '1 hour'");
    await edit(over, "expires_at = now() - interval '1 second'");
    await tenkey.database.query("update sysadmin_keys set scopes = '{usage:read}' where id = $1", [id]);
    const last = await signIn(tenkey);
    const left = await ids();
    expect([idle, over, lost, open, last].map((each) => left.includes(sessionIdOf(each)))).toEqual([
      false,
      false,
      false,
      true,
      true,
    ]);
  });

  it('is created without waiting for those that another transaction is changing', async () => {
    const [over, open] = [await signIn(tenkey), await signIn(tenkey)];
    await edit(over, "expires_at = now() - interval '1 second'");
    await tenkey.database.transaction(async (other) => {
      await other.query('select 1 from sysadmin_sessions for update');
      expect((await as(await signIn(tenkey), 'get', '/session')).status).toBe(200);
      expect(await ids()).toEqual(expect.arrayContaining([over, open].map(sessionIdOf)));
    });
    await signIn(tenkey);
    const left = await ids();
    expect([over, open].map((each) => left.includes(sessionIdOf(each)))).toEqual([false, true]);
  });

  it('ends when its key has signed in a hundred times since, and the sessions of other keys do not', async () => {
    const [{ key }, other] = [
      await issueSysadminKey(tenkey, { scopes: ['tenants:read'] }),
      await issueSysadminKey(tenkey, { scopes: ['tenants:read'] }),
    ];
    const [first, ofOther, ofSuper] = [
      await signIn(tenkey, key),
      await signIn(tenkey, other.key),
      await signIn(tenkey),
    ];
    const second = await signIn(tenkey, key);
    for (let each = 2; each < 100; each += 1) await signIn(tenkey, key);
    expect((await as(first, 'get', '/session')).status).toBe(200);
    await signIn(tenkey, key);
    await expectEnded(first);
    for (const session of [second, ofOther, ofSuper])
      expect((await as(session, 'get', '/session')).status).toBe(200);
    const [{ count }] = await tenkey.database.query(
      'select count(*)::integer from sysadmin_sessions where sysadmin_key_id = $1',
      [key.slice(4, 15)],
    );
    expect(count).toBe(100);
    // Many at once neither fail nor leave more than a few too many, which the next one removes.
    await Promise.all(Array.from({ length: 20 }, () => signIn(tenkey, key)));
    await signIn(tenkey, key);
    const [after] = await tenkey.database.query(
      'select count(*)::integer from sysadmin_sessions where sysadmin_key_id = $1',
      [key.slice(4, 15)],
    );
    expect(after.count).toBe(100);
  }, 60_000);

  it('leaves neither its token nor its key in a log line, an audit event or a table, and nothing to guess a super key with', async () => {
    const scoped = await issueSysadminKey(tenkey, { scopes: ['tenants:read'] });
    const tokens: string[] = [];
    for (const key of [superKey, scoped.key]) {
      const session = await signIn(tenkey, key);
      const token = session.cookie.slice('tenkey_session='.length);
      tokens.push(token);
      await as(session, 'get', '/tenants');
      await as(session, 'post', '/tenants').send({ name: token });
      await as(session, 'get', `/${token}?token=${token}`);
      await as(session, 'get', '/tenants').set({ 'x-request-id': token, 'x-client-request-id': token });
      await as({ ...session, cookie: `${session.cookie}x` }, 'delete', '/session');
    }
    const secrets = [...tokens.map((token) => token.slice(16)), superKey, scoped.key.slice(16)];
    const spellings = secrets.flatMap((secret) =>
      [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64').slice(0, -3)].map(
        (text) => text.toLowerCase(),
      ),
    );
    const found = (text: string) => spellings.filter((each) => text.toLowerCase().includes(each)).length;
    expect(found(tokens[0]!)).toBe(1);
    const tables: { name: string }[] = await tenkey.database.query(
      "select format('%I', tablename) as name from pg_tables where schemaname = 'public'",
    );
    expect(tables.map(({ name }) => name)).toContain('sysadmin_sessions');
    for (const { name } of tables) {
      const rows: { text: string }[] = await tenkey.database.query(`select t::text as text from ${name} t`);
      expect([name, rows.reduce((sum, { text }) => sum + found(text), 0)]).toEqual([name, 0]);
    }
    expect(tenkey.logLines.reduce((sum, line) => sum + found(line), 0)).toBe(0);

    const [row] = await tenkey.database.query(
      'select token_hash, key_proof, scopes, sysadmin_key_id from sysadmin_sessions where id = $1',
      [tokens[0]!.split('_')[1]],
    );
    expect([row.scopes, row.sysadmin_key_id]).toEqual([null, null]);
    expect(row.token_hash).toBe(createHash('sha256').update(tokens[0]!).digest('hex'));
    const hmac = (key: string | Buffer) => createHmac('sha256', key).update(superKey).digest('hex');
    expect(row.key_proof).toBe(hmac(tokens[0]!.split('_')[2]!));
    // What the row itself contains is no key of the HMAC. A key of more than 64 characters would be replaced by its hash.
    for (const known of [row.token_hash as string, Buffer.from(row.token_hash as string, 'hex'), '']) {
      expect(row.key_proof).not.toBe(hmac(known));
    }
  });

  it('has exactly one origin, or the database refuses it', async () => {
    const { id } = await issueSysadminKey(tenkey, { scopes: ['tenants:read'] });
    const insert = (keyId: string | null, scopesText: string | null, proof: string | null) =>
      tenkey.database.query(
        `insert into sysadmin_sessions values ($1, 'hash', $2, $3::text[], $4, now(), now(), now())`,
        [randomUUID(), keyId, scopesText, proof],
      );
    const wrong: [string | null, string | null, string | null][] = [
      [null, null, null],
      [id, null, null],
      [id, '{}', 'proof'],
      [null, '{}', 'proof'],
    ];
    for (const origin of wrong) {
      await expect(insert(...origin)).rejects.toThrow('sysadmin_sessions_origin');
    }
    await expect(insert('no-such-key', '{}', null)).rejects.toThrow('foreign key');
  });

  it('of any key opens no route of the platform API', async () => {
    const session = await signIn(tenkey);
    const tenant = await tenkey.createTenant();
    const answer = await tenkey
      .http()
      .get('/v1/models')
      .set({ ...session, 'x-tenant-id': tenant });
    expect(answer.status).toBe(401);
    const { key } = await issueTenantKey(tenkey, tenant);
    expect((await tenkey.http().post(url).set('X-API-Key', key)).status).toBe(401);
    const token = session.cookie.slice('tenkey_session='.length);
    for (const headers of [{ 'x-api-key': token }, { authorization: `Bearer ${token}` }]) {
      for (const path of ['/api/v1/sysadmin/tenants', '/api/v1/sysadmin/metrics', '/v1/models'])
        expect([path, (await tenkey.http().get(path).set(headers)).status]).toEqual([path, 401]);
    }
  });
});
