import { setTimeout as wait } from 'node:timers/promises';
import { describeWithApp, startTestApp } from './support/app';
import { until } from './support/until';

const keys = {
  a: 'sk-first-key-of-the-tenant-aaaa',
  b: 'sk-second-key-of-the-tenant-bbbb',
  c: 'sk-third-key-of-the-tenant-cccc',
};

describeWithApp('a promotion', (tenkey) => {
  let tenant: string;
  beforeEach(async () => {
    tenkey.provider.reset();
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: keys.a });
  });

  const path = (suffix = '') => `/tenants/${tenant}/credentials/openai${suffix}`;
  const put = (api_key: string, query = '', app = tenkey) =>
    app.sysadmin('put', path(query)).send({ api_key });
  const post = (suffix: string, app = tenkey) => app.sysadmin('post', path(suffix));
  const promoted = async (api_key: string, app = tenkey) => {
    expect((await put(api_key, '?stage=true', app)).status).toBe(200);
    const answer = await post('/promote', app);
    expect(answer.status).toBe(200);
    return answer.body;
  };
  const listed = async (app = tenkey) =>
    (await app.sysadmin('get', `/tenants/${tenant}/credentials`)).body.credentials[0];
  const usedKey = async () => {
    expect((await tenkey.chat(tenant)).status).toBe(200);
    return tenkey.provider.requests.at(-1)?.key;
  };
  /** Moves the time of the promotion back. The seal does not cover this column. */
  const hoursAgo = (hours: number, app = tenkey) =>
    app.database.query(
      `UPDATE credential_slots SET replaced_at = now() - make_interval(mins => $2)
       WHERE tenant_id = $1 AND slot = 'previous'`,
      [tenant, Math.round(hours * 60)],
    );
  const stored = (app = tenkey): Promise<{ slot: string; mask: string }[]> =>
    app.database.query(
      `SELECT 'live' AS slot, key_hint AS mask FROM tenant_credentials WHERE tenant_id = $1
       UNION ALL SELECT slot, key_hint FROM credential_slots WHERE tenant_id = $1 ORDER BY 1`,
      [tenant],
    );
  const healthOf = (version: string) =>
    tenkey.database.query(
      'SELECT outcome, rejections FROM credential_health WHERE tenant_id = $1 AND version = $2',
      [tenant, version],
    );

  it('is rolled back: the previous key is live again with its version, and the other is staged', async () => {
    const first = await listed();
    const second = await promoted(keys.b);
    const answer = await post('/rollback');
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        tenant_id: tenant,
        provider: 'openai',
        masked_key: '...aaaa',
        version: first.version,
        verification: null,
        replaced: { masked_key: '...bbbb', version: second.version, slot: 'staged' },
        rollback_until: null,
        message: 'The OpenAI (openai) credential ...aaaa is live again. ...bbbb is staged.',
      },
    ]);
    expect(await usedKey()).toBe(keys.a);
    expect(await listed()).toMatchObject({
      ...first,
      staged: { masked_key: '...bbbb', version: second.version, status: 'ready' },
      previous: null,
    });
    const again = await post('/rollback');
    expect([again.status, again.body.code]).toEqual([409, 'credential_conflict']);
    expect((await post('/promote')).body.version).toBe(second.version);
    expect(await usedKey()).toBe(keys.b);
    expect((await post('/rollback')).body.version).toBe(first.version);
  });

  it('keeps what is known of each version in whatever slot, and no longer', async () => {
    const { version: first } = await listed();
    await post('/verify');
    const { version: second } = await promoted(keys.b);
    tenkey.provider.rejectKey(keys.b);
    expect((await post('/verify')).body.outcome).toBe('rejected');
    expect((await listed()).previous).toMatchObject({ verification: { outcome: 'accepted' } });
    tenkey.provider.next({ status: 429 });
    expect((await post('/verify?slot=previous')).body).toMatchObject({ outcome: 'quota', version: first });
    await post('/rollback');
    expect(await listed()).toMatchObject({
      status: 'ready',
      verification: { outcome: 'quota' },
      staged: { status: 'rejected', rejection: { count: 1 } },
    });
    // The provider refused this key in a call; moving it to another slot does not change that.
    expect((await post('/promote')).body.code).toBe('credential_rejected');
    expect([await healthOf(first), await healthOf(second)]).toEqual([
      [{ outcome: 'quota', rejections: 0 }],
      [{ outcome: 'rejected', rejections: 1 }],
    ]);
    await put(keys.c, '?stage=true');
    expect([(await healthOf(first)).length, await healthOf(second)]).toEqual([1, []]);
    await put(keys.c);
    expect(await healthOf(first)).toEqual([]);
  });

  it('can be repeated when the provider has accepted the key in calls since it refused it', async () => {
    const { version } = await promoted(keys.b);
    tenkey.provider.rejectKey(keys.b);
    expect((await post('/verify')).body.outcome).toBe('rejected');
    tenkey.provider.reset();
    expect(await usedKey()).toBe(keys.b);
    await until(async () => {
      // A call notes its success only once its process knows of the rejection, and nobody waits for that.
      await usedKey();
      return (await listed()).status !== 'rejected';
    }, 'the success that clears the refusal');
    await post('/rollback');
    expect((await listed()).staged).toMatchObject({ status: 'ready', version });
    expect((await post('/promote')).body).toMatchObject({ version });
  });

  it('is rolled back even to a key that the provider refused, and the response says so', async () => {
    tenkey.provider.rejectKey(keys.a);
    await post('/verify');
    await promoted(keys.b);
    const { status, body } = await post('/rollback');
    expect([status, body.message]).toEqual([200, expect.stringContaining('OpenAI rejected it')]);
  });

  it('discards the key that was rolled back when another is staged already, and the response says so', async () => {
    await promoted(keys.b);
    await put(keys.c, '?stage=true');
    const { body } = await post('/rollback');
    expect(body.replaced).toMatchObject({ masked_key: '...bbbb', slot: null });
    expect(body.message).toContain('...bbbb is deleted: ...cccc is staged already.');
    expect(await stored()).toEqual([
      { slot: 'live', mask: '...aaaa' },
      { slot: 'staged', mask: '...cccc' },
    ]);
    const audit = await tenkey.sysadmin(
      'get',
      `/audit-events?tenant_id=${tenant}&action=credential.rollback`,
    );
    expect(audit.body.items[0].details).toMatchObject({
      rolled_back: 'dropped',
      before: { mask: '...bbbb' },
    });
  });

  it('after a promotion can be rolled back to its own previous key and no further', async () => {
    await promoted(keys.b);
    const second = await promoted(keys.c);
    expect(second.replaced).toMatchObject({ masked_key: '...bbbb', slot: 'previous' });
    expect(await stored()).toEqual([
      { slot: 'live', mask: '...cccc' },
      { slot: 'previous', mask: '...bbbb' },
    ]);
    const audit = await tenkey.sysadmin('get', `/audit-events?tenant_id=${tenant}&action=credential.promote`);
    expect(audit.body.items[0].details.dropped).toMatchObject({ previous: { mask: '...aaaa' } });
    expect((await post('/rollback')).body.masked_key).toBe('...bbbb');
  });

  it('is not rolled back after its time has expired, and the response says when that was', async () => {
    const { rollback_until } = await promoted(keys.b);
    await hoursAgo(71.9);
    expect(Date.parse((await listed()).previous.rollback_until)).toBeLessThan(Date.parse(rollback_until));
    await hoursAgo(72.1);
    expect((await listed()).previous).toBeNull();
    const late = await post('/rollback');
    expect([late.status, late.body.code]).toEqual([409, 'credential_conflict']);
    expect(late.body.detail).toMatch(
      /\.\.\.aaaa, could be rolled back to until \d{4}-.*CREDENTIAL_ROLLBACK_HOURS/,
    );
    expect(late.body.hint).toContain(`PUT /api/v1/sysadmin${path()}`);
    expect((await post('/verify?slot=previous')).body.code).toBe('credential_conflict');
    expect(await usedKey()).toBe(keys.b);
    await hoursAgo(71.9);
    expect((await post('/rollback')).status).toBe(200);
  });

  it.each([
    ['a staging', () => put(keys.c, '?stage=true'), 'stage', ['live ...bbbb', 'staged ...cccc']],
    ['a promotion', () => promoted(keys.c), 'stage', ['live ...cccc', 'previous ...bbbb']],
    ['a PUT', () => put(keys.c), 'set', ['live ...cccc']],
  ] as const)(
    'leaves no key behind after its time has expired, at %s',
    async (_what, change, action, left) => {
      await promoted(keys.b);
      await hoursAgo(73);
      await change();
      expect((await stored()).map(({ slot, mask }) => `${slot} ${mask}`)).toEqual(left);
      const audit = await tenkey.sysadmin('get', `/audit-events?tenant_id=${tenant}`);
      const dropped = audit.body.items.filter(({ details }: any) => details.dropped);
      expect(dropped).toMatchObject([{ details: { dropped: { previous: { mask: '...aaaa' } } } }]);
      expect(dropped[0].action).toBe(`credential.${action}`);
    },
  );

  it('leaves no key behind after its time has expired when the staged key is discarded', async () => {
    await promoted(keys.b);
    await put(keys.c, '?stage=true');
    await hoursAgo(73);
    expect((await tenkey.sysadmin('delete', path('?slot=staged'))).body.deleted).toBe(true);
    expect(await stored()).toEqual([{ slot: 'live', mask: '...bbbb' }]);
    const audit = await tenkey.sysadmin('get', `/audit-events?tenant_id=${tenant}&action=credential.discard`);
    expect(audit.body.items).toMatchObject([
      {
        details: { slot: 'staged', before: { mask: '...cccc' }, dropped: { previous: { mask: '...aaaa' } } },
      },
    ]);
  });

  it('leaves nothing behind after its time has expired, at a start and every hour, and the audit says so', async () => {
    const setsInterval = jest.spyOn(global, 'setInterval');
    const { version: first } = await listed();
    await post('/verify');
    await promoted(keys.b);
    const young = await tenkey.createTenant();
    await tenkey.setCredential(young, 'openai', { api_key: keys.a });
    await tenkey.sysadmin('put', `/tenants/${young}/credentials/openai?stage=true`).send({ api_key: keys.b });
    await tenkey.sysadmin('post', `/tenants/${young}/credentials/openai/promote`);
    await hoursAgo(73);
    // A call may write this row at the moment when its version is deleted.
    await tenkey.edit(
      `INSERT INTO credential_health (tenant_id, provider, version, rejections) VALUES ($1, 'openai', $2, 1)`,
      [young, first],
    );
    const swept = async () => {
      await until(async () => (await stored()).length <= 1, 'the sweep');
      expect(await stored()).toEqual([{ slot: 'live', mask: '...bbbb' }]);
    };
    const starts = await Promise.all([1, 2].map(() => startTestApp({}, { databaseUrl: tenkey.databaseUrl })));
    try {
      await swept();
      expect(await healthOf(first)).toEqual([]);
      const known = () =>
        tenkey.database.query('SELECT 1 FROM credential_health WHERE tenant_id = $1', [young]);
      await until(async () => (await known()).length === 0, 'the sweep of what is known of a key');
      const [left] = await tenkey.database.query(
        `SELECT count(*)::int AS count FROM credential_slots WHERE tenant_id = $1 AND slot = 'previous'`,
        [young],
      );
      expect(left.count).toBe(1);
      const hourly = setsInterval.mock.calls.filter(([, ms]) => ms === 3_600_000);
      await put(keys.a);
      await promoted(keys.b);
      await hoursAgo(73);
      for (const [tick] of hourly) tick();
      await swept();
      await wait(300);
      const audit = await tenkey.sysadmin(
        'get',
        `/audit-events?tenant_id=${tenant}&action=credential.discard`,
      );
      // One event for each sweep, although two processes swept at the same time.
      expect(audit.body.items).toMatchObject([
        { actor: 'tenkey', details: { slot: 'previous', before: { mask: '...aaaa' } } },
        { actor: 'tenkey', details: { slot: 'previous', before: { mask: '...aaaa' } } },
      ]);
    } finally {
      setsInterval.mockRestore();
      for (const app of starts) await app.close();
    }
  });

  it('is either rolled back or cleaned up when both happen at once', async () => {
    await promoted(keys.b);
    await hoursAgo(73);
    const generous = await startTestApp(
      { CREDENTIAL_ROLLBACK_HOURS: '100' },
      { databaseUrl: tenkey.databaseUrl },
    );
    const holding = tenkey.database.createQueryRunner();
    await holding.startTransaction();
    await holding.query('SELECT 1 FROM tenants WHERE id = $1 FOR UPDATE', [tenant]);
    try {
      const rollingBack = Promise.resolve(post('/rollback', generous));
      const sweeping = await startTestApp({}, { databaseUrl: tenkey.databaseUrl });
      const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      while ((await tenkey.database.query<unknown[]>(waiting)).length < 2) await wait(10);
      await holding.commitTransaction();
      const { status } = await rollingBack;
      await sweeping.close();
      const left = (await stored()).map(({ slot, mask }) => `${slot} ${mask}`);
      expect(left).toEqual(status === 200 ? ['live ...aaaa', 'staged ...bbbb'] : ['live ...bbbb']);
    } finally {
      await holding.release();
      await generous.close();
    }
  });

  it('cannot be rolled back after a PUT, which says so, nor after a DELETE', async () => {
    await promoted(keys.b);
    const answer = await put(keys.c);
    expect(answer.body.message).toContain(
      '...aaaa, from before the last promotion, can no longer be rolled back to.',
    );
    expect((await post('/rollback')).body.code).toBe('credential_conflict');
    expect(await usedKey()).toBe(keys.c);
    await promoted(keys.b);
    await tenkey.sysadmin('delete', path());
    expect((await post('/rollback')).body.code).toBe('credential_conflict');
    expect(await stored()).toEqual([]);
  });

  it('keeps the previous key no longer than wanted: it can be discarded at once', async () => {
    await promoted(keys.b);
    const discard = () => tenkey.sysadmin('delete', path('?slot=previous'));
    expect((await discard()).body).toMatchObject({ deleted: true });
    expect((await discard()).body).toMatchObject({ deleted: false });
    expect((await post('/rollback')).body.code).toBe('credential_conflict');
    expect(await usedKey()).toBe(keys.b);
  });

  it('keeps nothing with CREDENTIAL_ROLLBACK_HOURS=0', async () => {
    const none = await startTestApp(
      { CREDENTIAL_ROLLBACK_HOURS: '0', OPENAI_BASE_URL: `${tenkey.provider.url}/v1` },
      { databaseUrl: tenkey.databaseUrl },
    );
    try {
      const answer = await promoted(keys.b, none);
      expect(answer).toMatchObject({ replaced: { masked_key: '...aaaa', slot: null }, rollback_until: null });
      expect(answer.message).toContain('...aaaa is deleted: CREDENTIAL_ROLLBACK_HOURS is 0.');
      expect(await stored()).toEqual([{ slot: 'live', mask: '...bbbb' }]);
      expect((await post('/rollback', none)).body.code).toBe('credential_conflict');
      expect((await listed(none)).previous).toBeNull();
    } finally {
      await none.close();
    }
  });

  describe('of a row that was changed outside Tenkey', () => {
    const sql = (table: string, change: string, where = '') =>
      tenkey.database.query(`UPDATE ${table} SET ${change} WHERE tenant_id = $1 ${where}`, [tenant]);

    it.each([
      [`sealed_api_key = 'sk-in-clear'`, 'it was stored in clear text'],
      [`key_hint = '...zzzz'`, 'it was changed outside Tenkey'],
    ])('replaces the row, and keeps no part of the old one (%s)', async (change, why) => {
      await sql('tenant_credentials', change);
      const answer = await promoted(keys.b);
      expect(answer.message).toContain(`is deleted: ${why}.`);
      expect(await stored()).toEqual([{ slot: 'live', mask: '...bbbb' }]);
      expect(await usedKey()).toBe(keys.b);
    });

    it.each([
      [`sealed_api_key = 'sk-in-clear'`, 'credential_plaintext'],
      [`key_hint = '...zzzz'`, 'credential_tampered'],
      [`settings = '{"endpoint":"https://evil.example"}'`, 'credential_tampered'],
      [`key_id = 'abcdefabcdef'`, 'credential_unreadable'],
    ])('is not rolled back to it (%s: %s)', async (change, code) => {
      await promoted(keys.b);
      await sql('credential_slots', change, `AND slot = 'previous'`);
      const answer = await post('/rollback');
      expect([answer.status, answer.body.code]).toEqual([424, code]);
      expect(answer.body.detail).toContain('The previous OpenAI credential');
      expect(await usedKey()).toBe(keys.b);
    });
  });
});
