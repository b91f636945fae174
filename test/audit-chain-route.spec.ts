import { request as httpRequest } from 'node:http';
import { AuditLogService, AuditRetentionService } from '#audit';
import { describeWithApp, superKey, type TestApp } from './support/app';
import { addAuditEvents } from './support/audit-events';
import { issueSysadminKey } from './support/keys';
import { memory } from './support/memory';
import { OpenApi } from './support/openapi';
import { until } from './support/until';

const chain = '/audit-events/chain';
const DAY_MS = 24 * 60 * 60 * 1000;

interface Finding {
  readonly first: string;
  readonly last: string;
  readonly events: number;
  readonly fault: string;
}

/** All parts of a verification, one request after the other. */
async function verifyAll(tenkey: TestApp, limit?: number) {
  const findings: Finding[] = [];
  let verified = 0;
  let parts = 0;
  let head = '';
  for (let after: string | null | undefined = undefined; after !== null;) {
    const query: Record<string, string> = { ...(after && { after }), ...(limit && { limit: String(limit) }) };
    const { status, body } = await tenkey.sysadmin('post', `${chain}/verify`).query(query);
    if (status !== 200) throw new Error(`the verification was refused: ${status} ${body.detail}`);
    expect(body.intact).toBe(body.findings.length === 0);
    expect(body.more).toBe(0);
    findings.push(...body.findings);
    verified += body.verified;
    parts += 1;
    ({ next_after: after, head } = body);
  }
  return { verified, parts, findings, head };
}

