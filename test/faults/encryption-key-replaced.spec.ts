import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { generateKey } from '#crypto';
import { encryptionKey } from '../support/app';
import { runCli, startCliProcess } from '../support/cli';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';
import { reportFault } from './fault-rows';
import { distributionOf, seeded } from './numbers';
import { paced } from './paced';
import { type ServiceProcess, type Services, startServices } from './service-processes';
import { storeCredentials, storedKey } from './stored-credentials';
import { TenantHistory } from './tenant-history';

/** With ROTATED_TENANTS=66667 it is the run of 200,000 credentials; the rates are per second, over both processes. */
const TENANTS = Number(process.env['ROTATED_TENANTS'] ?? 3000);
const CALLS_PER_SECOND = Number(process.env['ROTATION_CALLS'] ?? 60);
const CHANGES_PER_SECOND = Number(process.env['ROTATION_CHANGES'] ?? 10);
const KILLS = 3;

const root = join(__dirname, '../..');

/** The numbered steps of a section of a page, by the words in bold. */
function stepsOf(page: string, section: string): string[] {
  const text = readFileSync(join(root, 'docs', page), 'utf8');
  const [, body = ''] = new RegExp(`\n## ${section}\n([^]*?)(?=\n## )`).exec(text) ?? [];
  return [...body.matchAll(/^\d+\. \*\*([^*]+?)\*\*/gm)].map(([, title]) => title!.replace(/\s+/g, ' '));
}

/** Calls that a busy machine may have open at once. */
const OPEN = 20;

/** Calls and changes at a steady rate, on the processes that are in use. */
class Traffic {
  readonly failures: string[] = [];
  readonly callMs: number[] = [];
  readonly histories: readonly TenantHistory[];
  #isRunning = true;
  readonly #running: Promise<unknown>[];

  constructor(
    private readonly services: Services,
    private readonly tenants: readonly string[],
    readonly inUse: ServiceProcess[],
    private readonly random: () => number,
  ) {
    const seen = { ...services, all: inUse };
    this.histories = Array.from({ length: 4 }, () => new TenantHistory(seen, random));
    this.#running = [
      this.#paced(CALLS_PER_SECOND, () => this.#call()),
      // The changes of a tenant are made one after the other.
      ...this.histories.map((history) =>
        this.#paced(CHANGES_PER_SECOND / this.histories.length, () => history.step(), 1),
      ),
    ];
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#running);
  }

  #paced(perSecond: number, run: () => Promise<void>, open = OPEN): Promise<unknown> {
    const isOver = () => !this.#isRunning;
    return paced({ perSecond, open, isOver }, () =>
      run().catch((error: unknown) => void this.failures.push(String(error))),
    );
  }

  async #call(): Promise<void> {
    const tenant = this.tenants[Math.floor(this.random() * this.tenants.length)]!;
    const service = this.inUse[Math.floor(this.random() * this.inUse.length)]!;
    const started = performance.now();
    const { status, code, usedKey } = await this.services.call(service, tenant);
    this.callMs.push(performance.now() - started);
    if (status === 200 && usedKey === storedKey(tenant, 'openai')) return;
    this.failures.push(
      `a call returned ${status} ${code}, with ${usedKey === undefined ? 'no' : 'some'} key`,
    );
  }
}

