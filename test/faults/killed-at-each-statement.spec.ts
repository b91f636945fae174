import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { AuditEvent, AuditLogService } from '#audit';
import { credentialEntities, loadFormerKeys, sealFindings, slotFindings } from '#credentials';
import { FernetService, generateKey, Secret } from '#crypto';
import { dataSourceOptions } from '#database';
import { Tenant } from '#tenants';
import { usageFindings } from '#usage';
import { encryptionKey } from '../support/app';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';
import { FaultRow } from './fault-rows';
import { type ServiceProcess, type Services, startServices } from './service-processes';
import { storeCredentials } from './stored-credentials';
import { type StatementFault, StatementProxy } from './statement-proxy';

/** With KILL_EVERY=1 the process is killed at every statement; otherwise at every third one, which takes a third of the time. */
const EVERY = Number(process.env['KILL_EVERY'] ?? 3);
const newKey = generateKey();
const oldKeyId = new FernetService({ current: new Secret(encryptionKey), previous: [] }).ownKeyId;
/** Three for each of the tenants that are stored before the first start. */
const ROTATED = 60;
/** The service sees a connection that is lost and nothing else, in the moment in which it is killed. */
const moments: readonly StatementFault[] = ['is not sent', 'has no answer'];

describe('a process that is killed at a statement', () => {
  let database: TestDatabase;
  let proxy: StatementProxy;
  let services: Services;
  let service: ServiceProcess;
  beforeAll(async () => {
    database = await createTestDatabase();
    await storeCredentials(database.url, ROTATED / 3, encryptionKey);
    proxy = new StatementProxy(database.url);
    const env = {
      DATABASE_URL: await proxy.listen(),
      DATABASE_DIRECT_URL: database.url,
      // A change waits for the lease of a process that was killed.
      CACHE_LEASE_SECONDS: '1',
      ENCRYPTION_KEY: newKey,
      ENCRYPTION_KEY_PREVIOUS: encryptionKey,
    };
    services = await startServices(database.url, 1, { env });
    service = services.all[0]!;
  });
  afterAll(async () => {
    await services.close();
    proxy.close();
    await database.drop();
  });

  /** Kills the process at the nth statement of what `run` does. @returns what `run` returned; undefined: it was killed */
  async function killedAt<T>(
    nth: number,
    moment: StatementFault,
    run: () => Promise<T>,
  ): Promise<T | undefined> {
    proxy.fail(nth, moment, () => void service.child.kill('SIGKILL'));
    const result = await run().catch((error: unknown) => {
      if (proxy.failed === undefined) throw error;
      return undefined;
    });
    proxy.disarm();
    if (proxy.failed === undefined) return result;
    await service.ended;
    service = await services.start();
    return undefined;
  }

  async function newTenant(): Promise<string> {
    const { id } = (await service.change('POST', '/tenants', { name: `tenant-${randomUUID()}` })).body;
    await service.change('PUT', `/tenants/${id}/credentials/openai`, { api_key: `sk-before-${id}` });
    return id as string;
  }

  it('of a rotation loses no credential, and the next process goes on', async () => {
    const versions = () =>
      services.query('select tenant_id, provider, version from tenant_credentials order by 1, 2');
    const before = await versions();
    const under = async (keyId: string | undefined) =>
      (
        await services.query<{ count: number }>(
          'select count(*)::int as count from tenant_credentials where key_id = $1',
          [keyId],
        )
      )[0]!.count;
    expect(await under(oldKeyId)).toBe(ROTATED);
    const row = new FaultRow('a process is killed at a statement: it rotates');
    for (let nth = 1; ; nth += EVERY) {
      await killedAt(nth, moments[row.reached % 2]!, async () => {
        await row.timed(service.sysadmin('POST', '/encryption/rotation'));
        await until(
          async () => (await service.sysadmin('GET', '/encryption')).body.rotation?.state === 'finished',
          'the rotation is finished',
        );
      });
      if (proxy.failed === undefined) break;
      row.reached += 1;
    }
    const after = (await versions()).map((each) => JSON.stringify(each));
    row.lost = before.filter((each) => !after.includes(JSON.stringify(each))).length;
    row.wrong = await under(oldKeyId);
    row.report();
    expect(row.reached).toBeGreaterThan(15 / EVERY - 1);
    expect([row.lost, row.wrong, after.length]).toEqual([0, 0, before.length]);
  }, 280_000);

  const changes = {
    'sets a credential': {
      prepare: () => Promise.resolve(),
      change: (id: string) =>
        service.change('PUT', `/tenants/${id}/credentials/openai`, { api_key: `sk-after-${id}` }),
    },
    'promotes a credential': {
      prepare: async (id: string) => {
        const path = `/tenants/${id}/credentials/openai?stage=true`;
        await service.change('PUT', path, { api_key: `sk-after-${id}` });
      },
      change: (id: string) => service.change('POST', `/tenants/${id}/credentials/openai/promote`),
    },
  };

  it.each(Object.entries(changes))(
    'while it %s leaves the earlier key or the new one, and loses no answer',
    async (name, { prepare, change }) => {
      for (const moment of moments) {
        const row = new FaultRow(`a process is killed when a statement ${moment}: it ${name}`);
        for (let nth = 1; ; nth += EVERY) {
          const tenant = await newTenant();
          await prepare(tenant);
          const answer = await killedAt(nth, moment, () => row.timed(change(tenant)));
          const { status, usedKey } = await row.timed(services.call(service, tenant));
          const isMade = usedKey === `sk-after-${tenant}`;
          if (status !== 200 || !(isMade || usedKey === `sk-before-${tenant}`)) row.wrong += 1;
          // What was answered is kept.
          if (answer !== undefined && !isMade) row.lost += 1;
          if (proxy.failed === undefined) break;
          row.reached += 1;
        }
        row.report();
        expect([row.lost, row.wrong]).toEqual([0, 0]);
        expect(row.reached).toBeGreaterThan(15 / EVERY - 1);
      }
    },
    280_000,
  );

  it('while it writes usage loses the calls of one batch at most, and counts none twice', async () => {
    const tenant = await newTenant();
    const recorded = async () =>
      (
        await services.query<{ count: number }>(
          'select count(*)::int as count from usage_records where tenant_id = $1',
          [tenant],
        )
      )[0]!.count;
    const CALLS = 5;
    for (const moment of moments) {
      // What was recorded before is kept; of the calls of the last batch any number may be lost.
      const row = new FaultRow(`a process is killed when a statement ${moment}: it writes usage`);
      for (let nth = 1; nth <= 8; nth += EVERY) {
        const before = await recorded();
        for (let call = 0; call < CALLS; call += 1)
          expect((await row.timed(services.call(service, tenant))).status).toBe(200);
        await killedAt(nth, moment, () =>
          until(
            async () => proxy.failed !== undefined || (await recorded()) >= before + CALLS,
            'the usage is written',
          ),
        );
        const isKilled = proxy.failed !== undefined;
        if (isKilled) row.reached += 1;
        const added = (await recorded()) - before;
        row.lost += Math.max(0, isKilled ? -added : CALLS - added);
        row.wrong += Math.max(0, added - CALLS);
      }
      row.report();
      expect([row.lost, row.wrong]).toEqual([0, 0]);
    }
  }, 280_000);

  it('leaves nothing that the doctor would find', async () => {
    const entities = [Tenant, ...credentialEntities, AuditEvent];
    const dataSource = await new DataSource(dataSourceOptions({ url: database.url, entities })).initialize();
    try {
      const fernet = new FernetService({
        current: new Secret(newKey),
        previous: [new Secret(encryptionKey)],
      });
      await dataSource.transaction((transaction) => loadFormerKeys(transaction, fernet));
      const { faults } = await new AuditLogService(dataSource, fernet).verify();
      expect(faults).toEqual([]);
      await dataSource.transaction(async (transaction) => {
        expect((await sealFindings(transaction, fernet, { opens: true })).findings).toEqual([]);
        expect(await slotFindings(transaction)).toEqual([]);
        expect((await usageFindings(transaction, 90)).findings).toEqual([]);
        // The doctor compares hours only from the first whole day on.
        const [sums] = await transaction.query<{ hourly: string; daily: string }[]>(
          'select (select sum(calls) from usage_hourly) as hourly, (select sum(calls) from usage_daily) as daily',
        );
        expect(Number(sums!.hourly)).toBeGreaterThan(0);
        expect(sums!.hourly).toBe(sums!.daily);
      });
    } finally {
      await dataSource.destroy();
    }
  });
});
