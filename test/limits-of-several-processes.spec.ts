import { CacheService } from '#cache';
import { startTestApp, type TestApp } from './support/app';
import { issueTenantKey } from './support/keys';
import { createTestDatabase, type TestDatabase } from './support/postgres';
import { until } from './support/until';

const messages = [{ role: 'user', content: 'hello' }];

describe('the limits of a tenant key in two processes', () => {
  let database: TestDatabase;
  let processes: [TestApp, TestApp];
  let tenant: string;
  /** A key of which 50 of 60 requests were used before the second process started. */
  let usedAlone: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    const first = await startTestApp({}, { databaseUrl: database.url });
    tenant = await first.createTenant();
    await first.setCredential(tenant, 'openai', { api_key: 'sk-of-the-limited-tenant' });
    usedAlone = (await issueTenantKey(first, tenant, { requests_per_minute: 60 })).key;
    for (let request = 0; request < 50; request += 1) await list(first, usedAlone);
    const windows = await first.database.query<unknown[]>('select 1 from limit_windows');
    expect(windows).toHaveLength(0);
    processes = [first, await startTestApp({}, { databaseUrl: database.url })];
  });
  afterAll(async () => {
    for (const each of processes) await each.close();
    await database.drop();
  });

  const limited = (fields: object) => issueTenantKey(processes[0], tenant, fields);
  const list = (process: TestApp, key: string) =>
    process.http().get('/v1/models').set('authorization', `Bearer ${key}`);
  const chat = (process: TestApp, key: string, max_tokens: number) =>
    process
      .http()
      .post('/v1/chat/completions')
      .set('authorization', `Bearer ${key}`)
      .send({ model: 'gpt-4o', messages, max_tokens });

  const isLockAwaited = async () => {
    const rows = await processes[0].database.query<unknown[]>(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  };

  it('know of each other before the second one serves a call', () => {
    for (const { nest } of processes)
      expect(nest.get(CacheService, { strict: false }).processes.count).toBe(2);
  });

  it('count what the first one has used alone', async () => {
    const [first, second] = processes;
    let admitted = 0;
    for (let request = 0; request < 20; request += 1) {
      for (const process of [second, first])
        if ((await list(process, usedAlone)).status === 200) admitted += 1;
    }
    expect(admitted).toBeGreaterThanOrEqual(4);
    expect(admitted).toBeLessThanOrEqual(10);
  });

  it('admit a small limit exactly, and say when the next request fits', async () => {
    const { key } = await limited({ requests_per_minute: 5 });
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => list(processes[index % 2]!, key)),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(refused).toHaveLength(11);
    for (const { body, headers } of refused) {
      expect(body.error.message).toMatch(
        /^This key has used up its limit of 5 requests per minute\. Try again in \d+ s\.$/,
      );
      expect(Number(headers['retry-after'])).toBeGreaterThan(50);
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(61);
    }
  });

  it('admit a larger limit within a tenth, however the requests are distributed', async () => {
    for (const places of [
      [0, 0],
      [0, 1],
    ] as const) {
      const { key } = await limited({ requests_per_minute: 60 });
      let admitted = 0;
      for (let round = 0; round < 50; round += 1) {
        const answers = await Promise.all(places.map((place) => list(processes[place], key)));
        admitted += answers.filter(({ status }) => status === 200).length;
      }
      expect(admitted).toBeGreaterThanOrEqual(54);
      expect(admitted).toBeLessThanOrEqual(66);
    }
  });

  it('reserve tokens together, and use in one what a call in the other has given back', async () => {
    const [first, second] = processes;
    const { key } = await limited({ tokens_per_minute: 1000 });
    first.provider.next({ body: { choices: [] }, delayMs: 500 });
    const running = chat(first, key, 880).then((answer) => answer);
    await until(() => first.provider.calls.begun === 1, 'the call is sent');
    const refused = await chat(second, key, 500);
    expect([refused.status, refused.body.error.code]).toEqual([429, 'rate_limited']);
    expect(refused.body.error.message).toMatch(
      /may use 1000 tokens per minute, and 9\d\d are used or reserved\. This call may use 50\d\./,
    );
    // Nothing was reported, so its estimate stays.
    expect((await running).status).toBe(200);
    expect((await chat(second, key, 500)).status).toBe(429);
    const other = await limited({ tokens_per_minute: 1000 });
    expect((await chat(first, other.key, 880)).status).toBe(200);
    await until(async () => (await chat(second, other.key, 880)).status === 200, 'the rest is given back');
  });

  it('count the tokens above an estimate in both', async () => {
    const [first, second] = processes;
    const { key } = await limited({ tokens_per_minute: 1000 });
    const usage = { prompt_tokens: 10, completion_tokens: 1990, total_tokens: 2000 };
    first.provider.next({ body: { choices: [], usage } });
    expect((await chat(first, key, 10)).status).toBe(200);
    await until(async () => (await chat(second, key, 100)).status === 429, 'the other process counts them');
  });

  it('say in a refusal what they admit while they do not know what the others use, and name the limit of the key', async () => {
    const [first] = processes;
    const { id, key } = await limited({ requests_per_minute: 3, tokens_per_minute: 1000 });
    expect((await chat(first, key, 50)).status).toBe(200);
    const holder = first.database.createQueryRunner();
    await holder.startTransaction();
    await holder.query('select 1 from limit_windows where tenant_key_id = $1 and unit = $2 for update', [
      id,
      'tokens',
    ]);
    const tokens = await chat(first, key, 900);
    await holder.query('select 1 from limit_windows where tenant_key_id = $1 for update', [id]);
    const requests = await list(first, key);
    await holder.rollbackTransaction();
    await holder.release();
    expect(tokens.body.error.message).toMatch(
      /^This key may use 1000 tokens per minute\. While the database does not say what other processes use, this process admits 500 of them, and \d+ are used or reserved\. This call may use 90\d\. Try again in 5 s\.$/,
    );
    expect(requests.body.error.message).toMatch(
      /^This key may send 3 requests per minute\. While the database does not say what other processes use, this process admits 1 of them, and they are used up\. Try again in 5 s\.$/,
    );
    expect([tokens, requests].map(({ headers }) => headers['retry-after'])).toEqual(['5', '5']);
  });

  it('let a call that has waited for a share use the credential that was stored meanwhile', async () => {
    const [first, second] = processes;
    const { id, key } = await limited({ tokens_per_minute: 1000 });
    expect((await chat(first, key, 50)).status).toBe(200);
    const holder = first.database.createQueryRunner();
    await holder.connect();
    await holder.startTransaction();
    await holder.query('select 1 from limit_windows where tenant_key_id = $1 for update', [id]);
    const waiting = chat(second, key, 500).then((answer) => answer);
    await until(isLockAwaited, 'the second process waits for the window');
    const put = await first.setCredential(tenant, 'openai', { api_key: 'sk-in-place-of-the-other' });
    expect(put.status).toBeLessThan(300);
    second.provider.reset();
    await holder.rollbackTransaction();
    await holder.release();
    expect((await waiting).status).toBe(200);
    expect(second.provider.requests.at(-1)?.key).toBe('sk-in-place-of-the-other');
  });

  it('are no obstacle to a deletion, which locks their windows in the order in which a process does', async () => {
    const [first] = processes;
    const deleted = await first.createTenant();
    const ids: string[] = [];
    const greatest = () => [...ids].sort().at(-1)!;
    // The rows of the keys, and with them those of the windows, are in another order than their ids.
    do ids.push((await issueTenantKey(first, deleted)).id);
    while (greatest() === ids.at(-1));
    const { id: other } = await issueTenantKey(first, tenant);
    const insert = (tenantId: string, id: string) =>
      first.database.query(
        `insert into limit_windows select $1, $2, unit, 0, array_fill(0, array[61]) from unnest(array['tokens', 'requests']) as unit`,
        [tenantId, id],
      );
    for (const id of ids) await insert(deleted, id);
    await insert(tenant, other);
    // A few rows are read in the order in which they are stored.
    await first.database.query('analyze limit_windows');
    const lock = 'select 1 from limit_windows where tenant_key_id = $1 and unit = $2 for update nowait';
    const holder = first.database.createQueryRunner();
    for (const [path, held, next] of [
      [`/tenants/${deleted}`, [ids.at(-1), 'requests'], [greatest(), 'requests']],
      [`/tenants/${tenant}/keys/${other}`, [other, 'requests'], [other, 'tokens']],
    ] as const) {
      await holder.startTransaction();
      await holder.query(lock, [...held]);
      const deletion = first.sysadmin('delete', path).then(({ status }) => status);
      await until(isLockAwaited, 'the deletion waits for the window');
      expect(await holder.query(lock, [...next])).toHaveLength(1);
      await holder.rollbackTransaction();
      expect(await deletion).toBeLessThan(300);
    }
    await holder.release();
  });

  it('forget the windows of a key that is deleted', async () => {
    const { id, key } = await limited({ requests_per_minute: 5 });
    await list(processes[0], key);
    const windows = () =>
      processes[0].database.query<unknown[]>('select 1 from limit_windows where tenant_key_id = $1', [id]);
    expect(await windows()).toHaveLength(1);
    await processes[0].sysadmin('delete', `/tenants/${tenant}/keys/${id}`);
    expect(await windows()).toHaveLength(0);
    expect((await list(processes[1], key)).status).toBe(401);
  });
});
