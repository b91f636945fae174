import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { DataSource, EntityManager, QueryFailedError } from 'typeorm';
import { recordTraffic } from '../libs/credentials/health/health-records';
import { describeWithApp, startTestApp } from './support/app';
import { until } from './support/until';

const key = 'sk-key-in-real-traffic-1234';

describeWithApp('passive health', (tenkey) => {
  let tenant: string;
  beforeEach(async () => {
    tenkey.provider.reset();
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: key });
  });

  const listed = async (app = tenkey) =>
    (await app.sysadmin('get', `/tenants/${tenant}/credentials`)).body.credentials[0];
  const becomes = async (status: string): Promise<Record<string, any>> => {
    let one: Record<string, any> = {};
    await until(async () => (one = await listed()).status === status, `the status ${status}`);
    return one;
  };
  /** Statements on the health of credentials, from now on. */
  const writesDuring = async (run: () => Promise<unknown>): Promise<number> => {
    const query = jest.spyOn(EntityManager.prototype, 'query');
    try {
      await run();
      await wait(1500);
      return query.mock.calls.filter(([sql]) => /(insert into|update) credential_health/.test(String(sql)))
        .length;
    } finally {
      query.mockRestore();
    }
  };

  it('shows a credential that the provider refuses as rejected, with when and how often', async () => {
    tenkey.provider.rejectKey(key);
    const started = Date.now();
    for (let call = 0; call < 3; call += 1) {
      expect((await tenkey.chat(tenant)).body.error.code).toBe('credential_rejected');
    }
    const one = await becomes('rejected');
    expect(one.rejection.count).toBe(3);
    expect(Date.parse(one.rejection.at)).toBeGreaterThanOrEqual(started - 1);
  });

  it('clears at the next success, whichever process saw the refusal', async () => {
    tenkey.provider.rejectKey(key);
    await tenkey.chat(tenant);
    await becomes('rejected');
    tenkey.provider.reset();
    const other = await startTestApp(
      { OPENAI_BASE_URL: `${tenkey.provider.url}/v1` },
      { databaseUrl: tenkey.databaseUrl },
    );
    try {
      await other.chat(tenant).expect(200);
      expect(await becomes('ready')).toMatchObject({ rejection: null });
    } finally {
      await other.close();
    }
  });

  it('clears at a PUT, and a late result of the replaced key says nothing about the new one', async () => {
    tenkey.provider.rejectKey(key);
    await tenkey.chat(tenant);
    // The key is replaced before its rejection is written.
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-the-next-key-5678' });
    await wait(1500);
    expect(await listed()).toMatchObject({ masked_key: '...5678', status: 'ready', rejection: null });
  });

  it('clears at a verification that is accepted', async () => {
    tenkey.provider.rejectKey(key);
    await tenkey.chat(tenant);
    await becomes('rejected');
    const verify = () => tenkey.sysadmin('post', `/tenants/${tenant}/credentials/openai/verify`);
    expect((await verify()).body.outcome).toBe('rejected');
    expect((await listed()).rejection.count).toBe(2);
    tenkey.provider.reset();
    expect((await verify()).body.outcome).toBe('accepted');
    expect(await listed()).toMatchObject({ status: 'ready', rejection: null });
  });

  it('is kept for each tenant separately', async () => {
    const neighbour = await tenkey.createTenant();
    await tenkey.setCredential(neighbour, 'openai', { api_key: 'sk-key-of-the-neighbour' });
    tenkey.provider.rejectKey(key);
    await Promise.all([tenkey.chat(tenant), tenkey.chat(neighbour)]);
    await becomes('rejected');
    const { body } = await tenkey.sysadmin('get', `/tenants/${neighbour}/credentials`);
    expect(body.credentials[0]).toMatchObject({ status: 'ready', rejection: null });
  });

  it('is not written for calls that succeed as before, and written once for many simultaneous refusals', async () => {
    expect(await writesDuring(() => Promise.all(Array.from({ length: 20 }, () => tenkey.chat(tenant))))).toBe(
      0,
    );
    tenkey.provider.rejectKey(key);
    const refused = () => Promise.all(Array.from({ length: 30 }, () => tenkey.chat(tenant)));
    expect(await writesDuring(refused)).toBeLessThanOrEqual(2);
    expect((await becomes('rejected')).rejection.count).toBe(30);
  });

  it('ignores refusals that are not about the key', async () => {
    for (const status of [400, 404, 429, 500, 503]) {
      tenkey.provider.next({ status });
      tenkey.provider.next({ status });
      expect((await tenkey.chat(tenant)).status).toBeGreaterThanOrEqual(400);
      tenkey.provider.reset();
    }
    await wait(1200);
    expect(await listed()).toMatchObject({ status: 'ready', rejection: null });
  });

  describe('is written completely', () => {
    const noteOf = async (of: string, provider: string, isCleared: boolean) => {
      const [{ version }] = await tenkey.database.query(
        'select version::text from tenant_credentials where tenant_id = $1 and provider = $2',
        [of, provider],
      );
      const rejections = isCleared ? 0 : 1;
      return { tenantId: of, provider, version, isCleared, rejections, rejectedAt: new Date() };
    };
    type Notes = Awaited<ReturnType<typeof noteOf>>[];
    const write = (notes: Notes) =>
      tenkey.database.transaction((transaction) => recordTraffic(transaction, notes));
    /** The same, but `between` runs before each statement except the first. */
    const writeSlowly = (notes: Notes, between: (done: number) => Promise<unknown>) =>
      tenkey.database.transaction(async (transaction) => {
        let done = 0;
        const query = async (sql: string, parameters: unknown[]): Promise<unknown> => {
          if (done > 0) await between(done);
          done += 1;
          return transaction.query(sql, parameters);
        };
        await recordTraffic({ query } as unknown as EntityManager, notes);
      });
    beforeEach(() => tenkey.setCredential(tenant, 'mistral', { api_key: key }));
    const statuses = async () => {
      const { body } = await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`);
      return body.credentials.map((one: any) => one.status);
    };

    it('by replicas with opposite results at the same moment', async () => {
      await write([await noteOf(tenant, 'openai', false), await noteOf(tenant, 'mistral', false)]);
      const reached = [0, 0];
      // Each waits until the other has run as many statements, or is blocked by a lock.
      const meet = (self: number) => async (done: number) => {
        reached[self] = done;
        for (let ms = 0; ms < 300 && reached[1 - self]! < done; ms += 10) await wait(10);
      };
      await Promise.all([
        writeSlowly([await noteOf(tenant, 'openai', true), await noteOf(tenant, 'mistral', false)], meet(0)),
        writeSlowly([await noteOf(tenant, 'mistral', true), await noteOf(tenant, 'openai', false)], meet(1)),
      ]);
      expect((await statuses()).length).toBe(2);
    });

    it('for the other tenants when a tenant is deleted meanwhile, which is not delayed either', async () => {
      const gone = await tenkey.createTenant();
      for (const provider of ['openai', 'mistral']) {
        await tenkey.setCredential(gone, provider, { api_key: key });
      }
      await write([await noteOf(gone, 'mistral', false)]);
      let removal: Promise<number> | undefined;
      const notes = [
        await noteOf(gone, 'mistral', true),
        await noteOf(gone, 'openai', false),
        await noteOf(tenant, 'openai', false),
      ];
      await writeSlowly(notes, async () => {
        removal ??= tenkey.sysadmin('delete', `/tenants/${gone}`).then(({ status }) => status);
        await wait(100);
      });
      expect(await removal).toBe(204);
      expect(await statuses()).toEqual(['ready', 'rejected']);
      // A note about a deleted tenant does not prevent the other notes from being written.
      await write([...notes.slice(0, 2), await noteOf(tenant, 'mistral', false)]);
      expect(await statuses()).toEqual(['rejected', 'rejected']);
    });

    it('at the next attempt when the database resolves a deadlock by aborting the write', async () => {
      tenkey.provider.rejectKey(key);
      const chosen = Object.assign(new Error('deadlock detected'), { code: '40P01' });
      const transaction = jest
        .spyOn(DataSource.prototype, 'transaction')
        .mockRejectedValueOnce(new QueryFailedError('update', [], chosen));
      try {
        await tenkey.chat(tenant);
        await until(() => transaction.mock.calls.length === 2, 'another try');
      } finally {
        transaction.mockRestore();
      }
      await until(async () => (await statuses()).join() === 'ready,rejected', 'the status rejected');
    });
  });

  it('neither fails nor delays a call when it cannot be written', async () => {
    tenkey.provider.rejectKey(key);
    const warn = jest.spyOn(Logger.prototype, 'warn');
    const transaction = jest
      .spyOn(DataSource.prototype, 'transaction')
      .mockRejectedValue(new Error('the database refuses'));
    try {
      expect((await tenkey.chat(tenant)).body.error.code).toBe('credential_rejected');
      await wait(1300);
    } finally {
      transaction.mockRestore();
    }
    expect(warn.mock.calls).toEqual([['the health of 1 credentials was not written: Error']]);
    warn.mockRestore();
    expect((await tenkey.chat(tenant)).body.error.code).toBe('credential_rejected');
    await becomes('rejected');
  });

  it('is written at shutdown at the latest', async () => {
    const stopping = await startTestApp(
      { OPENAI_BASE_URL: `${tenkey.provider.url}/v1` },
      { databaseUrl: tenkey.databaseUrl },
    );
    tenkey.provider.rejectKey(key);
    await stopping.chat(tenant);
    await stopping.close();
    expect(await listed()).toMatchObject({ status: 'rejected', rejection: { count: 1 } });
  });
});
