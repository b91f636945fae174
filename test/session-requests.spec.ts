import { request as httpRequest } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { RefusedAttemptsService } from '#audit';
import { issueKey } from '../libs/issued-keys/issued-key';
import { describeWithApp, startTestApp, superKey, type TestApp } from './support/app';
import { issueSysadminKey, sessionIdOf, type SignedIn, signIn } from './support/keys';
import { createTestDatabase, type TestDatabase } from './support/postgres';
import { until } from './support/until';

const root = '/api/v1/sysadmin';
const otherSuperKey = 'another-super-key-71c3f08a';

describeWithApp('a request with a session', (tenkey) => {
  const statusOf = async (method: 'get' | 'post', path: string, headers: Record<string, string>) => {
    const { status, body } = await tenkey
      .http()
      [method](root + path)
      .set(headers)
      .send();
    return status === 403 ? `403 ${body.detail}` : status;
  };

  const noHeader = '403 A change with a session needs the header X-Tenkey-Console.';
  const otherSite =
    '403 A page of another origin made this request, and a session is for the pages of Tenkey itself.';
  it.each<[Record<string, string>, number | string, number | string]>([
    [{ 'x-tenkey-console': '1' }, 200, 422],
    [{ 'x-tenkey-console': '1', 'sec-fetch-site': 'same-origin' }, 200, 422],
    [{ 'x-tenkey-console': '1', 'sec-fetch-site': 'none' }, 200, 422],
    // A link to a download cannot send the header.
    [{}, 200, noHeader],
    [{ 'sec-fetch-site': 'same-origin' }, 200, noHeader],
    [{ 'sec-fetch-site': 'none' }, 200, noHeader],
    [{ 'x-tenkey-console': '' }, 200, noHeader],
    [{ 'x-tenkey-console': '0' }, 200, noHeader],
    [{ 'x-tenkey-console': '1, 1' }, 200, noHeader],
    [{ 'x-tenkey-console': 'true', 'content-type': 'text/plain' }, 200, noHeader],
    [{ 'x-tenkey-console': '1', 'sec-fetch-site': 'cross-site' }, otherSite, otherSite],
    [{ 'x-tenkey-console': '1', 'sec-fetch-site': 'same-site' }, otherSite, otherSite],
    [{ 'x-tenkey-console': '1', 'sec-fetch-site': 'same-origin, cross-site' }, otherSite, otherSite],
    [{ 'x-tenkey-console': '1', 'sec-fetch-site': 'Same-Origin' }, otherSite, otherSite],
    [{ 'x-tenkey-console': '1', 'sec-fetch-site': '' }, otherSite, otherSite],
  ])('and %j is answered as one of the console, or refused', async (headers, reads, changes) => {
    const { cookie } = await signIn(tenkey);
    expect(await statusOf('get', '/usage?format=csv', { cookie, ...headers })).toBe(reads);
    expect(await statusOf('post', '/tenants', { cookie, ...headers })).toBe(changes);
    // With a key, none of these headers counts.
    const key = { 'x-api-key': superKey, cookie };
    expect(await statusOf('get', '/tenants', { ...headers, ...key })).toBe(200);
    const { 'content-type': _, ...others } = headers;
    expect(await statusOf('post', '/tenants', { ...others, ...key })).toBe(422);
  });

  it('gets no answer that another origin may read, nor is one allowed to ask', async () => {
    const session = await signIn(tenkey);
    const headers = { ...session, origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const preflight = await tenkey
      .http()
      .options(`${root}/tenants`)
      .set({ ...headers, 'access-control-request-headers': 'x-tenkey-console' });
    const read = await tenkey.http().get(`${root}/tenants`).set(headers);
    for (const answer of [preflight, read]) {
      const names = Object.keys(answer.headers).filter((name) => name.startsWith('access-control'));
      expect(names).toEqual([]);
    }
    expect(preflight.ok).toBe(false);
  });

  it('and a key is answered for the key, whatever the session is', async () => {
    const { id, key } = await issueSysadminKey(tenkey, { name: 'reader', scopes: ['tenants:read'] });
    const session = await signIn(tenkey);
    const both = { ...session, 'x-api-key': key };
    const shown = await tenkey.http().get(`${root}/session`).set(both);
    expect(shown.body).toMatchObject({ actor: `sysadmin-key reader ${id}`, super: false, expires_at: null });
    expect(await statusOf('get', '/keys', both)).toMatch(/^403 Only the super key/);
    expect(await statusOf('get', '/tenants', { ...session, 'x-api-key': 'a-wrong-key-1234' })).toBe(401);
    expect(await statusOf('get', '/tenants', { ...session, 'x-api-key': '' })).toBe(401);
    expect(await statusOf('get', '/tenants', { 'x-api-key': superKey, cookie: 'tenkey_session=x' })).toBe(
      200,
    );
    // A proxy in front of the console may ask for a password or a token of its own.
    for (const authorization of ['Basic dXNlcjpwYXNz', 'Bearer of.another.service'])
      expect(await statusOf('get', '/tenants', { ...session, authorization })).toBe(200);
    // Where a bearer is a key, it decides.
    expect(await statusOf('get', '/metrics', { ...session, authorization: 'Bearer wrong' })).toBe(401);
    expect(await statusOf('get', '/metrics', { ...session })).toBe(200);
    // The browser forgets the cookie, so its session ends too.
    expect((await tenkey.http().delete(`${root}/session`).set(both)).status).toBe(204);
    expect(await statusOf('get', '/session', { ...session })).toBe(401);
  });

  it('is answered as soon as a Cookie header of any form has the session, and is refused in our form otherwise', async () => {
    const { cookie } = await signIn(tenkey);
    const token = cookie.slice('tenkey_session='.length);
    for (const [header, status] of [
      [`a=b; ${cookie}; c=d`, 200],
      [`tenkey_session="${token}"`, 200],
      [`${'a=b; '.repeat(2000)}${cookie}`, 200],
      [`${';'.repeat(10_000)}${cookie}`, 200],
      [`tenkey_session=${token.slice(0, -1)}`, 401],
      [`tenkey_session=${token}0`, 401],
      [`tenkey_session=${encodeURIComponent(`${token} `)}`, 401],
      [`tenkey_session=${'x'.repeat(12_000)}`, 401],
      [`tenkey_session=tkc_${'0'.repeat(11)}_${'0'.repeat(49)}`, 401],
      [`tenkey_session=${superKey}`, 401],
      [`x-api-key=${superKey}; tenkey_session=`, 401],
      ['tenkey_session=\u00e5\u00e4\u00f6', 401],
      [`; =; ;;; ${token}`, 401],
    ] as const) {
      const answer = await tenkey.http().get(`${root}/tenants`).set('cookie', header);
      expect([header.slice(0, 40), answer.status]).toEqual([header.slice(0, 40), status]);
      if (status === 401) expect(answer.body.code).toBe('unauthenticated');
    }
  });

  it('that has ended is no guess of a key: it is not throttled, and reading with it is not audited', async () => {
    const throttled = await startTestApp({ WRONG_KEYS_PER_MINUTE: '3' });
    try {
      const session = await signIn(throttled);
      const ended = await signIn(throttled);
      await throttled
        .http()
        .delete(`${root}/session`)
        .set({ ...ended });
      const refused = async () => {
        await throttled.nest.get(RefusedAttemptsService).written();
        const { body } = await throttled.sysadmin('get', '/audit-events?outcome=refused&limit=1000');
        return body.items.map(({ actor, action }: any) => [actor, action]).reverse();
      };
      const get = (headers: object) =>
        throttled
          .http()
          .get(`${root}/tenants`)
          .set({ ...headers });
      for (let each = 0; each < 10; each += 1) {
        expect((await get(ended)).status).toBe(401);
        const forged = { cookie: `tenkey_session=${issueKey('tkc').text.expose()}` };
        expect((await get(forged)).status).toBe(401);
      }
      expect(await refused()).toEqual([]);
      const logged = throttled.logLines.filter((line) => line.includes('"status":401'));
      expect(logged.length).toBe(20);

      // A change that is refused is recorded, and so is what is no session.
      await throttled
        .http()
        .post(`${root}/tenants`)
        .set({ ...ended })
        .send({ name: 'a' });
      await get({ cookie: 'tenkey_session=of-another-kind' });
      const wrongKey = { ...ended, 'x-api-key': 'a-wrong-key-with-an-ended-session' };
      for (let each = 0; each < 3; each += 1) await get(wrongKey);
      expect(await refused()).toEqual([
        [`session ${sessionIdOf(ended)} (not accepted)`, `POST ${root}/tenants`],
        ['nobody', `GET ${root}/tenants`],
        [`session ${sessionIdOf(ended)} (not accepted)`, `GET ${root}/tenants`],
        [`session ${sessionIdOf(ended)} (not accepted)`, `GET ${root}/tenants`],
      ]);
      // The address is throttled now, and an open session is not affected.
      expect((await get({ 'x-api-key': 'one-wrong-key-more' })).status).toBe(429);
      expect((await get(session)).status).toBe(200);
      expect((await get(ended)).status).toBe(401);
    } finally {
      await throttled.close();
    }
  });

  it('from another site is recorded for the key of the session', async () => {
    const { id, key } = await issueSysadminKey(tenkey, { name: 'writer', scopes: ['tenants:write'] });
    const { cookie } = await signIn(tenkey, key);
    const headers = { cookie, 'sec-fetch-site': 'cross-site' };
    await tenkey.http().post(`${root}/tenants`).set(headers).send({ name: 'of-another-site' });
    await tenkey.nest.get(RefusedAttemptsService).written();
    const { body } = await tenkey.sysadmin('get', `/audit-events?actor=sysadmin-key writer ${id}`);
    expect(body.items.map(({ action, details }: any) => [action, details.code])).toEqual([
      [`POST ${root}/tenants`, 'forbidden'],
      ['session.create', undefined],
    ]);
    expect((await tenkey.sysadmin('get', '/tenants?search=of-another-site')).body.total).toBe(0);
  });
});

describe('a session in two processes on one database', () => {
  let database: TestDatabase;
  let here: TestApp;
  let there: TestApp;
  beforeAll(async () => {
    database = await createTestDatabase();
    const both = `${superKey},${otherSuperKey}`;
    here = await startTestApp({ INTRIC_SUPER_API_KEY: both }, { databaseUrl: database.url });
    there = await startTestApp({}, { databaseUrl: database.url });
  });
  afterAll(async () => {
    await here.close();
    await there.close();
    await database.drop();
  });
  const statusOf = async (tenkey: TestApp, session: SignedIn) =>
    (
      await tenkey
        .http()
        .get(`${root}/session`)
        .set({ ...session })
    ).status;

  it('is open in both, and ends in both when it is signed out or its key is revoked in one', async () => {
    const { id, key } = await issueSysadminKey(here, { scopes: ['tenants:read'] });
    const [ofSuper, ofKey] = [await signIn(here), await signIn(there, key)];
    for (const tenkey of [here, there])
      expect([await statusOf(tenkey, ofSuper), await statusOf(tenkey, ofKey)]).toEqual([200, 200]);
    expect(
      (
        await there
          .http()
          .delete(`${root}/session`)
          .set({ ...ofSuper })
      ).status,
    ).toBe(204);
    expect([await statusOf(here, ofSuper), await statusOf(there, ofSuper)]).toEqual([401, 401]);
    await there.sysadmin('delete', `/keys/${id}`);
    expect([await statusOf(here, ofKey), await statusOf(there, ofKey)]).toEqual([401, 401]);
  });

  it('is open only where its super key is configured, and names it', async () => {
    const session = await signIn(here, otherSuperKey);
    expect([await statusOf(here, session), await statusOf(there, session)]).toEqual([200, 401]);
    const [one, other] = [await signIn(here), session];
    const actors = [];
    for (const each of [one, other])
      actors.push(
        (
          await here
            .http()
            .get(`${root}/session`)
            .set({ ...each })
        ).body.actor,
      );
    expect(new Set(actors).size).toBe(2);
  });

  it.each(['signed out', 'revoked', 'idle'])(
    'that is %s while a body arrives changes nothing',
    async (how) => {
      const { id, key } = await issueSysadminKey(here, { scopes: ['tenants:write'] });
      const session = await signIn(here, key);
      const { port } = here.nest.getHttpServer().address() as { port: number };
      const name = `too-late-${randomUUID()}`;
      const body = JSON.stringify({ name });
      const request = httpRequest({
        port,
        path: `${root}/tenants`,
        method: 'POST',
        headers: { ...session, 'content-type': 'application/json', 'content-length': body.length },
      });
      const answer = new Promise<[number | undefined, unknown]>((resolve, reject) => {
        request
          .once('error', reject)
          .once('response', (response) =>
            resolve([response.resume().statusCode, response.headers['set-cookie']]),
          );
      });
      const own = 'where id = $1';
      const isUsed = async () =>
        (
          await here.database.query(
            `select 1 from sysadmin_sessions ${own} and last_used_at > now() - interval '1 minute'`,
            [sessionIdOf(session)],
          )
        ).length === 1;
      await here.database.query(
        `update sysadmin_sessions set last_used_at = now() - interval '5 minutes' ${own}`,
        [sessionIdOf(session)],
      );
      request.flushHeaders();
      await until(isUsed, 'the first look-up');
      if (how === 'signed out')
        await there
          .http()
          .delete(`${root}/session`)
          .set({ ...session });
      if (how === 'revoked') await there.sysadmin('delete', `/keys/${id}`);
      if (how === 'idle')
        await here.database.query(
          "update sysadmin_sessions set last_used_at = now() - interval '33 minutes' where id = $1",
          [sessionIdOf(session)],
        );
      await wait(1000);
      request.end(body);
      expect(await answer).toEqual([401, [expect.stringContaining('Max-Age=0')]]);
      expect((await here.sysadmin('get', `/tenants?search=${name}`)).body.total).toBe(0);
    },
  );
});

describe('a session behind PUBLIC_URL', () => {
  it('has a cookie for its path, over https only, also when it is forgotten', async () => {
    const tenkey = await startTestApp({ PUBLIC_URL: 'https://platform.example/tenkey/' });
    try {
      const made = await tenkey.sysadmin('post', '/session');
      const attributes = (maxAge: number) =>
        `; Path=/tenkey; Max-Age=${maxAge}; HttpOnly; SameSite=Strict; Secure`;
      const [cookie = ''] = made.headers['set-cookie'] as unknown as string[];
      expect(cookie.slice(cookie.indexOf(';'))).toBe(attributes(43_200));
      const session = { cookie: cookie.split(';')[0]!, 'x-tenkey-console': '1' };
      const gone = await tenkey.http().delete(`${root}/session`).set(session);
      const ended = await tenkey.http().get(`${root}/session`).set(session);
      for (const { headers } of [gone, ended])
        expect(headers['set-cookie']).toEqual([`tenkey_session=${attributes(0)}`]);
    } finally {
      await tenkey.close();
    }
  });
});

describe('a session while the database is unavailable', () => {
  it('is neither refused nor forgotten: the response is 503', async () => {
    const tenkey = await startTestApp();
    const session = await signIn(tenkey);
    await tenkey.database.destroy();
    for (const [headers, status, code] of [
      [session, 503, 'credential_store_unavailable'],
      [{ cookie: 'tenkey_session=no-token' }, 401, 'unauthenticated'],
    ] as const) {
      const answer = await tenkey
        .http()
        .get(`${root}/session`)
        .set({ ...headers });
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      if (status === 503) expect(answer.headers['set-cookie']).toBeUndefined();
    }
    const out = await tenkey
      .http()
      .delete(`${root}/session`)
      .set({ ...session });
    expect([out.status, out.headers['set-cookie']]).toEqual([503, undefined]);
    await tenkey.nest.close().catch(() => undefined);
    await tenkey.provider.close();
  });
});
