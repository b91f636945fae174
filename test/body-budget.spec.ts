import { once } from 'node:events';
import { type IncomingMessage, request as send } from 'node:http';
import { describeWithApp, platformKey } from './support/app';
import { issueTenantKey } from './support/keys';
import { until } from './support/until';

const budget = 100_000;
/** More than half of the budget, so that two do not fit. */
const most = 'x'.repeat(60_000);
const bodyOf = (content: string, extra: object = {}) =>
  JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }], ...extra });

const settings = {
  MAX_BUFFERED_BYTES: String(budget),
  MAX_BODY_BYTES: '65536',
  MAX_CALLS_PER_TENANT: '3',
  CALL_WAIT_SECONDS: '2',
};

describeWithApp('the memory for the bodies of calls', settings, (tenkey) => {
  let tenant: string;
  let port: number;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-for-the-budget' });
    ({ port } = tenkey.nest.getHttpServer().address() as { port: number });
  });
  beforeEach(() => tenkey.provider.reset());

  /** Starts a call; `length` false: its body comes in chunks, and Tenkey does not know how long it is. */
  function start(
    body: string,
    { length = true, path = '/v1/chat/completions', type = 'application/json' } = {},
  ) {
    const headers = {
      'x-api-key': platformKey,
      'x-tenant-id': tenant,
      'content-type': type,
      ...(length && { 'content-length': String(Buffer.byteLength(body)) }),
    };
    const outgoing = send({ port, host: '127.0.0.1', path, method: 'POST', headers, agent: false });
    outgoing.on('error', () => undefined);
    const response = once(outgoing, 'response').then(([incoming]) => incoming as IncomingMessage);
    response.catch(() => undefined);
    outgoing.end(body);
    return { outgoing, response };
  }

  async function textOf(response: IncomingMessage): Promise<string> {
    let text = '';
    for await (const part of response) text += String(part);
    return text;
  }

  async function resultOf(body: string, options?: Parameters<typeof start>[1]) {
    const response = await start(body, options).response;
    const { 'retry-after': retryAfter } = response.headers;
    return { status: response.statusCode, retryAfter, text: await textOf(response) };
  }

  it.each([true, false])(
    'is full while calls wait for their provider, and free once they have a response (length known: %s)',
    async (length) => {
      tenkey.provider.next({ delayMs: 1000, chunkDelayMs: 50 });
      const first = start(bodyOf(most, { stream: true }), { length });
      await until(() => tenkey.provider.calls.begun === 1, 'the first call reaches the provider');
      const refused = await resultOf(bodyOf(most), { length });
      expect(refused).toMatchObject({ status: 503, retryAfter: '1' });
      expect(JSON.parse(refused.text)).toMatchObject({
        error: { code: 'overloaded', type: 'overloaded_error' },
      });
      expect(tenkey.provider.calls.begun).toBe(1);
      // A small call still fits.
      expect(await resultOf(bodyOf('hello'), { length })).toMatchObject({ status: 200 });
      const response = await first.response;
      expect(response.statusCode).toBe(200);
      // The stream is still open, but its request cannot be sent again.
      expect(tenkey.provider.calls.open).toBe(1);
      expect(await resultOf(bodyOf(most), { length })).toMatchObject({ status: 200 });
      expect(await textOf(response)).toContain('[DONE]');
    },
  );

  it.each<[string, (round: number) => Promise<unknown>]>([
    [
      'that the provider refuses',
      () => {
        tenkey.provider.next({ status: 400 });
        return resultOf(bodyOf(most));
      },
    ],
    ['that are refused before they are sent', () => resultOf(bodyOf(most, { model: 'unknown' }))],
    ['that are not JSON', (round) => resultOf(most, { length: round % 2 === 0 })],
    ['that are too long', () => resultOf('x'.repeat(70_000), { length: false })],
    ['of another media type', () => resultOf(most, { type: 'text/plain' })],
    ['without a route', () => resultOf(most, { path: '/v1/unknown' })],
    [
      'whose client disconnects',
      async (round) => {
        tenkey.provider.next({ delayMs: 60_000 });
        const { outgoing } = start(bodyOf(most), { length: round % 2 === 0 });
        await until(() => tenkey.provider.calls.begun === round + 1, 'the call reaches the provider');
        outgoing.destroy();
        await until(() => tenkey.provider.calls.open === 0, 'the call is cancelled');
      },
    ],
    [
      'whose client disconnects before all of it has arrived',
      async () => {
        const headers = { 'x-api-key': platformKey, 'x-tenant-id': tenant, 'content-length': '60000' };
        const outgoing = send({ port, path: '/v1/chat/completions', method: 'POST', headers, agent: false });
        outgoing.on('error', () => undefined);
        outgoing.write('{');
        await new Promise((resolve) => setTimeout(resolve, 50));
        outgoing.destroy();
        await new Promise((resolve) => setTimeout(resolve, 50));
      },
    ],
  ])('is free again after bodies %s', async (_, spend) => {
    for (let round = 0; round < 4; round += 1) await spend(round);
    tenkey.provider.reset();
    expect(await resultOf(bodyOf(most))).toMatchObject({ status: 200 });
  });

  it.each(['application/json', 'multipart/form-data; boundary=X'])(
    'is not taken by bodies of %s that are announced and do not arrive',
    async (type) => {
      const headers = { 'x-api-key': platformKey, 'x-tenant-id': tenant, 'content-length': '60000' };
      const path = type === 'application/json' ? '/v1/chat/completions' : '/v1/audio/transcriptions';
      const announced = Array.from('abcd', () => {
        const outgoing = send({
          port,
          path,
          method: 'POST',
          headers: { ...headers, 'content-type': type },
          agent: false,
        });
        outgoing.on('error', () => undefined);
        outgoing.write('-');
        return outgoing;
      });
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await resultOf(bodyOf(most))).toMatchObject({ status: 200 });
      for (const each of announced) each.destroy();
    },
  );

  it('is not left to one tenant: its bodies take three quarters at most, and others have room', async () => {
    const other = await tenkey.createTenant();
    await tenkey.setCredential(other, 'openai', { api_key: 'sk-key-of-another-tenant' });
    const some = bodyOf('x'.repeat(29_000));
    for (let each = 0; each < 2; each += 1) tenkey.provider.next({ delayMs: 1500 });
    const held = [start(some), start(some)];
    await until(() => tenkey.provider.calls.begun === 2, 'the calls reach the provider');
    // 30 KB are free, and would be enough.
    expect(await resultOf(some)).toMatchObject({ status: 503, retryAfter: '1' });
    expect(
      (await tenkey.chat(other, { messages: [{ role: 'user', content: 'x'.repeat(29_000) }] })).status,
    ).toBe(200);
    for (const { response } of held) expect((await response).statusCode).toBe(200);
  });

  it('does not keep sysadmins out', async () => {
    tenkey.provider.next({ delayMs: 1000 });
    const first = start(bodyOf(most));
    await until(() => tenkey.provider.calls.begun === 1, 'the first call reaches the provider');
    const long = { name: 'a tenant', display_name: 'x'.repeat(90), contact_email: `${'x'.repeat(60_000)}@a` };
    expect((await tenkey.sysadmin('post', '/tenants').send(long)).status).toBe(422);
    expect((await first.response).statusCode).toBe(200);
  });

  describe('and the places of calls:', () => {
    const running = () => tenkey.provider.calls.begun;
    const hello = bodyOf('hello');
    /** Takes all places of the tenant for a while. */
    async function takeAll(delayMs: number) {
      for (let each = 0; each < 3; each += 1) tenkey.provider.next({ delayMs });
      const taken = Array.from({ length: 3 }, () => start(hello));
      await until(() => running() === 3, 'the places are taken');
      return Promise.all(taken.map(async ({ response }) => textOf(await response)));
    }
    const gauge = async (name: string) => {
      const { text } = await tenkey.sysadmin('get', '/metrics');
      return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)![1]);
    };
    const waiting = (count: number) =>
      until(async () => (await gauge('tenkey_calls_waiting')) === count, 'the calls wait');
    afterEach(async () => {
      expect([await gauge('tenkey_calls_running'), await gauge('tenkey_calls_waiting')]).toEqual([0, 0]);
    });

    it('a call that waited is looked up after its wait, with its key, its tenant and the credential', async () => {
      const { id, key } = await issueTenantKey(tenkey, tenant);
      const taken = takeAll(1000);
      await until(() => running() === 3, 'the places are taken');
      const withKey = tenkey
        .http()
        .post('/v1/chat/completions')
        .set('authorization', `Bearer ${key}`)
        .send(JSON.parse(hello) as object);
      const answers = Promise.all([withKey, tenkey.chat(tenant)]);
      await waiting(2);
      await tenkey.sysadmin('delete', `/tenants/${tenant}/keys/${id}`);
      await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-the-key-after-the-wait' });
      expect(running()).toBe(3);
      expect((await answers).map(({ status }) => status)).toEqual([401, 200]);
      await taken;
      expect(tenkey.provider.requests.map(({ key }) => key)).toEqual([
        ...Array(3).fill('sk-key-for-the-budget'),
        'sk-the-key-after-the-wait',
      ]);
    });

    it('a call is refused after its wait, and other tenants do not wait', async () => {
      const other = await tenkey.createTenant();
      await tenkey.setCredential(other, 'openai', { api_key: 'sk-key-of-another-tenant' });
      const taken = takeAll(3000);
      await until(() => running() === 3, 'the places are taken');
      const started = performance.now();
      const refused = resultOf(hello);
      await waiting(1);
      expect((await tenkey.chat(other)).status).toBe(200);
      expect(performance.now() - started).toBeLessThan(1000);
      const { status, retryAfter, text } = await refused;
      expect([status, retryAfter, JSON.parse(text).error.code]).toEqual([429, '2', 'too_many_calls']);
      expect(performance.now() - started).toBeGreaterThan(1900);
      await taken;
    });

    it('each place is free again, however a call has ended', async () => {
      tenkey.provider.next({ status: 400 });
      expect((await resultOf(hello)).status).toBe(400);
      expect((await resultOf(bodyOf('hello', { model: 'unknown' }))).status).toBe(404);
      tenkey.provider.next({ breakAfterChunks: 1 });
      await start(bodyOf('hello', { stream: true })).response.then(textOf);
      tenkey.provider.reset();
      tenkey.provider.next({ delayMs: 60_000 });
      const left = start(hello);
      await until(() => running() === 1, 'the call reaches the provider');
      left.outgoing.destroy();
      await until(() => tenkey.provider.calls.open === 0, 'the call is cancelled');
      tenkey.provider.reset();
      const taken = takeAll(500);
      await until(() => running() === 3, 'the places are taken');
      const impatient = start(hello);
      await waiting(1);
      impatient.outgoing.destroy();
      await waiting(0);
      await taken;
      expect(running()).toBe(3);
    });
  });
});
