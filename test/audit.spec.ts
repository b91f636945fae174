import { createHash, randomUUID } from 'node:crypto';
import { type Response } from 'supertest';
import { AuditLogService, RefusedAttemptsService } from '#audit';
import { canonicalJson, FernetService, generateKey, Secret } from '#crypto';
import { describeWithApp, encryptionKey, startTestApp, superKey, type TestApp } from './support/app';

const actor = `super-key sha256:${createHash('sha256').update(superKey).digest('hex').slice(0, 8)}`;

const asText = (response: Response, done: (error: null, text: string) => void) => {
  let text = '';
  response.on('data', (part) => (text += String(part)));
  response.on('end', () => done(null, text));
};

describeWithApp('the audit', (tenkey) => {
  const events = async (query = ''): Promise<any[]> =>
    (await tenkey.sysadmin('get', `/audit-events${query}`).expect(200)).body.items;
  const verify = () => tenkey.nest.get(AuditLogService).verify();

  it('records every change: who made it, what it was before and after, in which request, from where', async () => {
    const created = await tenkey.sysadmin('post', '/tenants').send({ name: 'audited' });
    const tenant: string = created.body.id;
    await tenkey.sysadmin('patch', `/tenants/${tenant}`).send({ state: 'suspended' });
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-audited-first-key-aaaa' });
    await tenkey.setCredential(tenant, 'openai', {
      api_key: 'sk-audited-second-key-bbbb',
      endpoint: 'https://llm.example.com/v1',
    });
    const removed = await tenkey.sysadmin('delete', `/tenants/${tenant}/credentials/openai`);
    await tenkey.sysadmin('delete', `/tenants/${tenant}/credentials/openai`);
    await tenkey.setCredential(tenant, 'vllm', { api_key: 'sk-audited-third-key-cccc' });
    await tenkey.sysadmin('delete', `/tenants/${tenant}`);
    const mine = (await events(`?tenant_id=${tenant}`)).reverse();
    expect(mine.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'tenant.create done',
      'tenant.update done',
      'credential.set done',
      'credential.set done',
      'credential.delete done',
      'credential.set done',
      'tenant.delete done',
    ]);
    const version = expect.stringMatching(/^\d+$/);
    const first = { mask: '...aaaa', version, settings: [] };
    const second = { mask: '...bbbb', version, settings: ['endpoint'] };
    expect(mine.map(({ details }) => details)).toEqual([
      { after: { name: 'audited', display_name: null, contact_email: null, state: 'active' } },
      {
        before: { name: 'audited', display_name: null, contact_email: null, state: 'active' },
        after: { name: 'audited', display_name: null, contact_email: null, state: 'suspended' },
      },
      { before: null, after: first },
      { before: first, after: second },
      { before: second },
      { before: null, after: { mask: '...cccc', version, settings: [] } },
      {
        before: {
          name: 'audited',
          display_name: null,
          contact_email: null,
          state: 'suspended',
          credentials: [{ provider: 'vllm', mask: '...cccc', version }],
          keys: [],
          sysadmin_keys: [],
        },
      },
    ]);
    for (const event of mine) {
      expect(event).toMatchObject({
        actor,
        tenant_id: tenant,
        address: expect.stringMatching(/127\.0\.0\.1/),
      });
    }
    expect(mine[4].request_id).toBe(removed.headers['x-tenkey-request-id']);
    expect(JSON.stringify(mine)).not.toMatch(/sk-audited|llm\.example/);
    expect((await verify()).faults).toEqual([]);
  });

  it('records nothing of a change that failed, and lets no change happen without an event', async () => {
    const before = (await events())[0].seq;
    const name = randomUUID();
    expect((await tenkey.sysadmin('post', '/tenants').send({ name })).status).toBe(201);
    expect((await tenkey.sysadmin('post', '/tenants').send({ name })).status).toBe(409);
    const done = (await events('?outcome=done')).filter(({ seq }) => BigInt(seq) > BigInt(before));
    expect(done).toHaveLength(1);
    await tenkey.database.query('alter table audit_head rename to audit_head_gone');
    try {
      const refused = await tenkey.sysadmin('post', '/tenants').send({ name: 'unaudited' });
      expect(refused.status).toBe(500);
      const tenant = (await tenkey.sysadmin('get', `/tenants?search=${name}`)).body.items[0].id;
      expect((await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-unaudited' })).status).toBe(500);
      expect((await tenkey.sysadmin('delete', `/tenants/${tenant}`)).status).toBe(500);
      expect((await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`)).body.credentials).toEqual([]);
    } finally {
      await tenkey.database.query('alter table audit_head_gone rename to audit_head');
    }
    expect((await tenkey.sysadmin('get', '/tenants?search=unaudited')).body.total).toBe(0);
    expect((await verify()).faults).toEqual([]);
  });

  it('records every refused attempt, a flood as a count, and never the key that was presented', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.http().get('/api/v1/sysadmin/tenants').set('X-API-Key', 'sentinel-wrong-key-0001');
    for (let each = 0; each < 20; each++) {
      await tenkey.http().get('/api/v1/sysadmin/tenants').set('X-API-Key', `sentinel-wrong-key-${each}`);
    }
    await tenkey.http().put('/api/v1/sysadmin/sentinel-path').set('X-API-Key', superKey);
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sentinel-ä' });
    await tenkey.setCredential(tenant, 'sentinel-provider', { api_key: 'sentinel-key-sentinel' });
    await tenkey.nest.get(RefusedAttemptsService).written();
    const refused = await events('?outcome=refused');
    expect(
      refused.find(({ details }) => details.code === 'unauthenticated' && !details.further_times),
    ).toMatchObject({
      actor: 'nobody',
      action: 'GET /api/v1/sysadmin/tenants',
      details: { status: 401 },
    });
    expect(refused.find(({ details }) => details.further_times)).toMatchObject({
      details: { further_times: 20 },
    });
    expect(
      refused
        .filter(({ tenant_id }) => tenant_id === tenant)
        .map(({ provider, details }) => [provider, details.code]),
    ).toEqual([
      [null, 'validation_failed'],
      ['openai', 'credential_validation_failed'],
    ]);
    expect(refused.find(({ action }) => action === 'PUT (no route)')).toMatchObject({ actor });
    expect(JSON.stringify(refused)).not.toContain('sentinel');
    expect((await verify()).faults).toEqual([]);
  });

  it('keeps one order when many changes are made at once', async () => {
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        const tenant = await tenkey.createTenant();
        await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-one-of-many-at-once' });
      }),
    );
    const { faults, events: count } = await verify();
    expect(faults).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(60);
  });

  it('is filtered, paged and exported completely', async () => {
    const all = await events('?limit=1000');
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await tenkey.sysadmin('get', `/audit-events?limit=7${cursor}`).expect(200);
      seen.push(...body.items.map(({ seq }: { seq: string }) => seq));
      cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
    } while (cursor !== '');
    expect(seen).toEqual(all.map(({ seq }) => seq));
    const exported = await tenkey.sysadmin('get', '/audit-events/export').buffer(true).parse(asText);
    expect(exported.headers['content-type']).toContain('application/x-ndjson');
    expect(
      String(exported.body)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(all);
    const at = all.at(-3).at;
    const early = await events(`?until=${encodeURIComponent(at)}`);
    expect(early.every((event) => event.at < at)).toBe(true);
    expect((await events(`?action=tenant.create&actor=${encodeURIComponent(actor)}`)).length).toBeGreaterThan(
      30,
    );
    for (const bad of [
      'since=yesterday',
      'since=2026-W01',
      'until=2026-02-30',
      'limit=0',
      'outcome=maybe',
      'cursor=x',
      'tenant_id=1',
      'action=%00',
      'actor=a%00b',
    ]) {
      for (const path of ['/audit-events', '/audit-events/export'])
        expect((await tenkey.sysadmin('get', `${path}?${bad}`)).body.code).toBe('validation_failed');
    }
  });

  it('cannot be changed in the database', async () => {
    for (const statement of [
      `update audit_events set actor = 'somebody else'`,
      'delete from audit_events',
      'truncate audit_events',
    ]) {
      await expect(tenkey.database.query(statement)).rejects.toThrow('append-only');
    }
    for (const seq of [0, -7]) {
      const copy = `insert into audit_events select * from jsonb_populate_record(null::audit_events, (select to_jsonb(e) || '{"seq":${seq}}' from audit_events e where seq = 1))`;
      await expect(tenkey.database.query(copy)).rejects.toThrow('audit_events_count_from_one');
    }
  });

  describe('when the owner of the database has disabled its trigger', () => {
    beforeAll(() =>
      tenkey.database.query('alter table audit_events drop constraint audit_events_count_from_one'),
    );
    const tamper = async (statement: string, ...parameters: unknown[]) => {
      await tenkey.database.query('alter table audit_events disable trigger all');
      await tenkey.database.query(statement, parameters);
      await tenkey.database.query('alter table audit_events enable trigger all');
    };
    /** Tampers with event 3 (and 4), verifies the chain, and undoes the change. The list and the export still have every event. */
    const foundAfter = async (statement: string, ...parameters: unknown[]) => {
      await tenkey.database.query('create table audit_copy as table audit_events');
      await tamper(statement, ...parameters);
      const { faults } = await verify();
      const [{ count }] = await tenkey.database.query('select count(*)::int from audit_events');
      expect(await events('?limit=1000')).toHaveLength(count);
      const exported = await tenkey.sysadmin('get', '/audit-events/export').buffer(true).parse(asText);
      expect(String(exported.body).trim().split('\n')).toHaveLength(count);
      await tamper('delete from audit_events');
      await tamper('insert into audit_events select * from audit_copy');
      await tenkey.database.query('drop table audit_copy');
      await tenkey.database.query(
        'update audit_head set (seq, hash) = (select seq, hash from audit_events order by seq desc limit 1)',
      );
      expect((await verify()).faults).toEqual([]);
      return faults.flatMap(({ seq, events = 1 }) =>
        Array.from({ length: events }, (_, each) => String(BigInt(seq) + BigInt(each))),
      );
    };

    it.each([
      [`update audit_events set actor = actor || ' ' where seq = 3`, ['3']],
      [`update audit_events set at = at + interval '1 millisecond' where seq = 3`, ['3']],
      [`update audit_events set action = 'tenant.update' where seq = 3`, ['3']],
      [`update audit_events set outcome = 'refused' where seq = 3`, ['3']],
      [`update audit_events set tenant_id = null where seq = 3`, ['3']],
      [`update audit_events set provider = '' where seq = 3`, ['3']],
      [`update audit_events set details = details || '{"x":1}' where seq = 3`, ['3']],
      [`update audit_events set request_id = '' where seq = 3`, ['3']],
      [`update audit_events set address = '10.0.0.1' where seq = 3`, ['3']],
      [`update audit_events set hash = '' where seq = 3`, ['3', '4']],
      [`delete from audit_events where seq = 3`, ['4']],
      [
        `update audit_events set seq = case seq when 3 then -4 else -3 end where seq in (3, 4)`,
        ['-4', '-3', '5'],
      ],
      [
        `insert into audit_events select * from jsonb_populate_recordset(null::audit_events,
           (select jsonb_agg(to_jsonb(e) || jsonb_build_object('seq', n)) from audit_events e, unnest('{-9223372036854775808,0}'::bigint[]) n where e.seq = 1))`,
        ['-9223372036854775808', '0'],
      ],
      [`update audit_events set at = at + interval '1 microsecond' where seq = 3`, ['3']],
      [`update audit_events set at = 'infinity' where seq = 3`, ['3']],
      [`update audit_events set at = '-infinity' where seq = 3`, ['3']],
      [`update audit_events set at = '290000-01-01' where seq = 3`, ['3']],
      [
        `update audit_events set details = replace(details::text, '"version": "', '"version": "0')::jsonb where seq = 3`,
        ['3'],
      ],
      [
        `update audit_events set details = (repeat('[', 5500) || repeat(']', 5500))::jsonb where seq = 3`,
        ['3'],
      ],
      [`update audit_events set details = 'null' where seq = 3`, ['3']],
      [
        `update audit_events set details = (repeat('{"a":', 5500) || '1' || repeat('}', 5500))::jsonb where seq = 3`,
        ['3'],
      ],
    ])('reveals the edit: %s', async (statement, expected) => {
      const found = await foundAfter(statement);
      expect(found).toEqual(expected);
    });

    it('reveals a number in the details that was changed by less than JavaScript can distinguish', async () => {
      const numbers = { status: 422, half: 0.5, tiny: 1e-7, huge: 1e21, text: '1.0', nothing: -0 };
      await tenkey.nest
        .get(AuditLogService)
        .refuse({ actor: 'a', requestId: 'r', address: 'x' }, { action: 'a', details: numbers });
      const { head, faults } = await verify();
      expect(faults).toEqual([]);
      const seq = head.split(':')[0]!;
      for (const [from, to] of [
        ['422', '422.00000000000000000001'],
        ['422', '422.0'],
        ['0.5', '0.50000000000000000001'],
        ['1000000000000000000000', '1000000000000000000001'],
        ['422', '1e400'],
      ]) {
        const edit = `update audit_events set details = replace(details::text, $2, $3)::jsonb where seq = $1`;
        expect([to, await foundAfter(edit, seq, `: ${from}`, `: ${to}`)]).toEqual([to, [seq]]);
      }
    });

    it('reveals two events that were swapped', async () => {
      const swap =
        'with pair as (select * from audit_copy where seq in (3, 4)) update audit_events e set ' +
        [
          'at',
          'actor',
          'action',
          'outcome',
          'tenant_id',
          'provider',
          'details',
          'request_id',
          'address',
          'hash',
        ]
          .map((name) => `${name} = p.${name}`)
          .join(', ') +
        ' from pair p where p.seq = 7 - e.seq and e.seq in (3, 4)';
      expect(await foundAfter(swap)).toEqual(['3', '4', '5']);
    });

    it('reveals a plain hash in place of a signed one', async () => {
      expect(await foundAfter('update audit_events set key_id = null where seq = 3')).toEqual(['3']);
    });

    /** The hash that an attacker without the key can compute. */
    const plainHash = (row: any, previous: string) =>
      createHash('sha256')
        .update(
          JSON.stringify([
            previous,
            row.seq,
            row.at.toISOString(),
            row.actor,
            row.action,
            row.outcome,
            JSON.stringify([row.tenant_id, row.provider, null]),
            canonicalJson(row.details),
            row.request_id,
            row.address,
          ]),
        )
        .digest('base64url');

    it('reveals an event that was forged at the end without the key', async () => {
      const [end] = await tenkey.database.query('select seq::text, hash from audit_head');
      const seq = String(BigInt(end.seq) + 1n);
      const [copied] = await tenkey.database.query('select * from audit_events where seq = 1');
      const row = { ...copied, seq, key_id: null };
      row.hash = plainHash(row, end.hash);
      await tenkey.database.query('update audit_head set seq = $1, hash = $2', [seq, row.hash]);
      const forge = 'insert into audit_events select * from jsonb_populate_record(null::audit_events, $1)';
      expect(await foundAfter(forge, row)).toEqual([seq]);
    });

    it('reveals that everything after an event was written again without the key', async () => {
      const rows = await tenkey.database.query('select * from audit_events where seq >= 3 order by seq');
      const [{ hash: before }] = await tenkey.database.query('select hash from audit_events where seq = 2');
      let previous = before as string;
      for (const row of rows) {
        row.actor = row.seq === '3' ? 'somebody else' : row.actor;
        previous = plainHash(row, previous);
        row.hash = previous;
      }
      await tenkey.database.query('update audit_head set hash = $1', [previous]);
      const found = await foundAfter(
        `update audit_events e set actor = n.actor, hash = n.hash, key_id = null
         from jsonb_to_recordset($1) as n (seq bigint, actor text, hash text) where n.seq = e.seq`,
        JSON.stringify(rows),
      );
      expect(found).toEqual(rows.map(({ seq }: { seq: string }) => seq));
    });

    it('reveals that the newest events were cut off, even when the end of the chain was moved, if a head was kept', async () => {
      const { head } = await verify();
      const last = head.split(':')[0];
      expect(await foundAfter('delete from audit_events where seq = $1', last)).toEqual([last]);
      const [end] = await tenkey.database.query('select * from audit_head');
      await tenkey.database.query('create table audit_copy as table audit_events');
      await tamper('delete from audit_events where seq = $1', last);
      await tenkey.database.query(
        'update audit_head set (seq, hash) = (select seq, hash from audit_events order by seq desc limit 1)',
      );
      expect((await verify()).faults).toEqual([]);
      expect((await tenkey.nest.get(AuditLogService).verify(head)).faults).toEqual([
        { seq: last, fault: 'the given head is not in the chain' },
      ]);
      await tamper('delete from audit_events');
      await tamper('insert into audit_events select * from audit_copy');
      await tenkey.database.query('drop table audit_copy');
      await tenkey.database.query('update audit_head set seq = $1, hash = $2', [end.seq, end.hash]);
      expect((await tenkey.nest.get(AuditLogService).verify(head)).faults).toEqual([]);
    });
  });

  it('continues under another encryption key, and says which events that key cannot check', async () => {
    const count = (await verify()).events;
    const other = await startTestApp({ ENCRYPTION_KEY: generateKey() }, { databaseUrl: tenkey.databaseUrl });
    try {
      await other.createTenant();
      const { faults, events: all } = await other.nest.get(AuditLogService).verify();
      expect(all).toBeGreaterThan(count);
      expect(faults).toEqual([
        {
          seq: '1',
          last: String(count),
          events: count,
          fault: expect.stringMatching(/^cannot be checked: encryption key \w{12} is not loaded$/),
        },
      ]);
    } finally {
      await other.nest.close();
      await other.provider.close();
    }
  });

  describe('without an encryption key, in single-tenant mode', () => {
    let plain: TestApp;
    beforeAll(async () => {
      plain = await startTestApp({ ENCRYPTION_KEY: '', TENANT_CREDENTIALS_ENABLED: 'false' });
    });
    afterAll(() => plain.close());
    const asKeyed = () =>
      new AuditLogService(
        plain.database,
        new FernetService({ current: new Secret(encryptionKey), previous: [] }),
      );
    const warnings = () => plain.logLines.filter((line) => line.includes('set ENCRYPTION_KEY again'));

    it('is a plain chain, which may continue with a key', async () => {
      const tenant = await plain.createTenant();
      await plain.sysadmin('patch', `/tenants/${tenant}`).send({ name: 'renamed' });
      expect(await plain.nest.get(AuditLogService).verify()).toMatchObject({ events: 2, faults: [] });
      expect(await plain.nest.get(AuditLogService).verify()).not.toHaveProperty('plain');
      for (let each = 0; each < 2; each++)
        await asKeyed().refuse({ actor: 'a', requestId: 'r', address: 'x' }, { action: 'a' });
      expect(await asKeyed().verify()).toMatchObject({ events: 4, plain: 2, faults: [] });
      expect(warnings()).toEqual([]);
    });

    it('cannot lose its key unnoticed: each event after that is a fault, and the first logs a warning with the fix', async () => {
      const last = (await asKeyed().verify()).events;
      await asKeyed().refuse({ actor: 'a', requestId: 'r', address: 'x' }, { action: 'a' });
      for (let each = 0; each < 2; each++) await plain.createTenant();
      const fault = expect.stringMatching(/^was made without ENCRYPTION_KEY after .* made with one; /);
      expect((await asKeyed().verify()).faults).toEqual([
        { seq: String(last + 2), last: String(last + 3), events: 2, fault },
      ]);
      expect(warnings()).toHaveLength(1);
      expect(JSON.parse(warnings()[0]!)).toMatchObject({ level: 40 });
      expect(warnings()[0]).toContain(`audit event ${last + 2} is made without ENCRYPTION_KEY`);
    });

    it('reveals an event that was edited', async () => {
      await plain.database.query('alter table audit_events disable trigger all');
      await plain.database.query(`update audit_events set actor = 'x' where seq = 1`);
      expect((await asKeyed().verify()).faults[0]).toEqual({
        seq: '1',
        fault: 'was changed or moved, or does not follow the event before it',
      });
    });
  });
});