describe('the encryption key, replaced in the steps of docs/rotation.md while calls and changes go on', () => {
  let database: TestDatabase;
  let services: Services;
  let tenants: string[];
  const inUse: ServiceProcess[] = [];
  let newKey = '';
  const memory: number[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    tenants = await storeCredentials(database.url, TENANTS, encryptionKey);
    services = await startServices(database.url, 2);
    inUse.push(...services.all);
  }, 1_200_000);
  afterAll(async () => {
    await services.close();
    await database.drop();
  });

  const env = (previous = encryptionKey) => ({
    DATABASE_URL: database.url,
    ENCRYPTION_KEY: newKey,
    ENCRYPTION_KEY_PREVIOUS: previous,
  });
  const status = async () => JSON.parse((await runCli(env(), 'encryption', 'status', '--json')).stdout);

  /** Another process takes the place of each, one after the other, as behind a load balancer. */
  async function restartEach(settings: Record<string, string>): Promise<void> {
    for (const before of [...inUse]) {
      inUse.push(await services.start({ env: settings }));
      inUse.splice(inUse.indexOf(before), 1);
      await drained(before);
      await before.end();
    }
  }

  /** Some changes are two requests, one after the other. */
  async function drained(service: ServiceProcess): Promise<void> {
    for (let idle = 0; idle < 10; idle += 1) {
      await wait(100);
      if (service.running > 0) idle = 0;
    }
  }

  /** Starts a rotation in a process, and kills it in the middle. @returns how many rows were sealed when it was killed */
  async function killedRotation(): Promise<number> {
    const child = startCliProcess(env(), 'encryption', 'rotate', '--yes', '--json');
    const ended = once(child, 'exit');
    const [first] = (await Promise.race([once(child.stdout!, 'data'), ended])) as [unknown];
    child.kill('SIGKILL');
    expect((await ended)[1]).toBe('SIGKILL');
    const { state, resealed } = JSON.parse(String(first).split('\n')[0]!);
    expect(state).toBe('running');
    return resealed;
  }

  const steps: Readonly<Record<string, () => Promise<void>>> = {
    'Make a key': async () => {
      const { stdout } = await runCli({}, 'generate-encryption-key');
      newKey = /[\w-]{43}=/.exec(stdout)![0];
    },
    'Start every process with both keys': () =>
      restartEach({ ENCRYPTION_KEY: newKey, ENCRYPTION_KEY_PREVIOUS: encryptionKey }),
    Look: async () => {
      await until(async () => {
        const { keys } = await status();
        return keys[0].loaded && keys[0].rows.live < keys[1].rows.live && keys[0].processes === 2;
      }, 'the new key seals');
    },
    'Seal everything again': async () => {
      const sealed: number[] = [];
      for (let kill = 0; kill < KILLS; kill += 1) sealed.push(await killedRotation());
      expect(sealed).toEqual([...sealed].sort((a, b) => a - b));
      expect(sealed.at(-1)).toBeLessThan(TENANTS * 3);
      const watching = setInterval(() => memory.push(...inUse.map(residentBytes)), 500);
      const { code, stdout } = await runCli(env(), 'encryption', 'rotate', '--yes', '--json');
      clearInterval(watching);
      const last = JSON.parse(stdout.trim().split('\n').at(-1)!);
      expect([code, last.state, last.failed]).toEqual([0, 'finished', 0]);
      expect(last.resealed).toBeGreaterThanOrEqual(TENANTS * 3);
    },
    'Retire the old key': async () => {
      const { keys } = await status();
      expect(keys[0]).toMatchObject({ seals: true, processes: 2 });
      const { code, stderr } = await runCli(env(), 'encryption', 'retire', keys[1].key_id, '--yes');
      expect([code, stderr]).toEqual([0, '']);
    },
    'Start every process with the new key only': () =>
      restartEach({ ENCRYPTION_KEY: newKey, ENCRYPTION_KEY_PREVIOUS: '' }),
  };

  const residentBytes = ({ child }: ServiceProcess): number => {
    const text = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(text)![1]) * 1024;
  };

  it(`no call of ${TENANTS} tenants fails, no change is lost, and a rotation that is killed ${KILLS} times is continued`, async () => {
    const titles = stepsOf('rotation.md', 'Steps');
    expect(titles).toEqual(Object.keys(steps));
    const traffic = new Traffic(services, tenants, inUse, seeded(12));
    const seconds: string[] = [];
    try {
      for (const title of titles) {
        const started = performance.now();
        await steps[title]!();
        seconds.push(`${title}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
      }
    } finally {
      await traffic.stop();
    }
    const changes = traffic.histories.flatMap(({ confirmations }) => confirmations);
    const calls = traffic.callMs.length;
    process.stdout.write(
      `${TENANTS * 3} credentials; ${seconds.join(', ')}\n${calls} calls, in ms: ${JSON.stringify(rounded(distributionOf(traffic.callMs)))}\n${changes.length} changes\n` +
        `resident MB while sealing: ${JSON.stringify(rounded(distributionOf(memory.map((bytes) => bytes / 2 ** 20))))}\n`,
    );
    const fault = 'an encryption key is replaced and the rotation killed: changes and calls';
    const row = await reportFault(fault, KILLS, traffic.histories, traffic.failures.length);
    expect(row.lost).toBe(0);
    expect(traffic.failures).toEqual([]);
    expect(traffic.histories.flatMap(({ violations }) => violations)).toEqual([]);
    expect(calls).toBeGreaterThan(CALLS_PER_SECOND * 5);
    expect(changes.length).toBeGreaterThan(CHANGES_PER_SECOND);

    const rows = await services.query<{ key_id: string }>(
      `select distinct key_id from tenant_credentials union select key_id from credential_slots
       union select key_id from former_encryption_keys`,
    );
    expect(rows).toHaveLength(1);
    const verified = await runCli(env(''), 'audit', 'verify');
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining(', 0 faults')]);
  }, 3_600_000);
});

it('a rotation whose process is killed is finished by another process', async () => {
  const database = await createTestDatabase();
  await storeCredentials(database.url, 300, encryptionKey);
  const env = { ENCRYPTION_KEY: generateKey(), ENCRYPTION_KEY_PREVIOUS: encryptionKey };
  const services = await startServices(database.url, 2, { env });
  try {
    const [starting, other] = services.all as [ServiceProcess, ServiceProcess];
    await until(async () => {
      const { keys } = (await other.sysadmin('GET', '/encryption')).body;
      return keys[0].seals && keys[0].rows.live === 0;
    }, 'the new key seals');
    const started = await starting.change('POST', '/encryption/rotation');
    await starting.kill();
    expect(started.body).toMatchObject({ state: 'running', total: 900, resealed: 0 });
    const [row] = await services.query<{ resealed: number }>('select resealed from encryption_rotation');
    expect(row!.resealed).toBeLessThan(900);
    await until(
      async () => (await other.sysadmin('GET', '/encryption')).body.rotation.state === 'finished',
      'the other process finishes it',
    );
    const { rotation } = (await other.sysadmin('GET', '/encryption')).body;
    expect(rotation).toMatchObject({ resealed: 900, failed: 0 });
  } finally {
    await services.close();
    await database.drop();
  }
}, 120_000);

function rounded(values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Math.round(value * 10) / 10]),
  );
}