describeWithApp('the audit chain over the sysadmin API', {}, (tenkey) => {
  const tenants: string[] = [];
  beforeAll(async () => {
    for (const name of ['first', 'second', 'third', 'fourth']) tenants.push(await tenkey.createTenant(name));
    await tenkey.setCredential(tenants[0]!, 'openai', { api_key: 'sk-of-the-chain-1234' });
  });
  const state = async () => (await tenkey.sysadmin('get', chain).expect(200)).body;
  const audit = () => tenkey.nest.get(AuditLogService, { strict: false });
  const tamper = async (...statements: string[]) => {
    for (const table of ['audit_events', 'audit_values'])
      await tenkey.database.query(`alter table ${table} disable trigger all`);
    for (const statement of statements) await tenkey.database.query(statement);
    for (const table of ['audit_events', 'audit_values'])
      await tenkey.database.query(`alter table ${table} enable trigger all`);
  };
  /** What the route finds with parts of each size, and what the command finds, while the tables are as the statements leave them. */
  const findAfter = async (...statements: string[]) => {
    await tenkey.database.query('create table copy_of_events as table audit_events');
    await tenkey.database.query('create table copy_of_values as table audit_values');
    const [head] = await tenkey.database.query<[{ seq: string; hash: string }]>(
      'select seq::text, hash from audit_head',
    );
    await tamper(...statements);
    const whole = (await audit().verify()).faults;
    const found: Finding[][] = [];
    for (const limit of [1, 2, 3, 1000]) found.push((await verifyAll(tenkey, limit)).findings);
    await tamper(
      'delete from audit_events',
      'delete from audit_values',
      'insert into audit_events select * from copy_of_events',
      'insert into audit_values select * from copy_of_values',
    );
    await tenkey.database.query('update audit_head set seq = $1, hash = $2', [head.seq, head.hash]);
    await tenkey.database.query('drop table copy_of_events, copy_of_values');
    return { whole, found };
  };
  /** Each event with its fault, so that it does not matter which of them are one entry. */
  const single = (findings: readonly { first: string; events: number; fault: string }[]) =>
    findings.flatMap(({ first, events, fault }) =>
      Array.from({ length: events }, (_, index) => `${BigInt(first) + BigInt(index)}: ${fault}`),
    );

  it('shows what the database has, and nothing of a verification before there was one', async () => {
    const events = (await tenkey.sysadmin('get', '/audit-events')).body.items;
    const response = await tenkey.sysadmin('get', chain);
    expect([response.status, response.body]).toEqual([
      200,
      {
        events: 5,
        expired: 0,
        first: { seq: '1', at: events.at(-1).at },
        last: { seq: '5', at: events[0].at },
        head: `5:${events[0].hash}`,
        checkpoint: null,
        retention_days: null,
        audit_chain: 'hmac',
        last_verification: null,
      },
    ]);
    const api = await OpenApi.of(tenkey);
    expect(api.faultsOfAnswer('GET /api/v1/sysadmin/audit-events/chain', response)).toEqual([]);
  });

  it('verifies an untouched chain, in one part or in many', async () => {
    const response = await tenkey.sysadmin('post', `${chain}/verify`);
    const { head } = await audit().verify();
    expect([response.status, response.body]).toEqual([
      200,
      {
        verified: 5,
        intact: true,
        findings: [],
        more: 0,
        plain: 0,
        head,
        next_after: null,
        duration_ms: expect.any(Number),
      },
    ]);
    const api = await OpenApi.of(tenkey);
    expect(api.faultsOfAnswer('POST /api/v1/sysadmin/audit-events/chain/verify', response)).toEqual([]);
    expect((await state()).last_verification).toMatchObject({ verified: 5, complete: true, intact: true });
    for (const limit of [1, 2, 5, 6]) {
      const all = await verifyAll(tenkey, limit);
      expect([limit, all]).toMatchObject([limit, { verified: 5, findings: [], head }]);
      expect([limit, all.parts]).toEqual([limit, Math.floor(5 / limit) + 1]);
      expect((await state()).last_verification).toEqual({
        started_at: expect.any(String),
        ended_at: expect.any(String),
        after: null,
        through: '5',
        verified: 5,
        intact: true,
        findings: 0,
        complete: true,
      });
    }
  });

  it.each([
    [`update audit_events set actor = 'nobody' where seq = 2`],
    [`update audit_events set hash = 'x' where seq = 3`],
    [`delete from audit_events where seq in (2, 3)`],
    [`delete from audit_events where seq = 5`],
    [`delete from audit_events where seq = 1`],
    [`update audit_events set key_id = null where seq = 4`],
    [`update audit_events set key_id = 'unknown' where seq in (2, 3)`],
    [`update audit_events set details = (repeat('[', 5500) || repeat(']', 5500))::jsonb where seq = 3`],
    [`update audit_values set value = 'renamed' where seq = 2`],
    [`delete from audit_values where seq = 2`],
    [`update audit_head set seq = 6`],
    [
      'alter table audit_events drop constraint audit_events_count_from_one',
      `update audit_events set seq = -seq where seq = 2`,
    ],
  ])('finds what the command finds, in parts of any size, after: %s', async (...statements) => {
    const { whole, found } = await findAfter(...statements);
    const expected = single(whole.map(({ seq, events = 1, fault }) => ({ first: seq, events, fault })));
    expect(expected.length).toBeGreaterThan(0);
    for (const findings of found) expect(single(findings).sort()).toEqual(expected.sort());
    expect((await verifyAll(tenkey)).findings).toEqual([]);
  });

  it('names the finding, and remembers it', async () => {
    const { found } = await findAfter(`update audit_events set actor = 'nobody' where seq = 2`);
    expect(found.at(-1)).toEqual([
      {
        first: '2',
        last: '2',
        events: 1,
        fault: 'was changed or moved, or does not follow the event before it',
      },
    ]);
    expect((await state()).last_verification).toMatchObject({ intact: false, findings: 1, complete: true });
  });

  it('accepts values that an event after the part has erased', async () => {
    await tenkey.sysadmin('delete', `/tenants/${tenants[3]}?erase=true`).expect(204);
    for (const limit of [1, 2, 1000]) expect((await verifyAll(tenkey, limit)).findings).toEqual([]);
    // Someone who removes the values of another tenant cannot say that they were erased.
    const { found } = await findAfter(
      'delete from audit_values where seq = 1',
      `update audit_events set tenant_id = '${tenants[0]}' where action = 'tenant.delete'`,
    );
    for (const findings of found) expect(findings).not.toEqual([]);
  });

  it('lists the first hundred findings, and counts the others', async () => {
    await addAuditEvents(tenkey, 400);
    // Every second event, so that no two of them are one entry.
    await tamper(`update audit_events set actor = 'nobody' where seq > 10 and seq % 2 = 0`);
    const { body } = await tenkey.sysadmin('post', `${chain}/verify`);
    expect([body.intact, body.findings.length, body.findings.length + body.more]).toEqual([false, 100, 198]);
    await tamper(`update audit_events set actor = 'super-key sha256:5f0c2e2a' where actor = 'nobody'`);
    expect((await verifyAll(tenkey)).findings).toEqual([]);
  });

  it('refuses a number that is no event, a limit out of range, and a body', async () => {
    for (const query of ['after=99999', 'after=x', 'after=9223372036854775808', 'limit=0', 'limit=100001']) {
      const { status, body } = await tenkey.sysadmin('post', `${chain}/verify?${query}`);
      expect([query, status, body.code]).toEqual([query, 422, 'validation_failed']);
    }
    const { status } = await tenkey.sysadmin('post', `${chain}/verify`).send({ after: '3' });
    expect(status).toBe(422);
  });

  it('is closed to a key that is limited to some tenants', async () => {
    const { key } = await issueSysadminKey(tenkey, { scopes: ['audit:read'], tenant_ids: [tenants[0]] });
    for (const [method, path] of [
      ['get', chain],
      ['post', `${chain}/verify`],
    ] as const) {
      const response = await tenkey.sysadmin(method, path).set('X-API-Key', key);
      expect([path, response.status]).toEqual([path, 403]);
    }
  });

  describe('with 50,000 events', () => {
    beforeAll(() => addAuditEvents(tenkey, 50_000, 1000), 120_000);

    it('verifies them in parts, and holds few of them in memory', async () => {
      const before = memory().used;
      let most = 0;
      // Few samples, since each collects the garbage of the whole process.
      const samples = [300, 900, 1500].map((ms) =>
        setTimeout(() => (most = Math.max(most, memory().used)), ms),
      );
      const { verified, findings } = await verifyAll(tenkey);
      samples.forEach(clearTimeout);
      expect([verified > 50_000, findings]).toEqual([true, []]);
      // All of them would need more than 50 MiB.
      expect(most).toBeGreaterThan(0);
      expect((most - before) / 1024 / 1024).toBeLessThan(20);
    }, 180_000);

    it('verifies for one request at a time', async () => {
      const first = tenkey.sysadmin('post', `${chain}/verify`).then(({ status }) => status);
      const statuses: number[] = [];
      await until(async () => {
        const { status, body } = await tenkey.sysadmin('post', `${chain}/verify?limit=1`);
        statuses.push(status);
        return status === 409 && body.code === 'verification_conflict';
      }, 'a request is refused while another one verifies');
      expect(await first).toBe(200);
      expect((await tenkey.sysadmin('post', `${chain}/verify?limit=1`)).status).toBe(200);
    }, 60_000);

    it('stops when the client disconnects', async () => {
      await tenkey.sysadmin('post', `${chain}/verify?limit=1`).expect(200);
      const { port } = tenkey.nest.getHttpServer().address() as { port: number };
      const outgoing = httpRequest({
        port,
        method: 'POST',
        path: `/api/v1/sysadmin${chain}/verify`,
        headers: { 'x-api-key': superKey },
      });
      outgoing.on('error', () => undefined);
      outgoing.end();
      await until(async () => {
        const [{ count }] = await tenkey.database.query<[{ count: number }]>(
          `select count(*)::int from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle' and query like '%audit_events e%'`,
        );
        return count > 0;
      }, 'the verification has begun');
      outgoing.destroy();
      await until(async () => (await state()).last_verification.verified > 1, 'the verification has ended');
      const { started_at: start, ended_at: end, verified, complete } = (await state()).last_verification;
      expect(complete).toBe(false);
      expect(verified).toBeLessThan(50_000);
      expect(Date.parse(end) - Date.parse(start)).toBeLessThan(1500);
    }, 60_000);

    it('answers other requests meanwhile', async () => {
      let isDone = false;
      const part = tenkey
        .sysadmin('post', `${chain}/verify`)
        .then(({ body }) => body)
        .finally(() => (isDone = true));
      let answered = 0;
      while (!isDone) {
        expect((await tenkey.http().get('/health')).status).toBe(200);
        answered += 1;
      }
      expect((await part).verified).toBeGreaterThan(0);
      expect(answered).toBeGreaterThan(20);
    }, 60_000);
  });
});

