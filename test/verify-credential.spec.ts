import { createServer } from 'node:net';
import { VerificationRunService } from '#credentials';
import { describeWithApp, startTestApp } from './support/app';
import { startProviderServer } from './support/provider-server';
import { until } from './support/until';

const by = { actor: 'test', requestId: 'r', address: 'local' };
const key = 'sk-verified-key-of-the-tenant-1234';

describeWithApp(
  'verifying a credential',
  { EGRESS_ALLOW: '127.0.0.1:*', UPSTREAM_TIMEOUTS: 'first_byte=1' },
  (tenkey) => {
    let tenant: string;
    beforeEach(async () => {
      tenkey.provider.reset();
      tenant = await tenkey.createTenant();
      await tenkey.setCredential(tenant, 'openai', { api_key: key });
    });

    const verify = (provider = 'openai', id = tenant) =>
      tenkey.sysadmin('post', `/tenants/${id}/credentials/${provider}/verify`);
    const putVerified = (body: object, provider = 'openai') =>
      tenkey.sysadmin('put', `/tenants/${tenant}/credentials/${provider}?verify=true`).send(body);
    const listed = async (provider = 'openai') =>
      (await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`)).body.credentials.find(
        (one: { provider: string }) => one.provider === provider,
      );

    it('asks the provider at no cost, and keeps the result with the credential and in the audit', async () => {
      const { status, body } = await verify();
      expect([status, body]).toEqual([
        200,
        {
          tenant_id: tenant,
          provider: 'openai',
          masked_key: '...1234',
          version: expect.stringMatching(/^\d+$/),
          outcome: 'accepted',
          latency_ms: expect.any(Number),
          verified_at: expect.stringMatching(/Z$/),
          message: expect.stringContaining('it accepts the key'),
        },
      ]);
      const [probe] = tenkey.provider.requests;
      expect([probe?.method, probe?.path, probe?.key]).toEqual(['GET', '/v1/models', key]);
      const { outcome, latency_ms, verified_at } = body;
      expect(await listed()).toMatchObject({
        status: 'ready',
        version: body.version,
        verification: { outcome, latency_ms, verified_at },
        rejection: null,
      });
      const audit = await tenkey.sysadmin(
        'get',
        `/audit-events?tenant_id=${tenant}&action=credential.verify`,
      );
      expect(audit.body.items).toMatchObject([
        { provider: 'openai', details: { mask: '...1234', version: body.version, outcome } },
      ]);
    });

    it.each([
      [401, {}, 'rejected'],
      [403, {}, 'forbidden'],
      [429, {}, 'quota'],
      [402, {}, 'quota'],
      [301, { headers: { location: 'http://127.0.0.1:1/' } }, 'wrong_host'],
      [404, {}, 'wrong_host'],
      [405, {}, 'wrong_host'],
      [421, {}, 'wrong_host'],
      [200, { body: '<html></html>', headers: { 'content-type': 'text/html' } }, 'wrong_host'],
      [
        401,
        { body: { error: { message: 'Your IP is not authorized: IP not authorized' } } },
        'network_rules',
      ],
      [440, {}, 'unknown'],
      [418, { body: 'not JSON {' }, 'unknown'],
      [500, {}, 'unknown'],
      [503, {}, 'unknown'],
      [599, { body: '<html>' }, 'unknown'],
    ])('interprets status %d correctly (%o: %s)', async (status, answer, outcome) => {
      tenkey.provider.next({ status, ...answer });
      const { status: ours, body } = await verify();
      expect([ours, body.outcome]).toEqual([200, outcome]);
      expect(tenkey.provider.requests).toHaveLength(1);
      expect((await listed()).verification.outcome).toBe(outcome);
      expect((await listed()).status).toBe(outcome === 'rejected' ? 'rejected' : 'ready');
    });

    it('interprets a refusal by the rule of the provider’s own file', async () => {
      const other = await startTestApp({ GEMINI_BASE_URL: `${tenkey.provider.url}/gemini` });
      try {
        const id = await other.createTenant();
        await other.setCredential(id, 'gemini', { api_key: key });
        tenkey.provider.next({
          status: 400,
          body: [{ error: { message: 'API key not valid. Please pass a valid API key.' } }],
        });
        const ask = other.sysadmin('post', `/tenants/${id}/credentials/gemini/verify`);
        expect((await ask).body.outcome).toBe('rejected');
      } finally {
        await other.close();
      }
    });

    it('accepts the refusal of an impossible request as proof of the key, where the list of models is public', async () => {
      await tenkey.setCredential(tenant, 'berget', { api_key: key });
      tenkey.provider.next({ status: 404 });
      expect((await verify('berget')).body.outcome).toBe('accepted');
      const [probe] = tenkey.provider.requests;
      expect([probe?.method, probe?.path]).toEqual(['POST', '/v1/chat/completions']);
      tenkey.provider.next({ status: 401 });
      expect((await verify('berget')).body.outcome).toBe('rejected');
    });

    it('gives unreachable for a provider that does not respond in time, breaks off or does not listen', async () => {
      tenkey.provider.next({ delayMs: 3000 });
      const slow = await verify();
      expect(slow.body).toMatchObject({ outcome: 'unreachable' });
      expect(slow.body.latency_ms).toBeLessThan(3000);
      await tenkey.setCredential(tenant, 'vllm', { api_key: key });
      expect((await verify('vllm')).body).toMatchObject({ outcome: 'unreachable', latency_ms: 0 });
      const port = await closedPort();
      await tenkey.setCredential(tenant, 'vllm', { api_key: key, endpoint: `http://127.0.0.1:${port}` });
      expect((await verify('vllm')).body.outcome).toBe('unreachable');
    });

    it('sends nothing to an address that calls must not reach, even when only its name resolves to it', async () => {
      const strict = await startTestApp({ EGRESS_ALLOW: undefined }, { databaseUrl: tenkey.databaseUrl });
      try {
        const provider = await startProviderServer();
        // Allowed when it was set, as a name that resolves to this address only later would be.
        await tenkey.setCredential(tenant, 'vllm', { api_key: key, endpoint: provider.url });
        const answer = await strict.sysadmin('post', `/tenants/${tenant}/credentials/vllm/verify`);
        expect([answer.status, answer.body.outcome]).toEqual([200, 'unreachable']);
        expect(answer.body.message).toContain('a loopback address');
        expect(provider.requests).toHaveLength(0);
        await provider.close();
      } finally {
        await strict.close();
      }
    });

    it('sends a stored key to the endpoint it is stored with and to no other', async () => {
      const thief = await startProviderServer();
      try {
        for (const body of [{ endpoint: thief.url }, { api_key: key }, [], 'text', 1, null]) {
          const answer = await verify()
            .set('content-type', 'application/json')
            .send(JSON.stringify(body) as never);
          expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed']);
        }
        expect((await verify().send({})).status).toBe(200);
        // Another endpoint without the key again is refused; with one, that key is asked about and not the stored one.
        expect((await putVerified({ endpoint: thief.url })).status).toBe(422);
        expect(thief.requests).toHaveLength(0);
        await putVerified({ endpoint: thief.url, api_key: 'sk-the-key-of-the-thief' });
        expect(thief.requests.map((request) => request.key)).toEqual(['sk-the-key-of-the-thief']);
        // An endpoint that was changed in SQL no longer fits the seal.
        await tenkey.edit(
          `UPDATE tenant_credentials SET settings = $1 WHERE tenant_id = $2 AND provider = 'openai'`,
          [JSON.stringify({ endpoint: `${thief.url}/v1` }), tenant],
        );
        const edited = await verify();
        expect([edited.status, edited.body.code]).toEqual([424, 'credential_tampered']);
        expect(thief.requests).toHaveLength(1);
      } finally {
        await thief.close();
      }
    });

    it('names what is missing', async () => {
      expect((await verify('mistral')).body.code).toBe('credential_not_configured');
      expect((await verify('openai', '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10')).body.code).toBe(
        'tenant_not_found',
      );
      expect((await verify('no-such')).body.code).toBe('validation_failed');
      expect((await verify('openai', 'no-uuid')).body.code).toBe('validation_failed');
    });

    describe('before it is stored', () => {
      it('keeps the previous credential when the provider refuses the new one', async () => {
        const before = await listed();
        for (const status of [401, 403]) {
          tenkey.provider.next({ status, echoRequestHeaders: true });
          const answer = await putVerified({ api_key: 'sk-a-refused-key-5678' });
          expect([answer.status, answer.body.code]).toEqual([422, 'credential_validation_failed']);
          expect(answer.body.errors).toEqual([
            { path: 'api_key', message: expect.stringContaining('openai: ') },
          ]);
          expect(answer.text).not.toContain('refused-key');
        }
        expect(await listed()).toEqual(before);
        tenkey.provider.reset();
        await tenkey.chat(tenant).expect(200);
        expect(tenkey.provider.requests[0]?.key).toBe(key);
      });

      it('stores a key that is accepted and one that could not be verified, and says which', async () => {
        const accepted = await putVerified({ api_key: 'sk-an-accepted-key-5678' });
        expect([accepted.status, accepted.body.verification]).toEqual([
          200,
          { outcome: 'accepted', latency_ms: expect.any(Number), verified_at: expect.any(String) },
        ]);
        expect(await listed()).toMatchObject({
          masked_key: '...5678',
          verification: accepted.body.verification,
        });
        for (const [status, outcome] of [
          [500, 'unknown'],
          [429, 'quota'],
          [404, 'wrong_host'],
        ] as const) {
          tenkey.provider.next({ status });
          const answer = await putVerified({ api_key: `sk-another-key-${status}` });
          expect([answer.status, answer.body.verification.outcome]).toEqual([200, outcome]);
          expect(answer.body.message).toContain(`status ${status}`);
          expect(await listed()).toMatchObject({ masked_key: `...-${status}`, verification: { outcome } });
        }
        const without = await tenkey.setCredential(tenant, 'openai', { api_key: key });
        expect(without.body).not.toHaveProperty('verification');
        expect((await listed()).verification).toBeNull();
      });

      it('accepts true or false and nothing else', async () => {
        const put = (query: string) =>
          tenkey.sysadmin('put', `/tenants/${tenant}/credentials/openai?${query}`).send({ api_key: key });
        for (const query of ['verify=', 'verify=1', 'verify=yes', 'verify=true&verify=true']) {
          const answer = await put(query);
          expect([query, answer.status, answer.body.code]).toEqual([query, 422, 'validation_failed']);
        }
        tenkey.provider.reset();
        expect((await put('verify=false')).status).toBe(200);
        expect(tenkey.provider.requests).toHaveLength(0);
      });
    });

    describe('and its expiry', () => {
      const day = 24 * 60 * 60 * 1000;
      const put = (expires_at: unknown) =>
        tenkey.setCredential(tenant, 'openai', { api_key: key, expires_at });

      it('is set, shown, and cleared by null and by leaving it out', async () => {
        for (const [given, shown] of [
          ['2090-06-30', '2090-06-30T00:00:00.000Z'],
          ['2090-06-30T12:30:00+02:00', '2090-06-30T10:30:00.000Z'],
        ]) {
          expect((await put(given)).status).toBe(200);
          expect(await listed()).toMatchObject({ expires_at: shown, status: 'ready', config: {} });
        }
        await put(null);
        expect((await listed()).expires_at).toBeNull();
        await put('2090-06-30');
        await put(undefined);
        expect((await listed()).expires_at).toBeNull();
      });

      it('shows expiring within 30 days and expired after, and still uses the key', async () => {
        for (const [inDays, status] of [
          [31, 'ready'],
          [29, 'expiring'],
          [0.5, 'expiring'],
          [-1, 'expired'],
        ] as const) {
          const answer = await put(new Date(Date.now() + inDays * day).toISOString());
          expect((await listed()).status).toBe(status);
          expect(answer.body.message.includes('in the past')).toBe(status === 'expired');
          await tenkey.chat(tenant).expect(200);
        }
      });

      it('refuses an invalid date, and the response shows the expected form', async () => {
        for (const bad of [
          'soon',
          '2026-02-30',
          '30.06.2030',
          '2030-06-30T12:00',
          '',
          5,
          {},
          [],
          true,
          '1999-01-01',
        ]) {
          const answer = await put(bad);
          expect([bad, answer.status, answer.body.code]).toEqual([bad, 422, 'credential_validation_failed']);
          expect(answer.body.errors[0].path).toBe('expires_at');
          expect(answer.body.errors[0].message).toContain('2030-06-30');
        }
        const slip = await tenkey.setCredential(tenant, 'openai', { api_key: key, expire_at: '2030-01-01' });
        expect(slip.body.errors).toMatchObject([{ path: 'expires_at' }]);
      });

      it('is covered by the seal, which rows without a date still match', async () => {
        await put(undefined);
        const setTo = (value: string) =>
          tenkey.edit(
            `UPDATE tenant_credentials SET expires_at = ${value} WHERE tenant_id = $1 AND provider = 'openai'`,
            [tenant],
          );
        expect((await listed()).status).toBe('ready');
        await setTo(`'2090-01-01'`);
        expect((await listed()).status).toBe('tampered');
        await setTo('null');
        expect((await listed()).status).toBe('ready');
        await put('2090-01-01');
        await setTo('null');
        expect((await listed()).status).toBe('tampered');
        await setTo(`'infinity'`);
        expect((await listed()).status).toBe('tampered');
      });
    });
  },
);

