import { request } from 'undici';
import { platformKey } from '../support/app';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';
import { FaultRow } from './fault-rows';
import { misbehaviours, startMisbehaving } from './misbehaving-provider';
import { collecting, sampleOf, whenIdle } from './process-samples';
import { type ServiceProcess, type Services, startServices } from './service-processes';

const ROUNDS = 3;
/** Calls to each provider in a round, half of them streamed. */
const CALLS = 20;
/** All time-outs on the way of a call, and what a busy machine adds. */
const LONGEST_MS = 10_000;
const GROWN_MIB = 5;

describe('a process whose providers misbehave', () => {
  let database: TestDatabase;
  let services: Services;
  let service: ServiceProcess;
  beforeAll(async () => {
    database = await createTestDatabase();
    services = await startServices(database.url, 1, {
      preload: collecting,
      env: {
        EGRESS_ALLOW: '127.0.0.1:*',
        UPSTREAM_TIMEOUTS: 'idle=1,first_byte=1',
        CLIENT_PAUSE_SECONDS: '1',
        // Each call reaches the fault.
        CIRCUIT_FAILURES: '0',
      },
    });
    service = services.all[0]!;
  });
  afterAll(async () => {
    await services.close();
    await database.drop();
  });

  /** @returns the status and the code of the error, or `done` for a complete answer */
  async function endOf(tenant: string, stream: boolean): Promise<string> {
    const response = await request(`${service.base}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-api-key': platformKey, 'x-tenant-id': tenant, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gemma-vllm', stream, messages: [{ role: 'user', content: 'hello' }] }),
      // Its connection is not kept, because what is left of the calls is counted.
      reset: true,
      headersTimeout: LONGEST_MS,
      bodyTimeout: LONGEST_MS,
    });
    const text = await response.body.text();
    const code = /"tenkey_code":"(\w+)"/.exec(text)?.[1] ?? /"code":"(\w+)"/.exec(text)?.[1];
    const isWhole = stream ? text.endsWith('data: [DONE]\n\n') : text.endsWith('}');
    return `${response.statusCode} ${code ?? (isWhole ? 'done' : 'not whole')}`;
  }

  it('ends each call in time and is recorded once, and nothing is left of them', async () => {
    const closed = await startMisbehaving(() => undefined);
    closed.close();
    const withoutTls = await startMisbehaving((socket) => void socket.end());
    const unavailable = '502 upstream_unavailable';
    const providers = [
      ...(await Promise.all(
        misbehaviours.map(async ({ name, ends, answer }) => {
          const provider = await startMisbehaving(answer);
          return { name, ends, provider, endpoint: provider.endpoint };
        }),
      )),
      {
        name: 'does not speak TLS',
        ends: [unavailable, unavailable] as const,
        provider: withoutTls,
        endpoint: withoutTls.endpoint.replace('http:', 'https:'),
      },
      {
        name: 'refuses connections',
        ends: [unavailable, unavailable] as const,
        provider: closed,
        endpoint: closed.endpoint,
      },
    ];
    const faults = await Promise.all(
      providers.map(async (each) => ({
        ...each,
        tenant: await services.newTenant('vllm', { endpoint: each.endpoint }),
        row: new FaultRow(`a provider ${each.name}: calls`),
      })),
    );
    const { openFiles } = await sampleOf(service);
    const sizes: number[] = [];
    const unexpected: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(
        faults.flatMap(({ name, ends, tenant, row }) =>
          Array.from({ length: CALLS }, async (_, index) => {
            const kind = index % 2;
            const end = await row
              .timed(endOf(tenant, kind === 1))
              .catch((error: NodeJS.ErrnoException) => `no end: ${error.code ?? error.message}`);
            if (end === ends[kind]) return;
            row.wrong += 1;
            unexpected.push(`${name}, ${kind === 1 ? 'streamed' : 'whole'}: ${end} and not ${ends[kind]}`);
          }),
        ),
      );
      sizes.push(await whenIdle(service, openFiles));
    }
    const sent = ROUNDS * CALLS;
    for (const { name, tenant, row, provider } of faults) {
      await until(async () => (await services.recordsOf(tenant)) >= sent, `usage: ${name}`, 5000).catch(
        () => undefined,
      );
      const records = await services.recordsOf(tenant);
      row.lost = Math.max(0, sent - records);
      row.wrong += Math.max(0, records - sent) + provider.open;
      // A port on which nobody listens counts nothing, and each call said so.
      row.reached = provider === closed ? sent - row.wrong : provider.reached;
      row.report();
      provider.close();
    }
    expect(unexpected).toEqual([]);
    expect(faults.map(({ row }) => [row.lost, row.wrong])).toEqual(faults.map(() => [0, 0]));
    for (const { row } of faults) {
      expect(row.reached).toBeGreaterThanOrEqual(sent);
      expect(row.slowestMs).toBeLessThan(LONGEST_MS);
    }
    process.stdout.write(`in use after each round: ${sizes.map((size) => size.toFixed(1)).join(', ')} MiB\n`);
    expect(sizes.at(-1)! - sizes[0]!).toBeLessThan(GROWN_MIB);
  }, 90_000);
});
