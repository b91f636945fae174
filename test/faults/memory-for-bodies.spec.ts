import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent } from 'undici';
import { platformKey } from '../support/app';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { type ServiceProcess, startServices } from './service-processes';

const MiB = 1024 * 1024;
const BODY_BYTES = 8 * MiB;

/** A control group with a limit of memory, as a container has one; undefined where none may be made. */
function containerOf(bytes: number): { readonly procs: string; close(): void } | undefined {
  const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const folder = join(
    isV2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory',
    `tenkey-test-${process.pid}-${bytes}`,
  );
  try {
    mkdirSync(folder);
    writeFileSync(join(folder, isV2 ? 'memory.max' : 'memory.limit_in_bytes'), String(bytes));
  } catch {
    return undefined;
  }
  return { procs: join(folder, 'cgroup.procs'), close: () => rmdirSync(folder) };
}

describe('the memory of a process', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const residentBytes = ({ child }: ServiceProcess) =>
    Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) * 1024;

  it.each([
    [256, 30],
    [512, 100],
    [1024, 200],
  ])('of %i MiB is enough when %i bodies of 8 MiB arrive at once', async (limit, count) => {
    const container = containerOf(limit * MiB);
    // The default is a quarter of the limit of the container.
    const budget = (limit / 4) * MiB;
    const services = await startServices(database.url, 1, {
      prefix: container && ['sh', '-c', 'echo $$ > "$0" && exec "$@"', container.procs],
      env: { MAX_BODY_BYTES: String(16 * MiB), ...(container ? {} : { MAX_BUFFERED_BYTES: String(budget) }) },
    });
    const agent = new Agent({ connections: count });
    try {
      const [service] = services.all as [ServiceProcess];
      const { id } = (await service.change('POST', '/tenants', { name: `memory ${limit}` })).body;
      await service.change('PUT', `/tenants/${id}/credentials/openai`, { api_key: 'sk-key-of-a-tenant' });
      const call = async (content: string) => {
        const response = await agent.request({
          origin: service.base,
          path: '/v1/chat/completions',
          method: 'POST',
          headers: { 'x-api-key': platformKey, 'x-tenant-id': id, 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'gpt-4o', max_tokens: 1, messages: [{ role: 'user', content }] }),
        });
        await response.body.dump();
        return `${response.statusCode} ${String(response.headers['x-tenkey-problem'] ?? '')}`.trim();
      };
      for (let each = 0; each < 300; each += 1) await call('hello');
      const usual = residentBytes(service);
      let most = usual;
      let isOver = false;
      const watch = (async () => {
        while (!isOver) {
          most = Math.max(most, residentBytes(service));
          await wait(5);
        }
      })();
      // Their provider takes its time, so that the bodies stay.
      for (let each = 0; each < count; each += 1)
        services.provider.next({ delayMs: 1500, status: 200, body: '{"choices":[]}' });
      const long = 'x'.repeat(BODY_BYTES - 200);
      const outcomes = await Promise.all(Array.from({ length: count }, () => call(long)));
      isOver = true;
      await watch;
      const counts: Record<string, number> = {};
      for (const each of outcomes) counts[each] = (counts[each] ?? 0) + 1;
      const inMiB = (bytes: number) => Math.round(bytes / MiB);
      process.stdout.write(
        `${limit} MiB${container ? '' : ' (not enforced)'}, budget ${inMiB(budget)}: usual ${inMiB(usual)}, most ${inMiB(most)}, outcomes ${JSON.stringify(counts)}\n`,
      );
      expect(service.child.exitCode).toBeNull();
      expect(Object.keys(counts).sort()).toEqual(['200', '503 overloaded']);
      expect(counts['200']).toBeGreaterThanOrEqual(Math.floor((0.75 * budget) / BODY_BYTES) - 1);
      expect(most - usual).toBeLessThan(2 * budget);
      // It still works.
      services.provider.reset();
      expect(await call('hello')).toBe('200');
    } finally {
      await agent.destroy();
      await services.close();
      container?.close();
    }
  });
});
