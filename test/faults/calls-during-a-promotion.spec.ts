import { setTimeout as wait } from 'node:timers/promises';
import { describeWithApp, platformKey } from '../support/app';
import { until } from '../support/until';

const oldKey = 'sk-key-before-the-promotion-aaaa';
const newKey = 'sk-key-after-the-promotion-bbbb';

describeWithApp('calls during a promotion', (tenkey) => {
  let tenant: string;
  beforeEach(async () => {
    tenkey.provider.reset();
    tenant = await ready(oldKey, newKey);
  });

  const path = (suffix = '', id = tenant) => `/tenants/${id}/credentials/openai${suffix}`;
  const post = (suffix: string, id = tenant) => tenkey.sysadmin('post', path(suffix, id));
  const stage = (api_key: string, id = tenant) =>
    tenkey.sysadmin('put', path('?stage=true', id)).send({ api_key });
  const listed = async (id = tenant) =>
    (await tenkey.sysadmin('get', `/tenants/${id}/credentials`)).body.credentials[0];
  /** A tenant with one key live and one staged. */
  const ready = async (live: string, staged: string) => {
    const id = await tenkey.createTenant();
    await tenkey.setCredential(id, 'openai', { api_key: live });
    await stage(staged, id);
    return id;
  };
  const base = () => `http://127.0.0.1:${(tenkey.nest.getHttpServer().address() as { port: number }).port}`;
  const call = (id: string, content: string, fields: object = {}) =>
    fetch(`${base()}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': id },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }], ...fields }),
    });

  it('finish with the key that they started with, and what they find out is recorded for that key', async () => {
    const { version } = await listed();
    // The refusal comes last, because a later success would clear it.
    tenkey.provider.next({ status: 401, delayMs: 900 });
    tenkey.provider.next({ delayMs: 500 });
    const calls = [call(tenant, 'refused'), call(tenant, 'answered')];
    await until(() => tenkey.provider.requests.length === 2, 'both calls arrived');
    const promoted = await post('/promote');
    expect([promoted.status, promoted.body.replaced.version]).toEqual([200, version]);
    expect(tenkey.provider.calls.open).toBe(2);
    const answers = await Promise.all(calls);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 424]);
    const refused = (await answers.find(({ status }) => status === 424)!.json()) as any;
    expect(refused.error.message).toContain('...aaaa');
    const answered = answers.find(({ status }) => status === 200)!;
    expect(answered.headers.get('x-tenkey-credential')).toBe(`openai/...aaaa/v${version}`);
    expect(tenkey.provider.requests.map(({ key }) => key)).toEqual([oldKey, oldKey]);
    await until(async () => (await listed()).previous.status === 'rejected', 'the refusal was noted');
    expect(await listed()).toMatchObject({
      masked_key: '...bbbb',
      status: 'ready',
      rejection: null,
      previous: { version, rejection: { count: 1 } },
    });
    // The same for a key that is rolled back meanwhile: the success belongs to the key that is now staged.
    tenkey.provider.next({ status: 401 });
    await call(tenant, 'refused');
    await until(async () => (await listed()).status === 'rejected', 'the refusal of the new key was noted');
    tenkey.provider.next({ delayMs: 600 });
    const last = call(tenant, 'answered');
    await until(() => tenkey.provider.requests.length === 4, 'the last call arrived');
    await post('/rollback');
    expect((await last).status).toBe(200);
    await until(async () => (await listed()).staged.status === 'ready', 'the success was noted');
    expect(await listed()).toMatchObject({ version, status: 'rejected', rejection: { count: 1 } });
  });

  it('record nothing for any key when their own is removed before they finish', async () => {
    tenkey.provider.next({ status: 401, delayMs: 600 });
    const refused = call(tenant, 'refused');
    await until(() => tenkey.provider.requests.length === 1, 'the call arrived');
    await post('/promote');
    await tenkey.sysadmin('delete', path('?slot=previous'));
    expect((await refused).status).toBe(424);
    await wait(1500);
    expect(await listed()).toMatchObject({ masked_key: '...bbbb', status: 'ready', rejection: null });
    const left = await tenkey.database.query('SELECT 1 FROM credential_health WHERE tenant_id = $1', [
      tenant,
    ]);
    expect(left).toEqual([]);
  });

  it('are streamed to the end with the key that they started with, and not retried after the promotion', async () => {
    const { version } = await listed();
    tenkey.provider.next({ status: 503, delayMs: 400 });
    tenkey.provider.next({ chunkDelayMs: 150 });
    const again = call(tenant, 'again');
    await until(() => tenkey.provider.requests.length === 1, 'the first try arrived');
    const streamed = await call(tenant, 'one two three four five', { stream: true });
    expect(streamed.headers.get('x-tenkey-credential')).toBe(`openai/...aaaa/v${version}`);
    expect((await post('/promote')).status).toBe(200);
    expect(tenkey.provider.calls.open).toBeGreaterThanOrEqual(1);
    expect(await streamed.text()).toContain('[DONE]');
    expect((await again).status).toBe(502);
    expect(tenkey.provider.requests.map(({ key }) => key)).toEqual([oldKey, oldKey]);
    expect((await call(tenant, 'next')).status).toBe(200);
    expect(tenkey.provider.requests.at(-1)?.key).toBe(newKey);
  });

  it('carry the key of the version in their response, and never another tenant’s, while keys are swapped', async () => {
    const neighbour = await ready('sk-key-of-the-neighbour-cccc', 'sk-next-key-of-the-neighbour-dddd');
    const keyOf = new Map<string, string>();
    for (const [id, live, staged] of [
      [tenant, oldKey, newKey],
      [neighbour, 'sk-key-of-the-neighbour-cccc', 'sk-next-key-of-the-neighbour-dddd'],
    ] as const) {
      const one = await listed(id);
      keyOf.set(`${id} ${one.version}`, live).set(`${id} ${one.staged.version}`, staged);
    }
    tenkey.provider.reset();
    let isOver = false;
    const said = new Map<string, string>();
    const caller = async (id: string, name: string) => {
      for (let each = 0; !isOver; each += 1) {
        const marker = `${name} ${each}.`;
        const answer = await call(id, marker);
        await answer.text();
        if (answer.status !== 200) throw new Error(`${marker} ${answer.status}`);
        const version = /\/v(\d+)$/.exec(answer.headers.get('x-tenkey-credential') ?? '')?.[1];
        said.set(marker, `${id} ${version}`);
      }
    };
    /** Each read shows one of the two states as a whole. */
    const looker = async (id: string) => {
      const [first, second] = [...keyOf.keys()]
        .filter((key) => key.startsWith(id))
        .map((key) => key.split(' ')[1]);
      const states = [
        [first, second, undefined],
        [second, undefined, first],
      ];
      for (; !isOver; await wait(5)) {
        const { version, staged, previous } = await listed(id);
        expect(states).toContainEqual([version, staged?.version, previous?.version]);
      }
    };
    const swapper = async (id: string) => {
      for (let round = 0; round < 25; round += 1) {
        for (const step of ['/promote', '/rollback']) expect((await post(step, id)).status).toBe(200);
      }
    };
    const others = [tenant, neighbour].flatMap((id, at) => [
      looker(id),
      ...[1, 2, 3, 4].map((each) => caller(id, `caller ${at}-${each}`)),
    ]);
    const swapping = Promise.all([tenant, neighbour].map(swapper)).finally(() => (isOver = true));
    await Promise.all([...others, swapping]);
    expect(said.size).toBeGreaterThan(100);
    expect(tenkey.provider.requests).toHaveLength(said.size);
    for (const { body, key } of tenkey.provider.requests) {
      const version = said.get(body.messages[0].content) ?? '';
      if (key === undefined || keyOf.get(version) !== key)
        throw new Error(`a call of ${version} had another key`);
    }
    // All four keys were used during the swaps.
    expect(new Set(said.values())).toEqual(new Set(keyOf.keys()));
  }, 60_000);

  it('see only one of two simultaneous promotions or rollbacks', async () => {
    for (let round = 0; round < 8; round += 1) {
      const promotions = await Promise.all([post('/promote'), post('/promote')]);
      expect(promotions.map(({ body }) => body.code ?? 'done').sort()).toEqual([
        'credential_not_staged',
        'done',
      ]);
      expect((await listed()).masked_key).toBe('...bbbb');
      const rollbacks = await Promise.all([post('/rollback'), post('/rollback')]);
      expect(rollbacks.map(({ body }) => body.code ?? 'done').sort()).toEqual([
        'credential_conflict',
        'done',
      ]);
      expect(await listed()).toMatchObject({ masked_key: '...aaaa', staged: { masked_key: '...bbbb' } });
    }
  });

  it('find the result of one order of all simultaneous changes, and the audit has that order', async () => {
    const rounds = 12;
    for (let round = 0; round < rounds; round += 1) {
      const id = await ready(oldKey, newKey);
      if (round % 2 === 0) await post('/promote', id);
      const changes = [
        post('/promote', id),
        tenkey.setCredential(id, 'openai', { api_key: `sk-set-in-round-${round}-eeee` }),
        post('/rollback', id),
        ...(round % 3 === 0 ? [tenkey.sysadmin('delete', path('', id))] : []),
        stage(`sk-staged-in-round-${round}-ffff`, id),
        tenkey.sysadmin('delete', path('?slot=staged', id)),
        post('/promote', id),
      ];
      const answers = await Promise.all(changes.slice(round % 4).concat(changes.slice(0, round % 4)));
      expect(answers.filter(({ status }) => ![200, 404, 409].includes(status))).toEqual([]);
      const audit = await tenkey.sysadmin('get', `/audit-events?tenant_id=${id}&outcome=done`);
      const changed = audit.body.items.reverse().slice(1);
      expect(await slotsOf(id)).toEqual(replayed(changed));
      // Each successful change is one event, in addition to the two or three events of the preparation.
      const done = answers.filter(({ status, body }) => status === 200 && body.deleted !== false);
      expect(changed).toHaveLength(done.length + 2 + ((round + 1) % 2));
    }
  });

  it('keep using the live key when the database fails in the middle of a promotion', async () => {
    const before = await listed();
    const holding = tenkey.database.createQueryRunner();
    await holding.startTransaction();
    await holding.query('SELECT 1 FROM audit_head FOR UPDATE');
    const promoting = Promise.resolve(post('/promote'));
    const waiting = () =>
      tenkey.database.query<{ pid: number }[]>(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
    await until(async () => (await waiting()).length === 1, 'the promotion waits for the audit');
    // By now the promotion has run all but its last statement.
    await tenkey.database.query('SELECT pg_terminate_backend($1)', [(await waiting())[0]!.pid]);
    expect((await promoting).body.code).toBe('credential_store_unavailable');
    await holding.rollbackTransaction();
    await holding.release();
    expect(await listed()).toEqual(before);
    expect((await call(tenant, 'next')).status).toBe(200);
    expect(tenkey.provider.requests.at(-1)?.key).toBe(oldKey);
    expect((await post('/promote')).status).toBe(200);
  });

  type Slots = { live?: string; staged?: string; previous?: string };

  /** Versions by slot, as stored. */
  async function slotsOf(id: string): Promise<Slots> {
    const rows = await tenkey.database.query<{ slot: keyof Slots; version: string }[]>(
      `SELECT 'live' AS slot, version::text FROM tenant_credentials WHERE tenant_id = $1
       UNION ALL SELECT slot, version::text FROM credential_slots WHERE tenant_id = $1`,
      [id],
    );
    return Object.fromEntries(rows.map(({ slot, version }) => [slot, version]));
  }

  /** The slots after replaying the audited changes. Each change must start from the state that the previous one left. */
  function replayed(events: readonly any[]): Slots {
    let now: Slots = {};
    for (const { action, details } of events) {
      const [before, after] = [details.before?.version, details.after?.version];
      const { live, staged, previous } = now;
      switch (action) {
        case 'credential.set':
          expect([before, details.dropped?.previous.version]).toEqual([live, previous]);
          now = { live: after, staged };
          break;
        case 'credential.stage':
          expect(before).toBe(staged);
          now = { ...now, staged: after };
          break;
        case 'credential.promote':
          expect([before, after]).toEqual([live, staged]);
          now = { live: after, previous: live };
          break;
        case 'credential.rollback':
          expect([before, after]).toEqual([live, previous]);
          now = { live: after, staged: staged ?? live };
          break;
        case 'credential.discard':
          expect(before).toBe(staged);
          now = { live, previous };
          break;
        case 'credential.delete':
          expect(before).toBe(live);
          now = {};
          break;
        default:
          throw new Error(`no such change: ${action}`);
      }
    }
    return Object.fromEntries(Object.entries(now).filter(([, version]) => version !== undefined));
  }
});
