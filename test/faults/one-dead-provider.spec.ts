import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent } from 'undici';
import { platformKey } from '../support/app';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { FaultRow } from './fault-rows';
import { type Services, type ServiceProcess, startServices } from './service-processes';

const MEASURED_MS = 5000;
/** Calls of the tenant whose provider is dead, each second. */
const RATE = 60;
/** A long conversation. */
const long = 'x'.repeat(100_000);

const usual = {
  EGRESS_ALLOW: '127.0.0.1:*',
  UPSTREAM_TIMEOUTS: 'vllm.first_byte=3',
  MAX_BUFFERED_BYTES: '20000000',
  MAX_BODY_BYTES: '1000000',
  MAX_CALLS_IN_FLIGHT: '100',
};
const withLimits = { MAX_CALLS_PER_TENANT: '25' };
const without = { MAX_CALLS_PER_TENANT: '100', CIRCUIT_FAILURES: '0' };

interface Measurement {
  readonly calls: number;
  readonly failed: number;
  readonly p50: number;
  readonly p95: number;
  readonly slowest: number;
}

/** Five times the usual value, but not so little that a busy machine exceeds it by itself. */
const boundOf = ({ p95 }: Measurement) => Math.max(5 * p95, 100);

describe('a tenant whose provider is dead', () => {
  let database: TestDatabase;
  const servers: Server[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    for (const each of servers) each.close();
    await database.drop();
  });

  async function listening(server: Server): Promise<string> {
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  /** Accepts connections and never answers. */
  const blackHole = () =>
    listening(createServer((socket) => void socket.resume().on('error', () => undefined)));
  const refusedPort = async () => {
    const closed = createServer();
    const url = await listening(closed);
    await new Promise((done) => closed.close(done));
    return url;
  };

  async function tenantOf(service: ServiceProcess, name: string, provider: string, fields: object) {
    const { body } = await service.change('POST', '/tenants', { name });
    await service.change('PUT', `/tenants/${body.id}/credentials/${provider}`, fields);
    return body.id as string;
  }

  const call = (service: ServiceProcess, tenantId: string, model: string, content: string) =>
    service.request(
      'POST',
      '/v1/chat/completions',
      { 'x-api-key': platformKey, 'x-tenant-id': tenantId },
      { model, messages: [{ role: 'user', content }] },
    );

  /** The calls of several tenants, one after the other for each. */
  async function measure(service: ServiceProcess, tenants: readonly string[]): Promise<Measurement> {
    const times: number[] = [];
    let failed = 0;
    const end = performance.now() + MEASURED_MS;
    await Promise.all(
      tenants.map(async (tenant) => {
        while (performance.now() < end) {
          const started = performance.now();
          const { status } = await call(service, tenant, 'gpt-4o', 'hello');
          times.push(performance.now() - started);
          if (status !== 200) failed += 1;
          await wait(10);
        }
      }),
    );
    times.sort((a, b) => a - b);
    const at = (share: number) => Math.round(times[Math.floor(times.length * share)]! * 10) / 10;
    return { calls: times.length, failed, p50: at(0.5), p95: at(0.95), slowest: times.at(-1)! };
  }

  /** @returns the other tenants' calls before the dead provider is called, and while it is */
  async function effectOf(services: Services, endpoint: string, name: string) {
    const [service] = services.all as [ServiceProcess];
    const fields = { api_key: 'sk-key-of-the-dead-provider', endpoint };
    const dead = await tenantOf(service, `${name} dead`, 'vllm', fields);
    const others = await Promise.all(
      [1, 2, 3].map((each) =>
        tenantOf(service, `${name} ${each}`, 'openai', { api_key: 'sk-key-of-another-tenant' }),
      ),
    );
    const calm = await measure(service, others);
    let isOver = false;
    const codes = new Map<string, number>();
    // The other tenants have connections of their own to Tenkey.
    const agent = new Agent({ connections: 5000 });
    const callDead = async () => {
      const response = await agent.request({
        origin: service.base,
        path: '/v1/chat/completions',
        method: 'POST',
        headers: { 'x-api-key': platformKey, 'x-tenant-id': dead, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gemma-vllm', messages: [{ role: 'user', content: long }] }),
      });
      const { error } = (await response.body.json()) as { error?: { code: string } };
      codes.set(String(error?.code), (codes.get(String(error?.code)) ?? 0) + 1);
    };
    const flood = (async () => {
      while (!isOver) {
        void callDead().catch(() => undefined);
        await wait(1000 / RATE);
      }
    })();
    // Until the first calls have reached their timeout.
    await wait(3000);
    const busy = await measure(service, others);
    isOver = true;
    await flood;
    await agent.destroy();
    process.stdout.write(`${name}: ${JSON.stringify({ calm, busy, dead: Object.fromEntries(codes) })}\n`);
    return { calm, busy, codes, service };
  }

  it.each([
    ['never answers', blackHole, 'upstream_timeout'],
    ['refuses connections', refusedPort, 'upstream_unavailable'],
  ] as const)('slows nobody else, when it %s', async (name, hostOf, code) => {
    const services = await startServices(database.url, 1, { env: { ...usual, ...withLimits } });
    try {
      const { calm, busy, codes, service } = await effectOf(services, await hostOf(), `with limits, ${name}`);
      const row = new FaultRow(`a provider ${name}: the calls of other tenants`);
      row.reached = codes.get(code) ?? 0;
      row.wrong = busy.failed;
      row.took(busy.slowest);
      row.report();
      expect(busy.failed).toBe(0);
      expect(busy.p95).toBeLessThan(boundOf(calm));
      expect(busy.calls).toBeGreaterThan(calm.calls / 5);
      // The fault was reached, and then the calls were paused.
      expect(codes.get(code)).toBeGreaterThan(0);
      expect(codes.get('circuit_open')).toBeGreaterThan(codes.get(code)!);
      expect(service.logged('Calls are refused until it responds')).toBe(1);
    } finally {
      await services.close();
    }
  });

  it('makes others wait without the limits', async () => {
    const services = await startServices(database.url, 1, { env: { ...usual, ...without } });
    try {
      const { calm, busy, codes } = await effectOf(services, await blackHole(), 'without limits');
      expect(codes.get('circuit_open')).toBeUndefined();
      expect(busy.p95).toBeGreaterThan(boundOf(calm));
      expect(busy.calls).toBeLessThan(calm.calls / 5);
    } finally {
      await services.close();
    }
  });
});