describeWithApp('the audit chain of which events were deleted', { AUDIT_RETENTION_DAYS: '30' }, (tenkey) => {
  const sweep = (days: number) =>
    tenkey.nest.get(AuditRetentionService, { strict: false }).sweep(Date.now() + days * DAY_MS);

  it('shows the checkpoint, and is verified from there on, also by a verification that had begun before', async () => {
    for (const name of ['first', 'second', 'third', 'fourth']) await tenkey.createTenant(name);
    const part = (await tenkey.sysadmin('post', `${chain}/verify?limit=2`)).body;
    expect(part).toMatchObject({ verified: 2, next_after: '2' });
    expect(await sweep(32)).toBe(3);
    const { body } = await tenkey.sysadmin('get', chain);
    expect(body).toMatchObject({
      events: 2,
      expired: 3,
      first: { seq: '4' },
      last: { seq: '5' },
      checkpoint: { seq: '5', at: expect.stringMatching(/^20/), through: '3' },
      retention_days: 30,
    });
    const rest = (await tenkey.sysadmin('post', `${chain}/verify?after=${part.next_after}`)).body;
    expect(rest).toMatchObject({ verified: 2, intact: true, next_after: null });
    expect(await verifyAll(tenkey)).toMatchObject({ verified: 2, findings: [] });
  });
});

describeWithApp(
  'the audit chain without an encryption key',
  { ENCRYPTION_KEY: undefined, TENANT_CREDENTIALS_ENABLED: 'false' },
  (tenkey) => {
    it('is a chain of plain hashes', async () => {
      await tenkey.createTenant('first');
      expect((await tenkey.sysadmin('get', chain)).body).toMatchObject({ audit_chain: 'hash', events: 1 });
      const { body } = await tenkey.sysadmin('post', `${chain}/verify`);
      expect(body).toMatchObject({ verified: 1, intact: true, plain: null });
    });
  },
);
