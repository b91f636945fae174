import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type ServiceProcess, type Services, startServices } from '../faults/service-processes';
import { createEmptyDatabase, execute, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';
import { freePort, type Program, startProgram } from './program';

const MIGRATION_LOCK = 7_364_002;
/** Fewer than the connections of one process, so that they are shared. */
const SERVER_CONNECTIONS = 4;

/** PgBouncer in transaction mode before a database. Nothing in its configuration is for Tenkey. */
async function startPgBouncer(
  databaseUrl: string,
): Promise<{ url: string; program: Program; close(): Promise<void> }> {
  const { hostname, port, pathname, username } = new URL(databaseUrl);
  const socketFolder = decodeURIComponent(hostname);
  const folder = await mkdtemp(join(tmpdir(), 'tenkey-pgbouncer-'));
  await chmod(folder, 0o755);
  const listenPort = await freePort();
  // Only the user of the database server can reach its socket, and PgBouncer refuses to run as root.
  const owner = execFileSync('id', ['-nu', String((await stat(socketFolder)).uid)])
    .toString()
    .trim();
  const lines = [
    '[databases]',
    `* = host=${socketFolder} port=${port || 5432}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${listenPort}`,
    'unix_socket_dir =',
    'pool_mode = transaction',
    `default_pool_size = ${SERVER_CONNECTIONS}`,
    'auth_type = trust',
    `auth_file = ${join(folder, 'users.txt')}`,
    ...(process.getuid?.() === 0 ? [`user = ${owner}`] : []),
  ];
  await writeFile(join(folder, 'users.txt'), `"${username}" ""\n`);
  await writeFile(join(folder, 'pgbouncer.ini'), lines.join('\n'));
  const isListening = () =>
    new Promise<boolean>((done) => {
      const socket = connect(listenPort, '127.0.0.1');
      socket.on('connect', () => (socket.destroy(), done(true)));
      socket.on('error', () => done(false));
    });
  const program = await startProgram(
    '/usr/sbin/pgbouncer',
    [join(folder, 'pgbouncer.ini')],
    'pgbouncer',
    isListening,
  );
  return {
    url: `postgresql://${username}@127.0.0.1:${listenPort}${pathname}`,
    program,
    close: async () => {
      await program.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

describe('behind PgBouncer in transaction mode', () => {
  let database: TestDatabase;
  let bouncer: Awaited<ReturnType<typeof startPgBouncer>>;
  let services: Services;
  beforeEach(async () => {
    database = await createEmptyDatabase();
    bouncer = await startPgBouncer(database.url);
    services = await startServices(database.url, 0, { env: { DATABASE_URL: bouncer.url } });
  });
  afterEach(async () => {
    expect(bouncer.program.output()).not.toMatch(/unsupported startup parameter|prepared statement/);
    await services.close();
    await bouncer.close();
    await database.drop();
  });

  const startTwo = (env: Readonly<Record<string, string>>) =>
    Promise.all([services.start({ env }), services.start({ env })]);

  /** Makes changes in one process, which the other one uses at its next call. */
  async function expectRevocation(here: ServiceProcess, there: ServiceProcess): Promise<string> {
    const { id } = (await here.change('POST', '/tenants', { name: `tenant-${randomUUID()}` })).body;
    for (let turn = 0; turn < 10; turn += 1) {
      const apiKey = `sk-${randomUUID()}`;
      const { headers } = await here.change('PUT', `/tenants/${id}/credentials/openai`, { api_key: apiKey });
      expect(headers['x-tenkey-in-force']).toMatch(/^processes=2; /);
      const calls = await Promise.all(Array.from({ length: 8 }, () => services.call(there, id)));
      expect(calls.map(({ usedKey }) => usedKey)).toEqual(calls.map(() => apiKey));
    }
    await here.change('PATCH', `/tenants/${id}`, { state: 'suspended' });
    expect((await services.call(there, id)).code).toBe('tenant_suspended');
    return id;
  }

  async function expectUsage(tenantId: string, calls: number): Promise<void> {
    const count = async () =>
      (
        await services.query<{ count: number }>(
          'select count(*)::int as count from usage_records where tenant_id = $1',
          [tenantId],
        )
      )[0]?.count;
    await until(async () => (await count()) === calls, 'every call has its usage record');
  }

  const advisoryLocks = () =>
    services.query<{ pid: number }>(
      "select pid from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
    );

  it('with DATABASE_DIRECT_URL, two replicas migrate an empty database, cache, and see each change at once', async () => {
    const [here, there] = await startTwo({ DATABASE_DIRECT_URL: database.url });
    expect(await services.leases()).toEqual([5000, 5000]);
    expect(await advisoryLocks()).toEqual([]);
    await expectUsage(await expectRevocation(here, there), 80);
    const connections = await services.query<{ name: string; count: number }>(
      `select application_name as name, count(*)::int from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() group by 1`,
    );
    expect(connections).toContainEqual({ name: 'tenkey-changes', count: 2 });
    expect(connections.find(({ name }) => name === 'tenkey')?.count).toBeLessThanOrEqual(SERVER_CONNECTIONS);
  });

  it('without DATABASE_DIRECT_URL, two replicas migrate an empty database and cache nothing, and each change is in force at once', async () => {
    const [here, there] = await startTwo({});
    expect(await services.leases()).toEqual([0, 0]);
    expect(await advisoryLocks()).toEqual([]);
    expect(here.logged('set DATABASE_DIRECT_URL')).toBe(1);
    await expectUsage(await expectRevocation(here, there), 80);
    // What a process leaves on a shared connection, another program would get.
    const client = new Client({ connectionString: bouncer.url });
    await client.connect();
    for (let turn = 0; turn < 2 * SERVER_CONNECTIONS; turn += 1) {
      const { rows } = await client.query(
        `select json_object_agg(name, setting::int) as timeouts from pg_settings
         where name in ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout')`,
      );
      expect(rows).toEqual([
        { timeouts: { lock_timeout: 0, statement_timeout: 0, idle_in_transaction_session_timeout: 0 } },
      ]);
    }
    await client.end();
    const again = await services.start();
    expect(again.logged('another process that migrates')).toBe(0);
  });

  it('a lock that an earlier version left on a shared connection is named until the start gives up, and the fix helps', async () => {
    const earlier = new Client({ connectionString: bouncer.url, application_name: 'an-earlier-start' });
    await earlier.connect();
    await earlier.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await earlier.end();
    const [holder] = await advisoryLocks();
    // On this very connection the lock would be granted, so the start has one of its own.
    const refused = await services
      .start({ env: { DATABASE_URL: database.url, DATABASE_WAIT_SECONDS: '6' } })
      .catch((error: Error) => error);
    const { message } = refused as Error;
    expect(message).toMatch(
      `Waiting for another process that migrates the database: PostgreSQL process ${holder!.pid}, application`,
    );
    expect(message.split('Waiting for another process')).toHaveLength(3);
    expect(message).toMatch(`Gave up after 6 s`);
    const [, fix] = /(select pg_terminate_backend\(\d+\);)/.exec(message) ?? [];
    await execute(database.url, fix!);
    await services.start();
  });
});
