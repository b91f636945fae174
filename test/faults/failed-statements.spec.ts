import { Client } from 'pg';
import { AuditLogService } from '#audit';
import { slotFindings } from '#credentials';
import { FernetService } from '#crypto';
import { type Response } from 'supertest';
import { startTestApp, type TestApp } from '../support/app';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';
import { FaultRow } from './fault-rows';
import { type StatementFault, StatementProxy } from './statement-proxy';

const keys = {
  first: 'sk-the-first-key-of-the-tenant-a1b2',
  second: 'sk-the-second-key-of-the-tenant-c3d4',
};
const faults: readonly StatementFault[] = ['is not sent', 'has no answer', 'is refused'];
/** Longer than every time limit on the way of a change. */
const SLOWEST_MS = 15_000;

interface Change {
  /** Brings the tenant into the state that the change needs. */
  readonly before?: (tenantId: string) => Promise<unknown>;
  readonly request: (tenantId: string) => PromiseLike<Response>;
  /** The action of its audit event. */
  readonly action: string;
}

describe('a change of which any statement fails', () => {
  let database: TestDatabase;
  let proxy: StatementProxy;
  let tenkey: TestApp;
  let direct: Client;
  beforeAll(async () => {
    database = await createTestDatabase();
    proxy = new StatementProxy(database.url);
    tenkey = await startTestApp(
      { DATABASE_DIRECT_URL: database.url, DATABASE_TIMEOUT_MS: '1000' },
      { databaseUrl: await proxy.listen() },
    );
    direct = new Client({ connectionString: database.url });
    await direct.connect();
  });
  afterAll(async () => {
    await direct.end();
    await tenkey.close();
    proxy.close();
    await database.drop();
  });

  const path = (tenantId: string, rest = '') => `/tenants/${tenantId}/credentials/openai${rest}`;
  const set = (tenantId: string, key: string) => tenkey.setCredential(tenantId, 'openai', { api_key: key });
  const stage = (tenantId: string, key: string) =>
    tenkey.sysadmin('put', path(tenantId, '?stage=true')).send({ api_key: key });
  const promote = (tenantId: string) => tenkey.sysadmin('post', path(tenantId, '/promote'));
  const stageAfterSet = async (tenantId: string) => {
    await set(tenantId, keys.first).then(done);
    await stage(tenantId, keys.second).then(done);
  };
  const createKey = (tenantId: string) =>
    tenkey.sysadmin('post', `/tenants/${tenantId}/keys`).send({ name: 'chat' });
  const keyIds = new Map<string, string>();

  const changes: Readonly<Record<string, Change>> = {
    'a credential is set': { request: (id) => set(id, keys.first), action: 'credential.set' },
    'a credential is replaced': {
      before: (id) => set(id, keys.first).then(done),
      request: (id) => set(id, keys.second),
      action: 'credential.set',
    },
    'a credential is staged': {
      before: (id) => set(id, keys.first).then(done),
      request: (id) => stage(id, keys.second),
      action: 'credential.stage',
    },
    'a credential is promoted': { before: stageAfterSet, request: promote, action: 'credential.promote' },
    'a promotion is rolled back': {
      before: async (id) => {
        await stageAfterSet(id);
        done(await promote(id));
      },
      request: (id) => tenkey.sysadmin('post', path(id, '/rollback')),
      action: 'credential.rollback',
    },
    'a credential is deleted': {
      before: stageAfterSet,
      request: (id) => tenkey.sysadmin('delete', path(id)),
      action: 'credential.delete',
    },
    'a tenant is suspended': {
      request: (id) => tenkey.sysadmin('patch', `/tenants/${id}`).send({ state: 'suspended' }),
      action: 'tenant.update',
    },
    'a tenant is deleted': {
      before: stageAfterSet,
      request: (id) => tenkey.sysadmin('delete', `/tenants/${id}`),
      action: 'tenant.delete',
    },
    'a tenant key is created': { request: createKey, action: 'key.create' },
    'a tenant key is revoked': {
      before: async (id) => keyIds.set(id, done(await createKey(id)).body.id as string),
      request: (id) => tenkey.sysadmin('delete', `/tenants/${id}/keys/${keyIds.get(id)}`),
      action: 'key.delete',
    },
  };

  /** Everything that belongs to a tenant, and how many audit events say that it was changed. */
  async function stateOf(tenantId: string, action: string): Promise<{ rows: string[]; events: number }> {
    const { rows } = await direct.query<{ row: string }>(
      `select 'tenant ' || state as row from tenants where id = $1
       union all select 'live ' || key_hint || ' ' || version from tenant_credentials where tenant_id = $1
       union all select slot || ' ' || key_hint || ' ' || version from credential_slots where tenant_id = $1
       union all select 'key ' || id from tenant_keys where tenant_id = $1 order by 1`,
      [tenantId],
    );
    const events = await direct.query<{ count: number }>(
      `select count(*)::int as count from audit_events where tenant_id = $1 and action = $2 and outcome = 'done'`,
      [tenantId, action],
    );
    return { rows: rows.map(({ row }) => row), events: events.rows[0]!.count };
  }

  it.each(Object.entries(changes))(
    'is made as a whole or not at all, and its response says which: %s',
    async (name, { before, request, action }) => {
      for (const fault of faults) {
        const row = new FaultRow(`a statement ${fault}: ${name}`);
        const notes: string[] = [];
        for (let nth = 1; ; nth += 1) {
          const tenantId = await tenkey.createTenant();
          await before?.(tenantId);
          const earlier = await stateOf(tenantId, action);
          proxy.fail(nth, fault);
          const { status, body } = await row.timed(request(tenantId));
          proxy.disarm();
          const later = await settled(tenantId, action);
          const isMade = later.events === earlier.events + 1;
          const isUnchanged = JSON.stringify(later) === JSON.stringify(earlier);
          const isWhole = isUnchanged || (isMade && later.rows.join() !== earlier.rows.join());
          const note = `${name}, ${nth}: ${proxy.failed} ${fault}: ${status} ${body?.code ?? ''} ${body?.detail ?? ''} ${JSON.stringify([earlier, later])}`;
          const isSure = !/may or may not/.test(String(body?.detail));
          const isRefused = status === 503 && body?.code === 'credential_store_unavailable';
          if (status < 300 && !isMade) {
            row.lost += 1;
            notes.push(note);
          } else if (!isWhole || !(status < 300 || isRefused) || (isRefused && isSure && isMade)) {
            row.wrong += 1;
            notes.push(note);
          }
          if (proxy.failed === undefined) {
            // Every statement has failed once, and the change was made without a fault.
            expect([status < 300, isMade, note]).toEqual([true, true, note]);
            break;
          }
          row.reached += 1;
        }
        row.report();
        expect(notes).toEqual([]);
        // At least the beginning, the change, its audit event and the commit.
        expect(row.reached).toBeGreaterThan(3);
        expect(row.slowestMs).toBeLessThan(SLOWEST_MS);
      }
    },
    280_000,
  );

  /** What was sent on a connection that is lost may be executed a moment later. */
  async function settled(tenantId: string, action: string) {
    await until(async () => {
      const { rows } = await direct.query(
        `select 1 from pg_stat_activity where datname = current_database() and application_name = 'tenkey'
           and state <> 'idle'`,
      );
      return rows.length === 0;
    }, 'the database is idle');
    return stateOf(tenantId, action);
  }

  it('leaves a chain and slots without faults, and an application that has all its connections', async () => {
    const { faults: found } = await new AuditLogService(
      tenkey.database,
      tenkey.nest.get(FernetService),
    ).verify();
    expect(found).toEqual([]);
    expect(await tenkey.database.transaction((transaction) => slotFindings(transaction))).toEqual([]);
    const tenantId = await tenkey.createTenant();
    const answers = await Promise.all(Array.from({ length: 10 }, () => set(tenantId, keys.first)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await tenkey.chat(tenantId)).status).toBe(200);
    expect(tenkey.logLines.filter((line) => line.includes('internal_error'))).toEqual([]);
    for (const key of Object.values(keys))
      expect(tenkey.logLines.filter((line) => line.includes(key))).toEqual([]);
  });
});

function done(response: Response): Response {
  if (response.status >= 300) throw new Error(`a change was not made: ${response.status} ${response.text}`);
  return response;
}
