import { type TestApp } from '../support/app';
import { type Gate } from '../support/gate';
import { startGatedApp } from '../support/gated-app';
import { until } from '../support/until';
import { FaultRow } from './fault-rows';

describe('an outage of the database', () => {
  let tenkey: TestApp;
  let gate: Gate;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ tenkey, gate, close } = await startGatedApp());
  });
  afterAll(() => close());

  it('gives a 503 in our shape everywhere, calls no provider, changes nothing, and needs no restart afterwards', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-before-the-outage-1234' });
    gate.shut();
    tenkey.provider.reset();
    const put = await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-during-the-outage-1234' });
    expect([put.status, put.body.code]).toEqual([503, 'credential_store_unavailable']);
    const away = 'The database of Tenkey cannot be reached, or is busy.';
    expect(put.body.detail).toBe(`${away} Nothing was changed. Try again shortly.`);
    const chat = await tenkey.chat(tenant);
    expect([chat.status, chat.body.error.code]).toEqual([503, 'credential_store_unavailable']);
    const list = await tenkey.sysadmin('get', '/tenants');
    expect([list.status, list.body.code]).toEqual([503, 'credential_store_unavailable']);
    for (const { detail } of [list.body, { detail: chat.body.error.message }]) {
      expect(detail).toBe(`${away} Try again shortly.`);
    }
    const ready = await tenkey.http().get('/ready');
    expect([ready.status, ready.body.database]).toEqual([503, 'unavailable']);
    expect((await tenkey.http().get('/health')).status).toBe(200);
    expect(tenkey.provider.requests).toHaveLength(0);

    gate.open();
    expect((await tenkey.chat(tenant)).status).toBe(200);
    expect(tenkey.provider.requests.at(-1)?.key).toBe('sk-before-the-outage-1234');
    expect((await tenkey.http().get('/ready')).status).toBe(200);
  });

  it('does not stop calls while changes wait for a lock on the end of the audit, and the response then says so', async () => {
    const [changing, calling] = [await tenkey.createTenant(), await tenkey.createTenant()];
    await tenkey.setCredential(calling, 'openai', { api_key: 'sk-of-those-that-only-call' });
    const holder = tenkey.database.createQueryRunner();
    await holder.connect();
    await holder.startTransaction();
    try {
      await holder.query('select 1 from audit_head for update');
      const changes = Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          tenkey.setCredential(changing, 'openai', { api_key: `sk-that-waits-for-its-turn-${index}` }),
        ),
      );
      const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await until(
        async () => (await tenkey.database.query<unknown[]>(waiting)).length > 0,
        'a change that waits',
      );
      const began = Date.now();
      expect((await tenkey.chat(calling)).status).toBe(200);
      expect((await tenkey.http().get('/ready')).status).toBe(200);
      // The call did not succeed merely because the changes had given up.
      expect(Date.now() - began).toBeLessThan(4000);
      for (const { status, body } of await changes)
        expect([status, body.code]).toEqual([503, 'credential_store_unavailable']);
    } finally {
      await holder.rollbackTransaction();
      await holder.release();
    }
    const { body } = await tenkey.sysadmin('get', `/tenants/${changing}/credentials`);
    expect(body.credentials).toEqual([]);
    expect((await tenkey.setCredential(changing, 'openai', { api_key: 'sk-afterwards' })).status).toBe(200);
  });

  it('does not make a response claim that nothing changed when the result of a commit is lost', async () => {
    const tenant = await tenkey.createTenant();
    const masks = async () =>
      (await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`)).body.credentials.map(
        (one: { masked_key: string }) => one.masked_key,
      );
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-before-the-commit-1234' });
    gate.loseNextCommit();
    const row = new FaultRow('the result of a commit is lost: a credential is set');
    const put = await row.timed(
      tenkey.setCredential(tenant, 'openai', { api_key: 'sk-of-the-lost-commit-5678' }),
    );
    row.reached = put.status === 503 ? 1 : 0;
    row.wrong = /may or may not/.test(put.body.detail) ? 0 : 1;
    row.report();
    expect([put.status, put.body.code, put.body.detail]).toEqual([
      503,
      'credential_store_unavailable',
      'The database of Tenkey cannot be reached, or is busy. The change may or may not have been made: check that before you repeat it.',
    ]);
    await until(async () => (await masks()).join() === '...5678', 'the commit arrives');
  });

  it('right after a commit does not hide that a tenant was created or changed', async () => {
    gate.shutAfterNextCommit();
    const made = await tenkey.sysadmin('post', '/tenants').send({ name: 'made-all-the-same' });
    expect([made.status, made.body.name, made.body.state]).toEqual([201, 'made-all-the-same', 'active']);
    expect((await tenkey.sysadmin('get', '/tenants')).status).toBe(503);
    gate.open();
    gate.shutAfterNextCommit();
    const changed = await tenkey.sysadmin('patch', `/tenants/${made.body.id}`).send({ state: 'suspended' });
    expect([changed.status, changed.body.state]).toEqual([200, 'suspended']);
    gate.open();
    expect((await tenkey.sysadmin('get', `/tenants/${made.body.id}`)).body).toEqual(changed.body);
  });
});