describeWithApp('verifying many credentials', (tenkey) => {
  const path = '/credentials/verify';
  const start = (query = '') => tenkey.sysadmin('post', path + query);
  const latest = async () => (await tenkey.sysadmin('get', path)).body.verification;
  const ended = () => until(async () => (await latest()).state === 'finished', 'the end of the verification');
  /** Continues where a process was killed: as if its time for the batch were over. */
  const letOthersContinue = () => tenkey.edit('UPDATE verification_run SET next_at = now()');
  const bad = 'sk-refused-by-the-provider-9999';
  const ids: string[] = [];
  const actions = async () => {
    const { body } = await tenkey.sysadmin('get', '/audit-events?limit=1000');
    const all = (body.items as { action: string }[]).map(({ action }) => action);
    return all.filter((action) => /^credential\..*verif/.test(action)).reverse();
  };

  beforeAll(async () => {
    for (let count = 0; count < 14; count += 1) {
      const id = await tenkey.createTenant(`tenant-${count}`);
      ids.push(id);
      await tenkey.setCredential(id, 'openai', { api_key: count === 3 ? bad : `sk-of-tenant-${count}-1234` });
    }
    await tenkey
      .sysadmin('put', `/tenants/${ids[0]}/credentials/mistral?stage=true`)
      .send({ api_key: 'sk-staged-for-mistral-5678' });
    await tenkey.setCredential(ids[1]!, 'groq', { api_key: 'sk-in-clear-soon-4321' });
    await tenkey.edit(`UPDATE tenant_credentials SET sealed_api_key = 'in clear' WHERE provider = 'groq'`);
    tenkey.provider.rejectKey(bad);
  });

  it('runs without its client, stores what it finds, and is audited once', async () => {
    expect(await latest()).toBeNull();
    const { status, body } = await start();
    expect([status, body]).toMatchObject([202, { state: 'running', filter: {}, total: 16, verified: 0 }]);
    const second = await start();
    expect([second.status, second.body.code]).toEqual([409, 'verification_conflict']);
    expect(second.body.detail).toMatch(/^A verification is running: \d+ of 16 credentials are verified\.$/);
    expect((await start('?resume=true')).body.state).toBe('running');
    const began = Date.now();
    await ended();
    // Two batches, of which the second begins a second after the first.
    expect(Date.now() - began).toBeGreaterThan(500);
    const run = await latest();
    expect(run).toMatchObject({ total: 16, verified: 16, not_accepted: 2 });
    expect(run.faults).toHaveLength(2);
    const fault = { slot: 'live', tenant: expect.any(String) };
    expect(run.faults).toContainEqual({
      ...fault,
      tenant_id: ids[3],
      provider: 'openai',
      masked_key: '...9999',
      outcome: 'rejected',
    });
    expect(run.faults).toContainEqual(
      expect.objectContaining({ ...fault, provider: 'groq', outcome: 'credential_plaintext' }),
    );
    const keys = tenkey.provider.requests.map((request) => request.key);
    expect(new Set(keys).size).toBe(15);
    const rows = (await tenkey.sysadmin('get', '/credentials')).body.items as {
      provider: string;
      staged: boolean;
      verification: { outcome: string } | null;
    }[];
    const outcomes = rows.map(({ verification }) => verification?.outcome ?? 'none').sort();
    expect(outcomes).toEqual([...Array<string>(14).fill('accepted'), 'none', 'rejected']);
    expect(await actions()).toEqual(['credential.verify_all']);
  });

  it('verifies only what the filter selects, and refuses what it does not know', async () => {
    tenkey.provider.reset();
    tenkey.provider.rejectKey(bad);
    await letOthersContinue();
    const { body } = await start('?status=rejected&provider=openai');
    expect(body).toMatchObject({ total: 1, filter: { status: 'rejected', provider: 'openai' } });
    await ended();
    expect(tenkey.provider.requests.map((request) => request.key)).toEqual([bad]);
    for (const query of ['?provder=openai', '?status=no', '?resume=true&provider=openai']) {
      const { status } = await start(query);
      expect([query, status]).toEqual([query, 422]);
    }
    expect((await start('?resume=true')).body.code).toBe('verification_conflict');
    const withBody = await start().send({ api_key: 'sk-another-key-of-someone' });
    expect([withBody.status, withBody.body.code]).toEqual([422, 'validation_failed']);
  });

  it('can be paused and resumed, and is continued when the process that worked on it was killed', async () => {
    tenkey.provider.reset();
    const runs = tenkey.nest.get(VerificationRunService, { strict: false });
    await letOthersContinue();
    expect((await tenkey.sysadmin('post', `${path}/pause`)).body.code).toBe('verification_conflict');
    await runs.start({ provider: 'openai' }, by);
    expect(await runs.batch()).toMatchObject({ state: 'running', verified: 10 });
    expect((await tenkey.sysadmin('post', `${path}/pause`)).body).toMatchObject({
      state: 'paused',
      verified: 10,
    });
    await letOthersContinue();
    expect(await runs.batch()).toBeUndefined();
    // A process has reserved the next batch and was killed.
    await tenkey.edit(`UPDATE verification_run SET state = 'running', next_at = now() + interval '1 hour'`);
    expect(await runs.batch()).toBeUndefined();
    expect(await latest()).toMatchObject({ state: 'running', verified: 10 });
    await letOthersContinue();
    await ended();
    expect(await latest()).toMatchObject({ verified: 14, total: 14, not_accepted: 0, faults: [] });
    const keys = tenkey.provider.requests.map((request) => request.key);
    expect([keys.length, new Set(keys).size]).toEqual([14, 14]);
  });

  it('a batch whose process was taken for killed changes nothing of the next run', async () => {
    const runs = tenkey.nest.get(VerificationRunService, { strict: false });
    await letOthersContinue();
    await runs.start({ provider: 'openai' }, by);
    tenkey.provider.next({ delayMs: 300 });
    const late = runs.batch();
    await until(() => tenkey.provider.calls.open > 0, 'a request to the provider');
    await runs.pause(by);
    await runs.start({ provider: 'groq' }, by);
    expect(await late).toBeUndefined();
    expect(await latest()).toMatchObject({ verified: 0, filter: { provider: 'groq' } });
    await letOthersContinue();
    await ended();
  });
});

function closedPort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}
