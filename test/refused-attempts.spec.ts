import { connect } from 'node:net';
import { Client } from 'pg';
import { AuditLogService, RefusedAttemptsService } from '#audit';
import { startTestApp, superKey, type TestApp } from './support/app';
import { issueSysadminKey, issueTenantKey } from './support/keys';
import { createTestDatabase } from './support/postgres';
import { until } from './support/until';

describe('refused attempts', () => {
  let tenkey: TestApp;
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  let port: number;
  beforeAll(async () => {
    database = await createTestDatabase();
    tenkey = await startTestApp({}, { databaseUrl: database.url });
    ({ port } = tenkey.nest.getHttpServer().address() as { port: number });
  });
  afterAll(() => database.drop());

  const attempts = () => tenkey.nest.get(RefusedAttemptsService);
  /** The refused events since `from`, oldest first, once all are written. */
  const since = async (from: string): Promise<any[]> => {
    await attempts().written();
    const { body } = await tenkey.sysadmin('get', '/audit-events?outcome=refused&limit=1000');
    return body.items.filter(({ seq }: any) => BigInt(seq) > BigInt(from)).reverse();
  };
  const last = async (): Promise<string> => {
    await attempts().written();
    return (await tenkey.database.query('select seq::text from audit_head'))[0].seq;
  };
  /** Uses a bare socket, because a client library would correct such paths. */
  const raw = (head: string, body = '') =>
    new Promise<string>((done) => {
      const socket = connect(port, '127.0.0.1');
      let text = '';
      socket.on('data', (part) => (text += String(part)));
      socket.on('close', () => done(text));
      socket.write(`${head}\r\nhost: tenkey.test\r\nconnection: close\r\n\r\n${body}`);
    });
  const guess = (path: string, key = 'a-wrong-guess-of-a-key') =>
    tenkey.http().get(`/api/v1/sysadmin${path}`).set('X-API-Key', key);

  it('are counted together for the same tenant and provider, and for no others', async () => {
    const [a, b] = [await tenkey.createTenant(), await tenkey.createTenant()];
    const from = await last();
    for (const [tenant, provider] of [
      [a, 'openai'],
      [b, 'openai'],
      [b, 'mistral'],
      [b, 'openai'],
    ] as const)
      expect((await tenkey.setCredential(tenant, provider, { api_key: 'x' })).status).toBe(422);
    const found = (await since(from)).map((each) => [
      each.tenant_id,
      each.provider,
      each.details.further_times,
    ]);
    expect(found).toEqual([
      [a, 'openai', undefined],
      [b, 'openai', undefined],
      [b, 'mistral', undefined],
      [b, 'openai', 1],
    ]);
  });

  it('are recorded wherever a key is required, even on paths that the router cannot parse', async () => {
    const paths = [
      ['', '(no route)'],
      ['/%zz', '(no route)'],
      [`/tenants/${'a'.repeat(600)}`, '(no route)'],
      ['/no-such', '(no route)'],
    ] as const;
    const from = await last();
    for (const [path] of paths)
      expect(await raw(`GET /api/v1/sysadmin${path} HTTP/1.1\r\nx-api-key: wrong`)).toMatch(
        /^HTTP\/1.1 401 /,
      );
    expect(await raw('GET /api/v1/%73ysadmin/x HTTP/1.1\r\nx-api-key: wrong')).toMatch(/^HTTP\/1.1 401 /);
    expect(await raw(`PUT /api/v1/sysadmin/%zz HTTP/1.1\r\nx-api-key: ${superKey}`)).toMatch(
      /^HTTP\/1.1 400 /,
    );
    const found = await since(from);
    const sum = found.reduce((all, { details }) => all + (details.further_times ?? 1), 0);
    expect([sum, new Set(found.map(({ details }) => details.code))]).toEqual([
      paths.length + 2,
      new Set(['unauthenticated', 'malformed_request']),
    ]);
  });

  it('name the key that was tried when it is revoked or opens something else, without its secret', async () => {
    const revoked = await issueSysadminKey(tenkey, { scopes: ['tenants:read'] });
    await tenkey.sysadmin('delete', `/keys/${revoked.id}`);
    const other = await issueTenantKey(tenkey, await tenkey.createTenant());
    const from = await last();
    await guess('/tenants', revoked.key);
    await guess('/tenants', other.key);
    await tenkey.http().get('/api/v1/sysadmin/tenants').set('authorization', `Bearer ${other.key}`);
    await guess('/tenants', revoked.key.replace(/.$/, '_'));
    const found = await since(from);
    expect(found.map(({ actor, details }) => [actor, details.further_times])).toEqual([
      [`sysadmin-key ${revoked.id} (not accepted)`, undefined],
      [`tenant-key ${other.id} (not accepted)`, undefined],
      ['nobody', undefined],
      [`tenant-key ${other.id} (not accepted)`, 1],
    ]);
    for (const { key } of [revoked, other]) expect(JSON.stringify(found)).not.toContain(key.slice(-49));
  });

  it('are recorded with the address when the client disconnected before the response', async () => {
    const tenant = await tenkey.createTenant();
    const from = await last();
    tenkey.provider.next({ delayMs: 300, status: 401 });
    const asked = tenkey.provider.requests.length;
    const body = JSON.stringify({ api_key: 'sk-that-the-provider-refuses' });
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `PUT /api/v1/sysadmin/tenants/${tenant}/credentials/openai?verify=true HTTP/1.1\r\nhost: a\r\nx-api-key: ${superKey}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => tenkey.provider.requests.length > asked, 'the provider is asked');
    socket.resetAndDestroy();
    await until(async () => (await since(from)).length > 0, 'the refusal is in the audit');
    expect(await since(from)).toMatchObject([
      { tenant_id: tenant, provider: 'openai', address: '127.0.0.1', details: { status: 422 } },
    ]);
  });

  it('are kept while they cannot be written, and written when they can', async () => {
    const from = await last();
    await tenkey.database.query('alter table audit_head rename to audit_head_gone');
    try {
      for (let each = 0; each < 3; each++) expect((await guess('/tenants')).status).toBe(401);
      expect((await guess('/keys')).status).toBe(401);
      await until(
        () => tenkey.logLines.some((line) => line.includes('refused attempts wait to be recorded')),
        'the log says so',
      );
    } finally {
      await tenkey.database.query('alter table audit_head_gone rename to audit_head');
    }
    const written = () =>
      tenkey.database.query('select action, details from audit_events where seq > $1 order by seq', [from]);
    await until(async () => (await written()).length === 3, 'all are in the audit');
    expect((await written()).map(({ action, details }: any) => [action, details.further_times])).toEqual([
      ['GET /api/v1/sysadmin/tenants', undefined],
      ['GET /api/v1/sysadmin/tenants', 2],
      ['GET /api/v1/sysadmin/keys', undefined],
    ]);
  });

  it('without a key from one address are recorded separately up to a limit, and counted above it', async () => {
    const from = await last();
    const tenants = Array.from({ length: 60 }, (_, each) => `00000000-0000-0000-0000-0000000000${each + 10}`);
    for (const tenant of tenants) await guess(`/tenants/${tenant}`);
    const found = await since(from);
    expect(found).toHaveLength(51);
    expect(found.at(-1)).toMatchObject({
      actor: 'nobody',
      action: 'others',
      address: expect.stringContaining('127.0.0.1'),
      details: { code: 'unauthenticated', further_times: 10 },
    });
  });

  it('of too many kinds are counted from the first on, with none of the keys as actor', async () => {
    const from = await last();
    for (let each = 0; each < 1003; each++)
      attempts().note(
        { actor: 'a', requestId: 'r', address: `10.0.${each >> 8}.${each & 255}` },
        { action: 'a', details: { status: 403, code: 'forbidden' } },
      );
    await attempts().written();
    const rows = await tenkey.database.query(
      `select actor, action, address, details from audit_events where seq > $1 and action = 'others'`,
      [from],
    );
    expect(rows).toEqual([
      { actor: 'several', action: 'others', address: 'several', details: { further_times: 3 } },
    ]);
    // Each of the first 1000 is a transaction.
  }, 120_000);

  it('do not delay shutdown while the database keeps them waiting, and the log names those that are lost', async () => {
    const stopping = new RefusedAttemptsService(tenkey.nest.get(AuditLogService));
    const holder = tenkey.database.createQueryRunner();
    await holder.connect();
    await holder.startTransaction();
    try {
      await holder.query('select 1 from audit_head for update');
      stopping.note({ actor: 'a', requestId: 'r', address: 'x' }, { action: 'a' });
      await stopping.end({ shutdownSeconds: 1 });
      const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      expect(await tenkey.database.query(waiting)).toHaveLength(1);
      expect(tenkey.logLines.at(-1)).toContain('1 refused attempts may be missing from the audit');
    } finally {
      await holder.rollbackTransaction();
      await holder.release();
    }
    await stopping.written();
  });

  it('are written at shutdown, repetitions included', async () => {
    const from = await last();
    const before = tenkey.logLines.length;
    for (let each = 0; each < 5; each++) await guess('/tenants');
    await tenkey.nest.close();
    await tenkey.provider.close();
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query('select details from audit_events where seq > $1 order by seq', [
      from,
    ]);
    await client.end();
    expect(rows.map(({ details }) => details.further_times)).toEqual([undefined, 4]);
    expect(
      tenkey.logLines.slice(before).filter((line) => (JSON.parse(line) as { level: number }).level >= 50),
    ).toEqual([]);
  });
});
